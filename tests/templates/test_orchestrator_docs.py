"""The orchestrator page says what the code and the templates say."""

import re

import pytest

from claude_core.routes import Table
from claude_core.routing import classifier, conversations, policy, router
from claude_core.routing.choice import Reason
from stacks.config import DEV, PROD
from stacks.orchestrator import FEWEST
from tests.synth import ROOT, template
from tests.templates.test_telemetry import metrics_of

PAGE = (ROOT / "docs/patterns/orchestrator.md").read_text()
FLAT = " ".join(PAGE.split())
SNAPSHOT, ALARM = 6.84, 0.10


def test_each_route_on_the_page_is_the_one_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\d+) \| (on|off)", PAGE, re.MULTILINE)
    shown = {intent: (model, int(most)) for intent, model, most, _ in rows}
    table = Table.own()
    on = {name: (route.model, route.max_tokens) for name, route in table.routes.items()}
    assert {intent for intent, _, _, state in rows if state == "on"} == set(on)
    assert {intent: shown[intent] for intent in on} == on
    assert f"| `{table.default.intent}` " in PAGE.split("; the default |")[0].splitlines()[-1]


def test_each_reason_is_explained() -> None:
    listed = PAGE.split("| `reason` | |")[1].split("\n\n")[0]
    assert re.findall(r"^\| ([^|-]+?) \|", listed, re.MULTILINE) == [str(one) for one in Reason]


def test_each_number_of_the_choice_is_that_of_the_code() -> None:
    for said in (
        f"{router.CLASSIFIED_S:g} s at most and {classifier.MAX_TOKENS} tokens",
        f"first {classifier.HEAD} and the last {classifier.TAIL} characters",
        f"more than {classifier.LONGEST_ANSWER} characters",
        f"less than {policy.LITTLE:.0%}".replace("%", " %"),
        f"for {conversations.WARM_S:g} s after its last answer",
        f"{router.REMEMBERED} of them",
        f"{DEV.stream_answer_timeout_s} s for a whole answer",
        f"{DEV.stream_timeout_s} s for a stream",
        f"function's {DEV.stream_function_timeout_s} s",
        f"when {DEV.classifier_failures_percent} % of ten or more",
    ):
        assert said in FLAT, said
    assert (FEWEST, router.KEPT_S, conversations.TOOL_S) == (10, 3_600, 3_600)
    assert conversations.PATIENCE_S == 0.5


@pytest.mark.parametrize("column", [0, 1])
def test_each_cost_on_the_page_follows_from_the_template_and_the_prices(column: int) -> None:
    config = (DEV, PROD)[column]
    rows = re.findall(r"^\| ([^|\n]*) \| \**([\d.]+)\** \| \**([\d.]+)\** \|$", PAGE, re.MULTILINE)
    shown = [float(row[1 + column]) for row in rows]
    found = template(config.environment, "OrchestratorStack")
    alarms = found.of_type("AWS::CloudWatch::Alarm").values()
    counted = sum(len(metrics_of(alarm)) for alarm in alarms)
    assert f"{len(alarms)} alarms over {counted} metrics" in PAGE
    costs = [
        counted * ALARM,
        sum(5.0 + len(acl["Rules"]) for acl in found.of_type("AWS::WAFv2::WebACL").values()),
        sum("SnapStart" in one for one in found.of_type("AWS::Lambda::Function").values())
        * SNAPSHOT,
    ]
    assert shown == pytest.approx([*costs, sum(costs)], abs=0.001)


def test_the_readme_says_what_the_page_says() -> None:
    (dev, prod) = re.findall(r"\*\*together\*\* \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\*", PAGE)[0]
    row = f"#what-it-costs-idle) | {dev} | {prod} |"
    assert row in (ROOT / "README.md").read_text()
