"""One version: the command prints it, the package has it, the changelog ends with it."""

import re
import tomllib

from typer.testing import CliRunner

from claude_core import __version__
from kit.main import app
from local.paths import ROOT


def test_kit_prints_the_version_of_the_package() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"kit {__version__}\n"


def test_newest_entry_of_the_changelog_is_the_version() -> None:
    entries = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert entries[:2] == ["Unreleased", __version__]
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__), "SemVer"


def test_the_package_takes_its_version_from_the_core() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "claude_core.__version__"
    }
    assert (ROOT / "LICENSE").read_text().startswith(f"{project['project']['license']} License")
