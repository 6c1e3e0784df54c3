"""The README's lines for AWS, from the key on, against what `make local` deploys."""

import os
import re
import subprocess

import pytest

from local.paths import ROOT
from tests.live.conftest import Deployment

pytestmark = pytest.mark.live
README = (ROOT / "README.md").read_text()
(LINES,) = re.findall(r"## On AWS: six lines\n.*?```\n(.*?)```", README, re.DOTALL)


def test_six_lines_of_the_readme_end_with_an_answer(only_local: Deployment) -> None:
    """As printed, but for what needs AWS (install, bootstrap, deploy), the key that is asked for,
    the name of the client and `--local`."""
    lines = LINES.strip().splitlines()
    assert len(lines) == 6
    mine = [line for line in lines if "kit " in line.split("#")[0]]
    assert [line.split("kit ")[1].split()[0] for line in mine] == ["key", "clients", "ask"]
    _, add, ask = (
        re.sub(r"kit ((?:[^)#])+?)(?=\s*(?:#|\)|$))", r"kit \1 --local", one) for one in mine
    )
    script = "\n".join(["set -eu", add.replace("my-app", f"readme-{os.getpid()}"), ask])
    environment = os.environ | {"PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ck_" not in done.stdout, "the key went into the variable"
    assert done.stdout.strip()
