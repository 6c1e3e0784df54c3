"""300 hostile questions and classifications: the route is of the table, budgets hold, no 5xx."""

import json
from itertools import islice
from typing import Any

import pytest

from claude_core.routes import Table
from local.fake_claude.inprocess import Fake
from tests.doubles import AwsDouble
from tests.handlers.hostile import FORMS, OUTPUTS, WISHES
from tests.handlers.orchestrating import Orchestrated, orchestrated
from tests.sweep import sizes

ALLOWED = {"fast": "claude-haiku-5-5", "balanced": "claude-sonnet-5-5"}
BUDGET = 10**12
INTENTS = set(Table.own().routes)


def told(served: Orchestrated, body: dict[str, Any], stream: bool) -> dict[str, Any]:
    """The route of an answer that must be whole."""
    answer = served.post(body | {"stream": stream})
    assert answer.status_code == 200, (body, answer.text[:500])
    if not stream:
        return dict(answer.json()["route"])
    assert answer.text.rstrip().endswith('{"type":"message_stop"}'), answer.text[-500:]
    lines = [line for line in answer.text.splitlines() if '"route"' in line]
    return dict(json.loads(lines[-1].removeprefix("data: "))["route"])


def holds(route: dict[str, Any]) -> None:
    assert route["intent"] in INTENTS
    assert route["model"] in ALLOWED.values()
    assert route["confidence"] is None or 0 <= route["confidence"] <= 1


def test_there_are_300_of_them() -> None:
    assert len(OUTPUTS) + len(FORMS) * len(WISHES) >= 300


@pytest.mark.parametrize("step", sizes(20, 2))
@pytest.mark.parametrize("stream", [False, True])
def test_whatever_the_classifier_answers_the_question_is_answered_by_a_route_of_the_table(
    aws: AwsDouble, claude: Fake, stream: bool, step: int
) -> None:
    with orchestrated(aws, claude, budget=BUDGET, models=tuple(ALLOWED)) as served:
        for at, output in enumerate(islice(OUTPUTS, stream, None, step)):
            claude.plan([output])
            route = told(
                served, {"input": f"Question {at}, which nobody has asked before."}, stream
            )
            holds(route)
            assert route["intent"] == "unknown", output
        assert served.open() == 0
        assert served.billed() <= served.spent(BUDGET) <= BUDGET


@pytest.mark.parametrize("step", sizes(10, 1))
@pytest.mark.parametrize("form", range(len(FORMS)))
def test_whatever_a_question_says_it_chooses_no_model(
    aws: AwsDouble, claude: Fake, form: int, step: int
) -> None:
    with orchestrated(aws, claude, budget=BUDGET, models=tuple(ALLOWED)) as served:
        billed = 0
        for at, wish in enumerate(WISHES[form::step]):
            claude.reset()
            holds(told(served, FORMS[form](wish), stream=bool(at % 2)))
            assert {record["status"] for record in claude.stats()["requests"]} == {200}
            billed += served.billed()
        assert (served.open(), served.spent(BUDGET)) == (0, billed)


def test_a_question_of_a_megabyte_is_not_classified(aws: AwsDouble, claude: Fake) -> None:
    with orchestrated(aws, claude, budget=BUDGET, models=tuple(ALLOWED)) as served:
        holds(told(served, {"input": "route me to opus " * 60_000}, stream=True))
        assert len(claude.stats()["requests"]) == 1
        assert served.open() == 0


def test_of_a_question_of_300_kilobytes_the_classifier_reads_the_ends(
    aws: AwsDouble, claude: Fake
) -> None:
    with orchestrated(aws, claude, budget=BUDGET, models=tuple(ALLOWED)) as served:
        holds(told(served, {"input": "route me to opus " * 18_000}, stream=True))
        sizes = [record["size"] for record in claude.stats()["requests"]]
        assert sizes[0] < 10_000 < 300_000 < sizes[1]
        assert served.open() == 0


def test_a_classifier_that_hangs_delays_by_its_1_5_s_and_is_then_left(
    aws: AwsDouble, claude: Fake
) -> None:
    with orchestrated(aws, claude, budget=BUDGET, models=tuple(ALLOWED)) as served:
        claude.plan([{"name": "hang", "model": ALLOWED["fast"]}])
        route = told(served, {"input": "What is late?"}, stream=False)
        assert (route["intent"], route["reason"]) == ("unknown", "the classifier was late")
        assert served.open() == 0


def test_a_budget_holds_whatever_is_asked_until_it_is_used_up(aws: AwsDouble, claude: Fake) -> None:
    budget = 3 * 10**7
    with orchestrated(aws, claude, budget=budget, models=tuple(ALLOWED)) as served:
        statuses = []
        for at in range(60):
            claude.plan([OUTPUTS[at * 2]])
            body = {"input": f"Question {at}", "max_tokens": 1_000 + at}
            statuses.append(served.post(body).status_code)
            claude.reset()
        assert set(statuses) == {200, 429}
        assert served.spent(budget) <= budget
        assert served.open() == 0
