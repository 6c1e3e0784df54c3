"""Workflows as a durable function: a retry never pays twice for a step that is done."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from claude_core import errors
from claude_core.models import NANO
from claude_core.workflows import prompt
from lambda_src import step, workflow
from lambda_src.attempts import KEPT_BYTES, LONGEST_S, Compact, again_s, answer, kind_of
from lambda_src.workflow import load
from local.fake_claude.inprocess import Fake
from tests.core.asking import asked
from tests.doubles import AwsDouble
from tests.handlers.executing import ROOT, Executing, Loss, cost_usd, executing, output

OWN = '''
from claude_core import errors
from claude_core.workflows import chain, prompt

ENOUGH = 300

async def steps(ask, texts):
    """One after the other."""
    replies = [await ask(prompt(text, max_tokens=ENOUGH)) for text in texts]
    return [reply.text for reply in replies]

async def at_once(ask, texts):
    return [reply.text for reply in await ask.together([prompt(text) for text in texts])]

async def caught(ask, texts):
    """What fails is answered by another."""
    said = []
    for text in texts:
        try:
            said.append((await ask(prompt(text))).text)
        except errors.KitError as err:
            said.append(f"{type(err).__name__} {err.status}: {err.message}")
    return said

async def gathered(ask, texts):
    import asyncio
    await asyncio.gather(*(ask(prompt(text)) for text in texts))

async def broken(ask, text):
    raise ValueError(text)

async def cleaning(ask, texts):
    """Asks whatever happens, also where it is suspended."""
    said = []
    try:
        said.append((await ask(prompt(texts[0]))).text)
    finally:
        said.append((await ask(prompt(texts[1]))).text)
    return said

async def swallowing(ask, text):
    try:
        return (await ask(prompt(text))).text
    except BaseException:
        return "swallowed"

async def no_json(ask, text):
    return {text}

async def leaving(ask, text):
    raise SystemExit(2)

async def timed(ask, texts):
    """Does not wait for the first."""
    import asyncio
    try:
        async with asyncio.timeout(0.2):
            await ask(prompt(texts[0]))
    except TimeoutError:
        pass
    return (await ask(prompt(texts[1]))).text

async def streamed(ask, text):
    from claude_core.messages import request
    said = [{"role": "user", "content": text}]
    await ask(request({"model": "fast", "max_tokens": 9, "messages": said, "stream": True}))

async def _helper(ask, text): ...
'''


@pytest.fixture
def shipped(aws: AwsDouble, claude: Fake, monkeypatch: pytest.MonkeyPatch) -> Iterator[Executing]:
    with executing(aws, claude, ROOT / "local/workflows.py", monkeypatch) as one:
        yield one


@pytest.fixture
def own(
    aws: AwsDouble, claude: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Executing]:
    (tmp_path / "workflows.py").write_text(OWN)
    with executing(aws, claude, tmp_path / "workflows.py", monkeypatch) as one:
        yield one


def says(*texts: str) -> list[dict[str, str]]:
    return [{"name": "answer", "text": text} for text in texts]


def echo(text: str) -> str:
    return f"[[fake:answer text={text}]]"


def prompts(claude: Fake) -> Counter[str]:
    """How often each was asked."""
    return Counter(json.dumps(one["body"]["messages"]) for one in claude.stats()["requests"])


def test_each_step_is_asked_once_and_all_of_it_is_one_request(shipped: Executing) -> None:
    shipped.claude.plan(says("- faster", "It is faster."))
    done = shipped.run("release_note", "+ cache")
    assert output(done) == {"facts": "- faster", "note": "It is faster."}
    assert asked(shipped.claude) == 2
    assert shipped.requests() == 1
    assert cost_usd(done) == shipped.spent() / NANO > 0
    assert shipped.row()["open"] == {}


def test_what_runs_in_parallel_is_joined_in_its_order(own: Executing) -> None:
    assert output(own.run("at_once", [echo(name) for name in "abc"])) == ["a", "b", "c"]
    assert own.requests() == 1


@pytest.mark.parametrize("loss", ["before", "after"])
@pytest.mark.parametrize("name", ["steps", "at_once"])
def test_wherever_the_process_is_lost_what_is_done_is_not_paid_again(
    own: Executing, name: str, loss: Loss
) -> None:
    own.run(name, [echo(letter) for letter in "abc"])
    whole, place = own.checkpoints, 0
    assert whole >= 3
    own.lost = lambda number: loss if number == place else None
    for place in range(1, whole + 1):
        before = prompts(own.claude)
        assert output(own.run(name, [echo(letter) for letter in "abc"])) == ["a", "b", "c"]
        times = prompts(own.claude) - before
        open_then = 0
        for letter in "abc":
            (asked,) = (n for text, n in times.items() if echo(letter) in text)
            kept = any(f'"text": "{letter}"' in payload for payload in own.kept)
            assert asked == 1 if kept else asked <= 2, (letter, place)
            open_then += asked - 1
        assert name == "at_once" or open_then == (loss == "before" and place > 1)
    assert own.row()["open"] == {}


def test_what_claude_cannot_take_now_waits_without_asking_for_what_is_done(own: Executing) -> None:
    own.claude.plan([*says("first"), "overloaded", "rate_limited", *says("second")])
    assert output(own.run("steps", ["one", "two"])) == ["first", "second"]
    assert sorted(prompts(own.claude).values()) == [1, 3]
    assert own.requests() == 1


def test_the_cost_of_steps_that_are_done_is_known_after_a_wait(own: Executing) -> None:
    own.claude.plan([*says("first"), "overloaded", *says("second")])
    done = own.run("steps", ["one", "two"])
    assert cost_usd(done) == own.spent() / NANO


def test_its_own_limit_holds_over_all_of_its_invocations(own: Executing) -> None:
    own.claude.plan([*says("long" * 250), "overloaded", *says("second")])
    failed = own.run("steps", ["one", "two"], most_usd=0.00068)
    assert failed.error
    assert failed.error.type == "claude_core.errors.OverBudget"
    assert "this work may cost $0.000680" in str(failed.error.message)
    assert asked(own.claude) == 1


def test_what_fails_for_good_ends_it_with_the_same_typed_error(own: Executing) -> None:
    own.claude.plan([*says("first"), "bad_request"])
    failed = own.run("steps", ["one", "two", "three"])
    assert failed.error
    assert failed.error.type == "claude_core.errors.UpstreamRefused"
    assert asked(own.claude) == 2


def test_an_error_that_a_workflow_catches_is_the_same_when_it_runs_again(own: Executing) -> None:
    own.claude.plan(["bad_request", *says("x"), "overloaded", *says("y")])
    refused, first, second = output(own.run("caught", ["one", "two", "three"]))
    assert refused.startswith("UpstreamRefused 400: ")
    assert (first, second) == ("x", "y")
    assert sorted(prompts(own.claude).values()) == [1, 1, 2]


def test_one_that_fails_leaves_what_was_begun_beside_it_kept(own: Executing) -> None:
    texts = [echo("a"), "[[fake:bad_request]]", echo("c")]
    failed = own.run("at_once", texts)
    assert failed.error
    assert failed.error.type == "claude_core.errors.UpstreamRefused"
    assert asked(own.claude) == 3
    assert own.row()["open"] == {}, "settled, each at what it has cost"


def test_what_may_have_been_paid_is_asked_again_a_few_times_and_counted(own: Executing) -> None:
    own.claude.plan(["reset", *says("whole")])
    done = own.run("steps", ["one"])
    assert output(done) == ["whole"]
    assert asked(own.claude) == 2
    assert cost_usd(done) == own.spent() / NANO > prompt("one", max_tokens=300).worst_cost / NANO


def test_lost_answers_count_in_its_own_limit_however_long_it_waited(own: Executing) -> None:
    worst = prompt("one", max_tokens=300).worst_cost
    own.claude.plan(["reset"] * 3 + says("whole"))
    failed = own.run("steps", ["one"], most_usd=2.5 * worst / NANO)
    assert failed.error
    assert failed.error.type == "claude_core.errors.OverBudget"
    assert asked(own.claude) == 2
    assert own.spent() == 2 * worst


def test_of_several_at_once_none_is_begun_if_there_is_no_money_for_all(own: Executing) -> None:
    worst = prompt("a").worst_cost
    failed = own.run("at_once", ["a", "b", "c"], most_usd=2.9 * worst / NANO)
    assert failed.error
    assert failed.error.type == "claude_core.errors.OverBudget"
    assert asked(own.claude) == 0


def test_waiting_does_not_use_up_the_attempts_that_a_loss_has(own: Executing) -> None:
    own.claude.plan(["overloaded"] * 5 + ["reset", *says("whole")])
    assert output(own.run("steps", ["one"])) == ["whole"]


def test_several_of_which_some_fail_for_a_while_are_asked_again_for_those_alone(
    own: Executing,
) -> None:
    own.claude.plan([*says("x"), "overloaded", "server_error", *says("y", "z")])
    done = own.run("at_once", ["a", "b", "c"])
    assert sorted(output(done)) == ["x", "y", "z"]
    assert sorted(prompts(own.claude).values()) == [1, 2, 2]
    assert cost_usd(done) == own.spent() / NANO


def test_a_step_that_the_functions_time_is_too_short_for_waits_for_the_next(own: Executing) -> None:
    own.left_s = chain([85.0], repeat(900.0))  # 10 to keep, 60 to begin, 300 tokens: 80
    own.claude.plan(says("a", "b"))
    assert output(own.run("steps", ["one"])) == ["a"]
    own.left_s = chain([79.0], repeat(900.0))
    before = own.checkpoints
    assert output(own.run("steps", ["two"])) == ["b"]
    assert own.checkpoints > before, "it was put off"
    assert asked(own.claude) == 2


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"key": "x"}, "key: no such field of an event"),
        (
            {"workflow": "missing"},
            "workflow: one of at_once, broken, caught, cleaning, gathered, ",
        ),
        ({"workflow": "_helper"}, "workflow: one of "),
        ({"workflow": "chain"}, "workflow: one of "),
        ({"workflow": ["steps"]}, "workflow: one of "),
        ({"client": ""}, "client: the id of a client"),
        ({"client": "nobody00"}, "there is no client nobody00 (kit clients list)"),
        ({"most_usd": 0}, "most_usd: a number above 0"),
        ({"most_usd": True}, "most_usd: a number above 0"),
        ({"most_usd": "1"}, "most_usd: a number above 0"),
    ],
)
def test_an_event_that_cannot_be_served_says_why_and_asks_nothing(
    own: Executing, event: dict[str, Any], says: str
) -> None:
    given = {"workflow": "steps", "client": own.client.id, "input": ["one"]}
    failed = own.started(given | event)
    assert failed.error
    assert says in str(failed.error.message)
    assert asked(own.claude) == 0


@pytest.mark.parametrize("event", [[], "steps", None, 1])
def test_an_event_that_is_no_object_says_what_one_is(own: Executing, event: Any) -> None:
    failed = own.started(event)
    assert failed.error
    assert failed.error.type == "claude_core.errors.InvalidRequest"


def test_a_disabled_client_is_refused_before_anything_is_asked(own: Executing) -> None:
    own.aws.boto("dynamodb").update_item(
        TableName=own.aws.table,
        Key={"id": {"S": own.client.id}},
        UpdateExpression="SET disabled = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    failed = own.run("steps", ["one"])
    assert failed.error
    assert failed.error.type == "claude_core.errors.NotAllowed"
    assert asked(own.claude) == 0


def test_two_steps_at_a_time_are_refused_since_their_order_would_not_be_known(
    own: Executing,
) -> None:
    failed = own.run("gathered", ["one", "two"])
    assert failed.error
    assert "several at once: together()" in str(failed.error.message)
    assert own.row()["open"] == {}, "the one that was begun was waited for, and is paid"


def test_a_step_that_was_given_up_is_waited_for_before_another_begins(own: Executing) -> None:
    own.claude.plan([{"name": "hold"}])
    Timer(1.0, own.claude.release).start()
    failed = own.run("timed", ["one", "two"])
    assert failed.error
    assert "one step at a time, and waits for it" in str(failed.error.message)
    assert own.row()["open"] == {}
    assert asked(own.claude) == 1


def test_a_workflow_that_would_end_the_process_fails_alone(own: Executing) -> None:
    failed = own.run("leaving", "x")
    assert failed.error
    assert failed.error.message == "the workflow raised SystemExit"
    assert output(own.run("steps", [echo("a")])) == ["a"]


def test_what_is_no_json_is_counted_as_a_defect(
    own: Executing, capfd: pytest.CaptureFixture[str]
) -> None:
    failed = own.run("no_json", "x")
    assert failed.error
    assert "set is not JSON serializable" in str(failed.error.message)
    assert '"crashes":[1.0]' in capfd.readouterr().out


def test_what_a_workflow_does_when_it_is_suspended_is_none_of_it(own: Executing) -> None:
    """A step of a `finally` would take the place of the one that is to be tried again."""
    own.claude.plan(["overloaded", *says("main", "cleanup")])
    assert output(own.run("cleaning", ["one", "two"])) == ["main", "cleanup"]
    own.claude.plan(["overloaded", *says("whole")])
    assert output(own.run("swallowing", "one")) == "whole"


def test_what_the_end_of_the_functions_time_cuts_off_is_tried_again_in_a_whole_one(
    own: Executing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "BEGINNING_S", 0.0)
    own.left_s = chain([12.0 + 10.0], repeat(900.0))  # 10 s to keep what comes, 10 s to write 300
    monkeypatch.setattr(workflow, "MARGIN_S", 20.5)
    monkeypatch.setattr(step, "SLOWEST", 300)
    own.claude.plan(["hang", *says("whole")])
    done = own.run("steps", ["one"])
    assert output(done) == ["whole"]
    assert asked(own.claude) == 2
    assert cost_usd(done) == own.spent() / NANO


def test_an_answer_is_kept_in_as_few_bytes_as_it_has_or_fails_paid() -> None:
    context: Any = None
    assert Compact().serialize({"a": "速い"}, context) == '{"a":"速い"}'
    half = Compact().serialize({"a": "\ud800"}, context)
    assert Compact().deserialize(half, context) == {"a": "\ud800"}
    assert answer({"a": "x"}, 5) == {"kept": {"a": "x"}, "cost": 5}
    large = answer({"a": "x" * KEPT_BYTES}, 5)
    assert (large["failed"]["name"], large["again_s"], large["cost"]) == ("TooLarge", None, 5)


def test_more_at_once_than_an_execution_can_remember_are_refused(own: Executing) -> None:
    failed = own.run("at_once", ["x"] * 101)
    assert failed.error
    assert failed.error.message == "101 at once; 100 are the most"
    assert asked(own.claude) == 0


def test_an_answer_is_asked_for_whole(own: Executing) -> None:
    failed = own.run("streamed", "x")
    assert failed.error
    assert failed.error.message == "stream: what a workflow asks is answered whole"
    assert asked(own.claude) == 0


def test_every_failure_of_claude_is_counted_once_and_says_whose_it_was(
    own: Executing, capfd: pytest.CaptureFixture[str]
) -> None:
    own.claude.plan(["overloaded", "rate_limited", "bad_request"])
    own.run("steps", ["one"])
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    for name in ("upstream_overloaded", "upstream_rate_limited"):
        assert sum(line.get(name, [0])[0] for line in lines) == 1
    assert sum(line.get("errors", [0])[0] for line in lines) == 3
    assert {line["client"] for line in lines} == {own.client.id}


def test_what_does_not_fit_the_rest_of_its_time_is_not_waited_for(own: Executing) -> None:
    """Of the 200 s that the test's workflows have."""
    own.claude.plan([{"name": "rate_limited", "retry_after": "300"}])
    failed = own.run("steps", ["one"])
    assert failed.error
    assert failed.error.type == "claude_core.errors.RateLimited"


