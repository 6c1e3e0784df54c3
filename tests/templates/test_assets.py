"""A bundle's name changes with what is in it, and with nothing else."""

import shutil
from pathlib import Path

import pytest

from stacks.config import Target
from stacks.parts import assets

ARM = Target(python="3.13", platform="aarch64-manylinux2014")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for package in ("claude_core", "lambda_src"):
        shutil.copytree(assets.ROOT / package, tmp_path / package)
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    return tmp_path


def now(target: Target = ARM, *, bytecode: bool = False) -> str:
    return assets.bundle_hash("lambda_src", target, bytecode=bytecode)


def test_the_same_sources_have_the_same_name_wherever_and_whenever_they_are(copy: Path) -> None:
    before = now()
    (copy / "claude_core" / "client.py").touch()
    (copy / "claude_core" / "__pycache__").mkdir(exist_ok=True)
    (copy / "claude_core" / "__pycache__" / "x.pyc").write_bytes(b"x")
    (copy / "lambda_src" / "README.md").write_text("x")
    assert now() == before


@pytest.mark.parametrize(
    "changed", ["claude_core/client.py", "lambda_src/openapi.json", "lambda_src/requirements.lock"]
)
def test_a_change_of_source_or_lock_is_a_new_name(copy: Path, changed: str) -> None:
    before = now()
    path = copy / changed
    path.write_text(path.read_text() + "\n")
    assert now() != before


def test_a_new_or_renamed_source_is_a_new_name(copy: Path) -> None:
    before = now()
    (copy / "claude_core" / "clients.py").rename(copy / "claude_core" / "callers.py")
    assert now() != before


def test_target_and_bytecode_are_part_of_the_name(copy: Path) -> None:
    other = Target(python="3.14", platform=ARM.platform)
    host = Target(python=ARM.python, platform="x86_64-manylinux_2_28")
    assert len({now(), now(other), now(host), now(bytecode=True)}) == 4
