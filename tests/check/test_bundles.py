"""Bundles hold what the target runs, nothing that it has, and change only when they must."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stacks.config import DEV, host
from stacks.parts import assets

pytestmark = pytest.mark.check
PACKAGE = "lambda_src"
LIMIT_MB = 15
AARCH64, MACHINE_AT = 0xB7, 18
"""e_machine of an ELF header: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html"""


@pytest.fixture(scope="session")
def arm64(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("arm64")
    assets.bundle(PACKAGE, DEV.lambda_target, out)
    return out


def test_every_library_is_for_the_processor_and_the_python_that_lambda_runs(arm64: Path) -> None:
    libraries = sorted(arm64.rglob("*.so"))
    assert libraries
    for library in libraries:
        header = library.read_bytes()[:20]
        assert header[:4] == b"\x7fELF", library
        assert int.from_bytes(header[MACHINE_AT:20], "little") == AARCH64, library
        assert ".cpython-313-" in library.name or ".abi3." in library.name, library


def test_the_zip_is_small_enough_to_start_fast(arm64: Path, tmp_path: Path) -> None:
    packed = tmp_path / "bundle.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in arm64.rglob("*"):
            archive.write(path, path.relative_to(arm64))
    assert packed.stat().st_size < LIMIT_MB * 1_000_000


@pytest.mark.parametrize("name", ["boto3", "botocore", "tests", "aws_cdk", "aiohttp", "pytest"])
def test_what_the_runtime_has_or_no_handler_needs_is_left_out(arm64: Path, name: str) -> None:
    assert not (arm64 / name).exists()


def test_no_tests_and_no_bytecode_ship(arm64: Path) -> None:
    assert not list(arm64.rglob("tests"))
    assert not list(arm64.rglob("*.pyc"))


def test_the_hosts_bundle_answers_with_nothing_else_on_the_path(tmp_path: Path) -> None:
    assets.bundle(PACKAGE, host(), tmp_path)
    script = (
        f"import sys; sys.path[:] = [{str(tmp_path)!r}] + [p for p in sys.path if 'python3' in p "
        "and 'site-packages' not in p]\n"
        "from lambda_src import api\n"
        "assert 'boto3' not in sys.modules and 'botocore' not in sys.modules\n"
        "print(len(api.ROUTES))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "6"
