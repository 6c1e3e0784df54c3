"""Libraries are installed and compiled once for a lock, and linked into each bundle."""

import os
import re
import sys
from pathlib import Path

import pytest

from stacks.config import Target, host
from stacks.parts import wheels

pytestmark = pytest.mark.check
PYTHON = Path(sys.executable)
LOCKED = (Path(__file__).parents[2] / "lambda_src" / "requirements.lock").read_text()


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(wheels, "KEPT", tmp_path / "wheels")
    return tmp_path / "wheels"


def lock(folder: Path, *names: str) -> Path:
    """A lock of a few small libraries, as the function's has them."""
    entries = [re.search(rf"^{name}==(?:.*\\\n)+.*\n", LOCKED, re.MULTILINE) for name in names]
    path = folder / "some.lock"
    path.write_text("".join(entry[0] for entry in entries if entry))
    return path


def test_the_second_bundle_has_the_very_files_of_the_first(tmp_path: Path) -> None:
    locked, one, two = lock(tmp_path, "sniffio"), tmp_path / "one", tmp_path / "two"
    wheels.put(locked, host(), one, PYTHON)
    wheels.put(locked, host(), two, PYTHON)
    files = [path.relative_to(one) for path in one.rglob("*") if path.is_file()]
    assert {"__init__.py", f"__init__.{sys.implementation.cache_tag}.pyc"} <= {
        path.name for path in files
    }
    assert all((one / path).samefile(two / path) for path in files)


def test_another_lock_is_another_folder_and_what_nobody_will_ask_for_again_goes(
    tmp_path: Path, kept: Path
) -> None:
    wheels.put(lock(tmp_path, "sniffio"), host(), tmp_path / "one", PYTHON)
    wheels.put(lock(tmp_path, "idna"), host(), tmp_path / "two", PYTHON)
    assert (tmp_path / "one" / "sniffio").exists()
    assert (tmp_path / "two" / "idna").exists()
    assert not (tmp_path / "two" / "sniffio").exists()
    assert len(list(kept.glob("*/*"))) == 1


def test_with_and_without_bytecode_are_kept_side_by_side(tmp_path: Path, kept: Path) -> None:
    locked = lock(tmp_path, "sniffio")
    wheels.put(locked, host(), tmp_path / "plain")
    wheels.put(locked, host(), tmp_path / "compiled", PYTHON)
    assert not list((tmp_path / "plain").rglob("*.pyc"))
    assert list((tmp_path / "compiled").rglob("*.pyc"))
    assert len(list(kept.glob("*/*"))) == 2


def test_a_bundle_on_another_disk_has_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(source: str, copy: str) -> None:
        raise OSError(f"{source} and {copy} are on two disks")

    monkeypatch.setattr(os, "link", link)
    wheels.put(lock(tmp_path, "sniffio"), host(), tmp_path / "out")
    assert (tmp_path / "out" / "sniffio" / "__init__.py").stat().st_nlink == 1


def test_what_another_process_has_made_meanwhile_is_taken(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, locked = wheels._make, lock(tmp_path, "sniffio")

    def overtaken(lock: Path, target: Target, python: Path | None, out: Path) -> None:
        make(lock, target, python, out)
        monkeypatch.undo()
        monkeypatch.setattr(wheels, "KEPT", kept)
        wheels.put(locked, host(), tmp_path / "theirs")

    monkeypatch.setattr(wheels, "_make", overtaken)
    wheels.put(locked, host(), tmp_path / "ours")
    there = tmp_path / "theirs" / "sniffio" / "__init__.py"
    assert there.samefile(tmp_path / "ours" / "sniffio" / "__init__.py")
    assert len(list(kept.iterdir())) == len(list(kept.glob("*/*"))) == 1


def test_a_checkout_that_nobody_may_write_to_is_bundled_all_the_same(
    tmp_path: Path, kept: Path
) -> None:
    kept.write_text("no folder can be made here")
    wheels.put(lock(tmp_path, "sniffio"), host(), tmp_path / "out", PYTHON)
    assert list((tmp_path / "out" / "sniffio").rglob("*.pyc"))


def test_a_lock_that_cannot_be_installed_says_so_in_uvs_words_and_leaves_nothing(
    tmp_path: Path, kept: Path
) -> None:
    locked = tmp_path / "some.lock"
    locked.write_text("sniffio==1.3.1 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(RuntimeError, match=r"(?s)could not install .*some\.lock: .*Hash mismatch"):
        wheels.put(locked, host(), tmp_path / "out")
    assert not list(kept.glob("*/*"))
