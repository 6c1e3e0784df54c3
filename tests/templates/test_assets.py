"""A bundle's name changes with what is in it, and with nothing else."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Annotations, Match

from stacks.config import DEV, PROD, Config, Target
from stacks.parts import assets, task
from stacks.parts.bytecode import target_python

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
    "changed", ["claude_core/client.py", "claude_core/routes.json", "lambda_src/requirements.lock"]
)
def test_a_change_of_source_or_lock_is_a_new_name(copy: Path, changed: str) -> None:
    before = now()
    path = copy / changed
    path.write_text(path.read_text() + "\n")
    assert now() != before


def test_what_else_a_bundle_holds_is_part_of_its_name(copy: Path, tmp_path: Path) -> None:
    def named(at: str, text: str) -> str:
        (tmp_path / "routes.json").write_text(text)
        return assets.bundle_hash("lambda_src", ARM, {at: tmp_path / "routes.json"})

    assert len({now(), named("a.json", "1"), named("b.json", "1"), named("a.json", "2")}) == 4


def test_a_new_or_renamed_source_is_a_new_name(copy: Path) -> None:
    before = now()
    (copy / "claude_core" / "clients.py").rename(copy / "claude_core" / "callers.py")
    assert now() != before


def test_target_and_bytecode_are_part_of_the_name(copy: Path) -> None:
    other = Target(python="3.14", platform=ARM.platform)
    host = Target(python=ARM.python, platform="x86_64-manylinux_2_28")
    assert len({now(), now(other), now(host), now(bytecode=True)}) == 4


@pytest.fixture
def image_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for package in ("claude_core", "service_src"):
        shutil.copytree(assets.ROOT / package, tmp_path / package)
    monkeypatch.setattr(task, "ROOT", tmp_path)
    return tmp_path


def image(config: Config = DEV) -> str:
    made = task.image(Stack(App(), "Stack"), "Image", package="service_src", config=config)
    return made.asset_hash


def test_an_image_has_a_new_name_when_what_is_in_it_changes_and_for_nothing_else(
    image_context: Path,
) -> None:
    before = image()
    for other in ("README.md", "stacks/config.py", "claude_core/__pycache__/x.pyc"):
        path = image_context / other
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    for unread in ("service_src/requirements.lock", "service_src/requirements.in"):
        (image_context / unread).write_text("x")
    assert image() == before
    changed = [image(replace(DEV, base_image="python:3.13-slim@sha256:" + "1" * 64))]
    for source in ("claude_core/client.py", "service_src/app.py", "service_src/Dockerfile"):
        path = image_context / source
        path.write_text(path.read_text() + "\n")
        changed.append(image())
    assert len({before, *changed}) == 5


def bundled(config: Config, monkeypatch: pytest.MonkeyPatch) -> Annotations:
    """What a stack says when its code is bundled, on a machine without the target's Python."""
    monkeypatch.setattr(assets, "target_python", lambda version: None)
    monkeypatch.setattr(assets, "bundle", lambda *_: None)
    app = App(context={"aws:cdk:bundling-stacks": ["**"]})
    stack = Stack(app, "Stack")
    assets.lambda_code(stack, "lambda_src", config)
    return Annotations.from_stack(stack)


def test_without_the_targets_python_dev_says_so_and_prod_does_not_deploy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    says = Match.string_like_regexp("no Python 3.13 .* uv python install 3.13")
    bundled(DEV, monkeypatch).has_info("*", says)
    bundled(PROD, monkeypatch).has_error("*", says)


def test_target_python_names_one_or_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    target_python.cache_clear()
    monkeypatch.setenv("TARGET_PYTHON", sys.executable)
    assert target_python(here) == Path(sys.executable)
    monkeypatch.setenv("TARGET_PYTHON", str(tmp_path / "none"))
    target_python.cache_clear()
    with pytest.raises(SystemExit, match=f"not a Python {here}"):
        target_python(here)
    monkeypatch.delenv("TARGET_PYTHON")
    target_python.cache_clear()
    assert target_python(here) == Path(sys.executable)
