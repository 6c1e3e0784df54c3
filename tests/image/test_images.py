"""The images as they stand: small, locked down, and they end when they are told to."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_core.jobs.settings import JobSettings
from claude_core.settings import Settings
from local.processes import free_port
from stacks.config import DEV
from stacks.parts.worker import worker_settings
from stacks.websocket import chat_settings
from tests.image.engine import Engine, Running

pytestmark = pytest.mark.image
PACKAGES = ("service_src", "worker_src")
STARTED_S, ENDED_S = 30, 10
LIMIT_MB = 120
"""Of what the image adds to its base."""
AARCH64, MACHINE_AT = 0xB7, 18
"""e_machine of an ELF header: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html"""
NOTHING = "http://127.0.0.1:9"
SECRETS = re.compile(
    r"sk-ant-[\w-]{20}|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|ck_[\w-]{43}"
)


@pytest.fixture(scope="session", params=PACKAGES)
def package(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def image(engine: Engine, package: str) -> str:
    tag = f"kit-image-test-{package.partition('_')[0]}"
    engine.build(f"{package}/Dockerfile", tag)
    return tag


@pytest.fixture(scope="session")
def files(engine: Engine, image: str) -> Path:
    return engine.unpacked(image)


@pytest.fixture
def running(engine: Engine, image: str, package: str) -> Iterator[Running]:
    with engine.running(image, free_port(), env(package)) as one:
        yield one


def env(package: str) -> dict[str, str]:
    """All that a task is told; AWS and Claude are nowhere."""
    names = ("service", "clients_table", "history_table", "alarm_topic", "claude_secret")
    times = {f"{name}_timeout_s": "20" for name in ("answer", "request", "stream")}
    settings = Settings(**dict.fromkeys(names, "none"), **times, claude_url=NOTHING, ping_s="15")
    aws = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": NOTHING}
    keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    told = {"service_src": chat, "worker_src": work}[package]()
    return {**settings.to_env(), **told, **aws, **keys}


def chat() -> dict[str, str]:
    return chat_settings(DEV, "none").to_env()


def work() -> dict[str, str]:
    places = ("jobs_table", "files_bucket", "event_bus")
    queues = [f"{lane}_{kind}" for lane in ("now", "long", "batch") for kind in ("queue", "dlq")]
    jobs = JobSettings(**dict.fromkeys((*places, *queues), "none"))
    return {**jobs.to_env(), **worker_settings(DEV)["now"].to_env()}


def test_it_is_healthy_and_ends_with_0_soon_after_sigterm(running: Running) -> None:
    end = time.monotonic() + STARTED_S
    while not running.lives():
        assert time.monotonic() < end
        time.sleep(0.1)
    assert running.terminate(ENDED_S) == 0


def test_it_runs_as_a_numeric_user_who_is_not_root_and_without_a_shell(
    engine: Engine, image: str, package: str
) -> None:
    """Kubernetes and Fargate can prove only a number not to be root's; a shell eats SIGTERM."""
    config = engine.config(image)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", config["User"])
    assert config["Cmd"] == ["python", "-m", package]
    assert not config.get("Entrypoint")


def test_nothing_that_it_brings_can_be_written_by_the_one_it_runs_as(files: Path) -> None:
    ours = [path for part in ("app", "venv") for path in (files / part).rglob("*")]
    assert ours
    assert not [path for path in ours if not path.is_symlink() and path.stat().st_mode & 0o022]


def test_only_the_packages_the_core_and_its_own_code_are_in_it(files: Path, package: str) -> None:
    assert {path.name for path in (files / "app").iterdir()} == {"claude_core", package}
    assert not list((files / "venv").rglob("pip"))
    caches = [*files.glob("root/.cache/*"), *files.glob("home/*"), *files.glob("tmp/*")]
    assert not caches


def test_every_module_is_compiled_so_that_a_read_only_task_starts_fast(files: Path) -> None:
    for part in ("app", "venv"):
        modules = list((files / part).rglob("*.py"))
        assert modules
        assert len(list((files / part).rglob("*.cpython-313.pyc"))) == len(modules)


def test_no_secret_and_no_index_of_the_builder_is_in_it(
    engine: Engine, image: str, files: Path
) -> None:
    assert not (files / "etc" / "pip.conf").exists()
    assert not SECRETS.search(str(engine.config(image)))
    for path in [path for path in (files / "app").rglob("*") if path.is_file()]:
        assert not SECRETS.search(path.read_text(errors="replace")), path


def test_it_is_small(files: Path, package: str, capsys: pytest.CaptureFixture[str]) -> None:
    def size_mb(folder: Path) -> float:
        names = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]  # noqa: PTH118
        return sum(os.lstat(name).st_size for name in names) / 1e6

    added, whole = size_mb(files / "venv") + size_mb(files / "app"), size_mb(files)
    with capsys.disabled():
        print(f"\n{package}: {whole:.0f} MB, of which {added:.0f} MB are not its base")
    assert added < LIMIT_MB


def test_an_arm64_image_gets_arm64_libraries_whatever_builds_it(
    engine: Engine, package: str
) -> None:
    tag, arm64 = f"kit-image-arm-{package.partition('_')[0]}", ("--build-arg", "TARGETARCH=arm64")
    engine.build(f"{package}/Dockerfile", tag, "--target", "build", *arm64)
    libraries = sorted((engine.unpacked(tag) / "venv").rglob("*.so"))
    assert libraries
    for library in libraries:
        assert (
            int.from_bytes(library.read_bytes()[MACHINE_AT : MACHINE_AT + 2], "little") == AARCH64
        )