def test_nothing_of_a_prompt_or_an_answer_is_written_down(
    own: Executing, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    own.run("broken", "canary-in")
    own.claude.plan(["bad_request"])
    own.run("steps", ["canary-in"])
    own.claude.plan(["overloaded", *says("canary-out")])
    own.run("steps", ["canary-in"])
    out, err = capfd.readouterr()
    assert "crashes" in out
    runner = "aws_durable_execution_sdk_python_testing"
    logged = [one.getMessage() for one in caplog.records if not one.name.startswith(runner)]
    assert "canary" not in "\n".join([out, err, *logged])


def test_a_file_may_have_what_modules_have(tmp_path: Path) -> None:
    """Dataclasses look for their module by its name."""
    (tmp_path / "own.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Part:\n"
        "    text: str\n"
        "async def note(ask, given): ...\n"
    )
    assert set(load(tmp_path / "own.py")) == {"note"}


def test_how_long_a_step_waits_follows_from_what_went_wrong() -> None:
    def again(err: errors.KitError, times: int = 1) -> float:
        found = again_s(err, kind_of(err), times)
        assert found is not None
        return float(found)

    assert 1.5 <= again(errors.Overloaded("")) <= 2.5
    assert again(errors.RateLimited("", retry_after_s=3_600)) == 3_600
    assert again(errors.Stopped("")) == 60
    assert 600 < again(errors.Stopped(""), 2_000) <= LONGEST_S
    assert again(errors.SpendCapReached("")) == 900
    assert again(errors.Overloaded(""), 2_000) <= LONGEST_S
    assert again(errors.UpstreamBroken(""), 19) <= LONGEST_S
    assert again_s(errors.UpstreamBroken(""), "failed", 20) is None
    assert again(errors.AnswerLost(""), 4) > 10
    assert again_s(errors.AnswerLost(""), "lost", 5) is None
    for final in (errors.InvalidRequest(""), errors.OverBudget(""), errors.DeadlinePassed("")):
        assert again_s(final, kind_of(final), 1) is None
