"""What `kit router eval` sends, what that costs, and what it does where there is no verdict."""

import json
from pathlib import Path

import pytest

from claude_core.routing.classifier import classification
from kit.router import asking
from local.fake_claude.inprocess import Fake
from tests.kit.router_rows import (
    ROWS,
    TABLE,
    Kit,
    calls,
    figures,
    row,
    said,
    shown,
    unmarked,
    write,
)


def test_what_is_sent_is_what_the_router_sends_and_each_question_is_asked_once(
    kit: Kit, claude: Fake, questions: Path
) -> None:
    figures(kit, questions, "--parallel", "1")
    bodies = [claude.body(one["id"]) for one in claude.stats()["requests"]]
    expected = [classification(TABLE, text).wire for text in ("hi", *(one["text"] for one in ROWS))]
    assert bodies == expected


def test_the_cost_is_that_of_the_answers_and_waking_is_told_apart(
    kit: Kit, claude: Fake, questions: Path
) -> None:
    usage = {"input_tokens": 1_000, "output_tokens": 20}  # 100,000 and 10,000 nano-dollars
    claude.plan([{"name": "answer", "usage": usage}], repeat=True)
    costs = figures(kit, write(questions, unmarked(ROWS)), "--parallel", "2")["cost_usd"]
    assert costs == {
        "classifying": pytest.approx(5 * 0.00011),
        "per_1000_questions": pytest.approx(0.11),
        "unanswered_at_most": 0,
        "waking": pytest.approx(2 * 0.00011),
    }


def test_late_failed_and_unreadable_verdicts_are_wrong_and_said_so(
    kit: Kit, questions: Path, tmp_path: Path
) -> None:
    rows = [
        row("unknown", "[[fake:delay_ms=30000]]", 0),
        row("unknown", "[[fake:overloaded]]", 1),
        row("unknown", "[[fake:text=unknown]]", 2),
        row("unknown", "[[fake:refusal]]", 3),
        row("unknown", "[[fake:reset]]", 4),
        row("unknown", said("unknown"), 5),
    ]
    path = write(questions, rows)
    text = shown(kit, path, "--late", "0.5", "--json", str(tmp_path / "out.json"))
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["failures"] == {
        "the classifier was late": 1,
        "the classifier failed": 2,
        "the classifier's answer was no intent": 1,
        "the classifier refused": 1,
    }
    assert found["accuracy"]["right"] == 1
    assert found["confusion"]["unknown"]["no verdict"] == 5
    assert found["latency_s"]["together"]["p95"] >= 0.5
    # What the late one and the one that was lost have cost is not known.
    assert found["cost_usd"]["unanswered_at_most"] > 0
    assert "1 counted as wrong: the classifier was late (no answer within 0.5 s)" in text
    assert "2 counted as wrong: the classifier failed" in text
    assert "those without an answer at most $" in text


def test_a_clients_limit_is_waited_for_and_not_taken_for_a_failure(
    kit: Kit, claude: Fake, questions: Path
) -> None:
    later = {"name": "rate_limited", "should_retry": "true", "retry_after": "0"}
    claude.plan([{"name": "answer"}, later])
    text = shown(kit, write(questions, unmarked(ROWS)), "--parallel", "1")
    assert calls(claude) == 1 + 1 + len(ROWS)
    assert "counted as wrong" not in text
    assert "goes on in 1 s; to be faster, ask fewer at once" in text


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ({"name": "unauthenticated"}, "401 invalid x-api-key"),
        ({"name": "forbidden"}, "403 "),
        ({"name": "bad_request"}, "400 "),
        ({"name": "spend_cap", "should_retry": "false"}, "429 Your organization has reached"),
        ({"name": "unavailable", "should_retry": "false"}, "503 Service unavailable"),
    ],
)
def test_who_would_be_refused_all_along_is_told_before_the_first_question(
    kit: Kit, claude: Fake, questions: Path, kept: Path, behaviour: dict[str, str], says: str
) -> None:
    claude.plan([behaviour], repeat=True)
    assert says in shown(kit, questions, "--parallel", "1", code=1)
    assert calls(claude) == 1
    assert not kept.exists()


