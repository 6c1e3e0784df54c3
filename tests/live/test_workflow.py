"""Workflows as a user meets them: `kit workflow`, and the deployed durable function behind it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from local.fake_claude.remote import Fake
from local.paths import ROOT
from tests.core.asking import asked
from tests.live.conftest import Deployment

pytestmark = pytest.mark.live


@pytest.fixture
def claude(only_local: Deployment) -> Iterator[Fake]:
    fake = Fake(only_local.outputs["Local"]["ClaudeUrl"])
    yield fake
    fake.plan([])


def run(*arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "kit.main", "workflow", *arguments, "--local"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def read(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_a_workflow_goes_on_where_it_had_to_wait_and_asks_for_nothing_twice(claude: Fake) -> None:
    before = asked(claude)
    claude.plan(
        [
            {"name": "answer", "text": "- faster"},
            "overloaded",
            {"name": "answer", "text": "It is faster."},
        ]
    )
    found = read("run", "release_note", "+ cache", "--client", "local")
    assert found["status"] == "SUCCEEDED"
    assert found["result"]["output"] == {"facts": "- faster", "note": "It is faster."}
    assert asked(claude) - before == 3, "the first step once, the second twice"
    assert read("show", found["id"])["result"] == found["result"]


def test_several_at_once_are_joined_and_the_whole_is_shown(claude: Fake) -> None:
    before = asked(claude)
    done = run("run", "reviewed", "We deliver on Monday.", "--client", "local")
    assert "Which three matter most?" in done.stdout
    assert "$" not in done.stdout, "the output alone, for a pipe"
    assert "begun; kit workflow show" in done.stderr
    assert " · $0.00" in done.stderr
    assert asked(claude) - before == 4


def test_what_cannot_be_is_one_sentence(claude: Fake) -> None:
    before = asked(claude)
    for arguments, says in (
        (("missing", "x", "--client", "local"), "workflow: one of release_note, reviewed"),
        (("reviewed", "x", "--client", "nobody"), "there is no client 'nobody'"),
        (("reviewed", "x", "--client", "local", "--most", "0.00001"), "this work may cost"),
    ):
        assert says in run("run", *arguments, code=1).stderr
    assert asked(claude) == before
