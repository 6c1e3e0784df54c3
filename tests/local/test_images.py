"""Without an engine, a task is what its Dockerfile says: the lock, the command, the environment."""

import json
import subprocess
from pathlib import Path

import pytest

from local.cloud import DOCKER
from local.images import find, read
from local.paths import ROOT

PROGRAM = ROOT / "tests" / "local" / "program" / "Dockerfile"


def test_the_last_stage_says_what_starts_and_in_which_environment(tmp_path: Path) -> None:
    image = read(tmp_path, PROGRAM)
    assert image.command == ["python", "-m", "program"]
    assert image.env == {"TOLD_BY": "image", "OVERRIDDEN": "image"}
    assert image.lock == tmp_path / "program" / "container.lock"


def test_the_chat_services_own_dockerfile_is_read() -> None:
    image = read(ROOT, ROOT / "service_src" / "Dockerfile")
    assert image.command == ["python", "-m", "service_src"]
    assert image.lock.is_file()
    assert image.env["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.parametrize(
    "text", ['FROM x\nCMD ["a"]', "FROM x\nCOPY a.lock /\n", 'FROM x\nCMD ["a"]\nFROM y\n']
)
def test_one_that_could_not_be_run_here_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "Dockerfile").write_text(text)
    with pytest.raises(SystemExit, match="Dockerfile: needs"):
        read(tmp_path, tmp_path / "Dockerfile")


def test_an_image_is_found_by_the_tag_that_the_task_definition_names(tmp_path: Path) -> None:
    staged = tmp_path / "asset.abc" / "program"
    staged.mkdir(parents=True)
    (staged / "Dockerfile").write_text(PROGRAM.read_text())
    source = {"directory": "asset.abc", "dockerFile": "program/Dockerfile"}
    manifest = {"files": {}, "dockerImages": {"abc": {"source": source}}}
    (tmp_path / "One.assets.json").write_text(json.dumps(manifest))
    uri = "000000000000.dkr.ecr.us-east-1.amazonaws.com/cdk-assets-us-east-1:abc"
    assert find(tmp_path, uri).folder == tmp_path / "asset.abc"
    with pytest.raises(SystemExit, match="is no image of this deployment"):
        find(tmp_path, "public.ecr.aws/xray/daemon:latest")


def test_the_stand_in_for_docker_does_what_a_deploy_asks_and_says_no_to_the_rest() -> None:
    for words in (["build", "."], ["push", "x"], ["login"], ["tag", "x", "y"], ["inspect", "x"]):
        assert subprocess.run([DOCKER, *words], check=False).returncode == 0
    refused = subprocess.run([DOCKER, "run", "x"], capture_output=True, text=True, check=False)
    assert (refused.returncode, "no container engine" in refused.stderr) == (1, True)