def test_a_budget_that_ends_in_the_middle_says_how_far_it_came(
    kit: Kit, claude: Fake, questions: Path
) -> None:
    answers, over = ["answer"] * 3, {"name": "spend_cap", "should_retry": "false"}
    claude.plan([*answers, over])
    told = shown(kit, write(questions, unmarked(ROWS)), "--parallel", "1", code=1)
    assert "2 of 5 were asked; nothing is kept of them" in told


def test_a_deployment_that_is_not_there_is_said_so(
    kit: Kit, questions: Path, outputs: Path
) -> None:
    written = json.loads(outputs.read_text())
    written["ServerlessStack"]["ApiUrl"] = "http://127.0.0.1:1/prod/"
    outputs.write_text(json.dumps(written))
    assert "http://127.0.0.1:1 cannot be reached" in shown(kit, questions, code=1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--picture", "matrix.png"], "ends in .svg"),
        (["--fail-under", "90"], "a share from 0 to 1"),
        (["--late", "0"], "must be above 0"),
        (["--routes", "none.json"], "--routes none.json: cannot be read"),
        (["--split", "tests"], "Invalid value for '--split'"),
        (["--parallel", "0"], "Invalid value for '--parallel'"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_asked(
    kit: Kit, claude: Fake, questions: Path, options: list[str], says: str
) -> None:
    assert says in shown(kit, questions, *options, code=2)
    assert calls(claude) == 0


def test_a_place_that_cannot_be_written_is_told_after_the_figures(
    kit: Kit, questions: Path
) -> None:
    told = shown(kit, questions, "--picture", str(questions / "matrix.svg"), code=2)
    assert "by route" in told
    assert "cannot be written" in told


def test_no_key_says_how_to_get_one(kit: Kit, questions: Path, outputs: Path) -> None:
    written = json.loads(outputs.read_text())
    written["Local"]["ClientKey"] = ""
    outputs.write_text(json.dumps(written))
    assert "kit clients add NAME" in shown(kit, questions, code=2)


def test_a_client_whose_minute_others_use_up_does_not_wait_for_ever(
    kit: Kit, claude: Fake, questions: Path
) -> None:
    claude.plan([{"name": "rate_limited", "should_retry": "true", "retry_after": "0"}], repeat=True)
    told = shown(kit, write(questions, unmarked(ROWS)), "--parallel", "1", code=1)
    assert "429 This request would exceed" in told
    assert "kit clients set NAME --rpm 1000" in told
    assert calls(claude) == 1 + asking.MOST_WAITS


def test_where_the_orchestrator_alone_is_deployed_its_own_route_is_asked_by_name(
    kit: Kit, claude: Fake, questions: Path, outputs: Path
) -> None:
    """The fake knows no such route, so that it says which one was asked."""
    written = json.loads(outputs.read_text())
    written["OrchestratorStack"] = {"ApiUrl": written.pop("ServerlessStack")["ApiUrl"] + "/"}
    outputs.write_text(json.dumps(written))
    kit("router", "eval", str(questions), "--parallel", "1")
    assert {one["path"] for one in claude.stats()["requests"]} == {"/v1/orchestrate"}


def test_the_table_that_is_deployed_is_the_one_that_is_measured(
    kit: Kit, questions: Path, outputs: Path
) -> None:
    written = json.loads(outputs.read_text())
    written["OrchestratorStack"] = {"ApiUrl": "http://127.0.0.1:1", "RoutesFile": "docs/gotchas.md"}
    outputs.write_text(json.dumps(written))
    told = kit("router", "eval", str(questions))
    assert told.exit_code == 2
    assert "routes: gotchas.md, as deployed" in told.output
    assert "not JSON" in told.output or "docs/gotchas.md: " in told.output
