"""One engine for the run; a machine without any says so in one line, and is no success."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.engine import NEEDS, Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("image")
    found = Engine.found(folder, os.environ.get("BASE"))
    if found is None:
        if os.environ.get("SKIP"):
            pytest.skip(NEEDS)
        pytest.exit(f"{NEEDS}; SKIP=1 goes on without", returncode=1)
    try:
        yield found
    finally:
        found.clean()
