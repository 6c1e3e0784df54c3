"""Bundles hold what the target runs, nothing that it has, and change only when they must."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stacks.config import DEV, host
from stacks.parts import assets
from stacks.parts.bytecode import target_python
from stacks.parts.web_adapter import HANDLER

pytestmark = pytest.mark.check
PACKAGES = ("lambda_src", "service_src")
LIMIT_MB = 20
AARCH64, MACHINE_AT = 0xB7, 18
"""e_machine of an ELF header: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html"""
UNCHECKED = 0b01
"""Flags of a .pyc that is valid by hash, and not held against its source: PEP 552."""


@pytest.fixture(scope="session", params=PACKAGES)
def arm64(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for Lambda, compiled where this machine has the Python for it."""
    out: Path = tmp_path_factory.mktemp("arm64") / request.param
    target = DEV.lambda_target
    assets.bundle(request.param, target, out, target_python(target.python))
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


@pytest.mark.parametrize("name", ["boto3", "botocore", "tests", "aws_cdk", "pytest"])
def test_what_the_runtime_has_or_no_handler_needs_is_left_out(arm64: Path, name: str) -> None:
    assert not (arm64 / name).exists()


def test_no_tests_ship(arm64: Path) -> None:
    assert not list(arm64.rglob("tests"))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_is_compiled_by_its_python_and_no_cold_start_checks_or_compiles(
    tmp_path: Path, package: str
) -> None:
    assets.bundle(package, host(), tmp_path, Path(sys.executable))
    compiled = list(tmp_path.rglob("*.pyc"))
    tag = f".{sys.implementation.cache_tag}."
    assert all(tag in path.name for path in compiled)
    flags = {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled}
    assert flags == {UNCHECKED}
    assert len(compiled) == len(list(tmp_path.rglob("*.py")))


def test_what_is_made_for_lambda_is_compiled_by_lambdas_python(arm64: Path) -> None:
    """Or, where there is none, not at all: another's bytecode would be passed over in silence."""
    tags = {path.name.split(".")[-2] for path in arm64.rglob("*.pyc")}
    assert tags == ({"cpython-313"} if target_python(DEV.lambda_target.python) else set())


def test_the_start_script_of_the_streaming_function_can_be_started(tmp_path: Path) -> None:
    assets.bundle("service_src", host(), tmp_path)
    assert os.access(tmp_path / HANDLER, os.X_OK)


def test_a_teams_own_table_of_routes_is_at_the_bundles_root(tmp_path: Path) -> None:
    table = assets.ROOT / "claude_core/routes.json"
    assets.bundle("service_src", host(), tmp_path, files={"routes.json": table})
    assert (tmp_path / "routes.json").read_bytes() == table.read_bytes()


IMPORTED = {
    "lambda_src": "from lambda_src import api; print(len(api.ROUTES))",
    "service_src": (
        "import service_src.app, service_src.orchestrate, service_src.__main__, uvicorn\n"
        "print('up')"
    ),
}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_hosts_bundle_answers_with_nothing_else_on_the_path(
    tmp_path: Path, package: str
) -> None:
    assets.bundle(package, host(), tmp_path, Path(sys.executable))
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        f"{IMPORTED[package]}\n"
        "assert 'boto3' not in sys.modules and 'botocore' not in sys.modules\n"
        "assert 'anthropic.types.message' not in sys.modules, 'the whole SDK was imported'"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("5", "up")
