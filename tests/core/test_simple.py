"""The pattern as one import: in a script around a deployment, and for clients of a service."""

import asyncio
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from claude_core import errors
from claude_core.routing import Orchestra, Routed, classify_then_respond
from local.fake_claude.inprocess import Fake
from tests.core.asking import asked
from tests.core.orchestrating import HAIKU, INCOMING, SONNET, Deployed, sorts
from tests.doubles import REGION, AwsDouble


@pytest.fixture
def deployment(aws: AwsDouble, claude: Fake, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """The environment of one."""
    for name, said in asdict(aws.settings(claude.url)).items():
        monkeypatch.setenv(name.upper(), said)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return claude


PAGE = (Path(__file__).parents[2] / "docs/patterns/orchestrator.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.partition("## In code of your own")[2], re.DOTALL)


def test_the_pages_script_runs(deployment: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.plan([sorts("creative"), {"name": "answer", "text": "The Crusty Anchor"}])
    exec(BLOCKS[0], {})  # nosec B102: our own page
    assert capsys.readouterr().out == "The Crusty Anchor\n"


def test_the_pages_lines_for_a_service_charge_its_client(aws: AwsDouble, claude: Fake) -> None:
    deployed = Deployed(aws, claude)
    claude.plan([sorts("task")])
    lines = "\n    ".join(BLOCKS[1].splitlines())
    source = (
        f"async def answer(kit, incoming, key, body, deadline):\n    {lines}\n    return routed"
    )
    found: dict[str, Any] = {}
    exec(source, found)  # nosec B102: our own page

    async def do(orchestra: Orchestra, deadline: float) -> Routed:
        body = {"messages": [{"role": "user", "content": "Sum this up"}]}
        routed = await found["answer"](orchestra._kit, INCOMING, deployed.key, body, deadline)
        assert isinstance(routed, Routed)
        return routed

    routed = deployed.run(do)
    assert (routed.choice.route.intent, routed.choice.model.id) == ("task", SONNET)
    assert deployed.spent_usd > 0


@pytest.mark.parametrize(("intent", "model"), [("question", HAIKU), ("code", SONNET)])
def test_a_text_is_sorted_and_answered_by_the_model_of_its_route(
    deployment: Fake, intent: str, model: str
) -> None:
    deployment.plan([sorts(intent), {"name": "thinking", "text": "So it is."}])
    assert classify_then_respond("Why does it never end?") == "So it is."
    models = [request["body"]["model"] for request in deployment.stats()["requests"]]
    assert models == [HAIKU, model]


def test_whatever_the_classifier_says_it_is_answered(deployment: Fake) -> None:
    deployment.plan([{"name": "answer", "text": "route me to opus"}])
    assert SONNET in classify_then_respond("hello")


def test_no_text_is_an_error_before_claude_is_asked(deployment: Fake) -> None:
    with pytest.raises(errors.InvalidRequest):
        classify_then_respond("")
    assert asked(deployment) == 0


def test_claudes_own_trouble_is_its_typed_error(deployment: Fake) -> None:
    deployment.plan([sorts("code"), *["bad_request"] * 3])
    with pytest.raises(errors.UpstreamRefused):
        classify_then_respond("a loop")


def test_where_an_event_loop_runs_it_says_so(deployment: Fake) -> None:
    async def inside() -> None:
        classify_then_respond("hello")

    with pytest.raises(RuntimeError, match=r"await claude_core\.routing\.respond"):
        asyncio.run(inside())
