"""The jobs commands in a folder of their own, against the jobs API in memory."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kit import waiting
from kit.main import app
from tests.kit.jobs_api import JobsDouble, JobsServer, jobs_server

OF_A_FUNCTION = ('{"_aws"', '{"level"')
"""How its metrics and its lines in the log begin."""


class Shell:
    """`kit …` as one client, in `folder`."""

    def __init__(self, api: JobsDouble, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.folder, self._monkeypatch = api, folder, monkeypatch

    def __call__(self, *arguments: str, code: int = 0, words: str | bytes | None = None) -> Result:
        self._monkeypatch.setattr(sys, "argv", ["kit", *arguments])
        result = CliRunner().invoke(app, list(arguments), input=words)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        assert self.api.key not in result.output
        return result

    def said(self, *arguments: str, code: int = 0) -> str:
        result = self(*arguments, code=code)
        return result.stdout + result.stderr

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a program reads; a function in this process writes metrics and log there, too."""
        lines = self(*arguments, "--json", code=code).stdout.splitlines()
        return json.loads("\n".join(line for line in lines if not line.startswith(OF_A_FUNCTION)))

    def write(self, count: int, *, folder: str = "docs") -> None:
        """So many documents."""
        for at in range(count):
            self.file(f"{folder}/{at:03}.md", f"text {at}")

    def file(self, name: str, text: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def submitted(self) -> int:
        """Requests that submitted something."""
        return self.api.calls["POST /v1/jobs"]


@pytest.fixture(scope="session")
def served_jobs() -> Iterator[JobsServer]:
    with jobs_server() as server:
        yield server


@pytest.fixture
def shell(served_jobs: JobsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A client's shell; nothing in it waits."""
    monkeypatch.chdir(tmp_path)
    for name in ("FIRST_S", "USUAL_S"):
        monkeypatch.setattr(waiting, name, 0.01)
    api = served_jobs.fresh()
    monkeypatch.setenv("KIT_JOBS_URL", api.url)
    monkeypatch.setenv("KIT_CLIENT_KEY", api.key)
    return Shell(api, tmp_path, monkeypatch)
