"""Programs that some tests drive and pip does not install: `@pytest.mark.needs("chromium")`."""

import os
import shutil

import pytest

PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "redis-server": ("redis-server",),
}
"""Names of Debian's packages, and of the program that each brings, here or elsewhere."""


def program(name: str) -> str:
    """Find a program, by its own variable (`CHROMIUM`) or on the PATH, or leave the test out.

    Returns:
        Its path. Without one the test is skipped, with a line that has the command to install it;
        where `CI` is set it fails, so that a run there leaves nothing out.
    """
    given = os.environ.get(name.upper().replace("-", "_"))
    for path in filter(None, (given, *map(shutil.which, PROGRAMS[name]))):
        return path
    line = f"{name} is not installed: apt-get update && apt-get install -y {name}"
    if os.environ.get("CI"):
        pytest.fail(f"{line} (in CI no test may be left out)", pytrace=False)
    pytest.skip(line)
