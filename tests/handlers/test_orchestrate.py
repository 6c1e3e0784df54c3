"""`POST /v1/orchestrate`, socket to socket: who answers, why, at what cost, and what is refused."""

import datetime as dt
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from operator import attrgetter
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import Message, RawMessageStreamEvent

from claude_core.models import NANO
from claude_core.routes import BadTable
from claude_core.settings import RouterSettings
from claude_core.wire import MAX_BODY_BYTES
from local.fake_claude.inprocess import Fake
from service_src.app import create
from tests.described import assert_described
from tests.doubles import AwsDouble
from tests.events import BAD_BODIES
from tests.handlers.orchestrating import SORTER, Orchestrated, orchestrated, sorted_as
from tests.handlers.served import BUDGET, settled

FAST, BALANCED, DEEP = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"
INPUT = {"input": "Ten names for a bakery at the harbour."}
MESSAGES: dict[str, Any] = {"messages": [{"role": "user", "content": INPUT["input"]}]}


@pytest.fixture
def served(aws: AwsDouble, claude: Fake) -> Iterator[Orchestrated]:
    with orchestrated(aws, claude) as one:
        yield one


@pytest.mark.parametrize("body", [INPUT, MESSAGES, MESSAGES | {"model": "auto"}])
def test_a_question_is_classified_and_answered_by_the_model_of_its_route(
    served: Orchestrated, body: dict[str, Any]
) -> None:
    served.claude.plan([sorted_as("creative", 0.93)])
    answer = served.post(body)
    assert answer.status_code == 200, answer.text
    message = answer.json()
    assert (message["type"], message["model"]) == ("message", BALANCED)
    told = message["route"]
    assert (told["intent"], told["confidence"], told["model"]) == ("creative", 0.93, BALANCED)
    assert told["reason"] == "classified"
    assert served.models_asked() == [SORTER, BALANCED]
    assert answer.headers["request-id"] == served.claude.stats()["requests"][1]["id"]
    assert answer.headers["anthropic-ratelimit-budget-limit"]


def test_what_choosing_costs_is_charged_and_told_and_nothing_stays_reserved(
    served: Orchestrated,
) -> None:
    served.claude.plan([sorted_as("question")])
    told = served.post(INPUT).json()["route"]
    assert (served.spent(), served.open()) == (served.billed(), 0)
    assert 0 < told["cost_usd"] < served.spent() / NANO
    assert told["saved_usd"] > 0


def test_a_question_is_one_proof_and_two_payments(served: Orchestrated) -> None:
    served.post(INPUT)
    assert served.aws.count("dynamodb:UpdateItem") == 5


def test_a_stream_has_claudes_events_with_the_route_at_its_start_and_whole_at_its_end(
    served: Orchestrated,
) -> None:
    served.claude.plan([sorted_as("code")])
    events = served.events(**INPUT)
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    first, last = events[0]["message"]["route"], events[-2]["route"]
    assert (first["intent"], first["model"]) == ("code", BALANCED)
    assert last == first | {"saved_usd": last["saved_usd"]}
    assert (served.spent(), served.open()) == (served.billed(), 0)


def test_chunks_arrive_as_claude_sends_them(served: Orchestrated) -> None:
    served.claude.plan([sorted_as("task"), {"name": "hold", "after": 2}])
    with served.http.stream("POST", "/v1/orchestrate", json=INPUT | {"stream": True}) as answer:
        chunks, seen = answer.iter_raw(), b""
        while seen.count(b"text_delta") < 2:
            seen += next(chunks)
        assert b"message_stop" not in seen
        served.claude.wait(held=1)
        served.claude.release()
        assert b"message_stop" in seen + b"".join(chunks)


def test_the_official_client_reads_the_answer_and_its_route(served: Orchestrated) -> None:
    served.claude.plan([sorted_as("creative")])
    with served.official() as client:
        message = client.post("/v1/orchestrate", cast_to=Message, body=MESSAGES)
    assert message.content[0].type == "text"
    # An attribute that its types do not know, as the page of the pattern reads it.
    assert attrgetter("route")(message)["intent"] == "creative"


def test_the_official_client_reads_the_stream(served: Orchestrated) -> None:
    served.claude.plan([sorted_as("creative")])
    with served.official() as client:
        events = client.post(
            "/v1/orchestrate",
            cast_to=Message,
            body=MESSAGES | {"stream": True},
            stream=True,
            stream_cls=anthropic.Stream[RawMessageStreamEvent],
        )
        found = list(events)
    assert found[0].type == "message_start"
    assert found[0].message.model_dump()["route"]["model"] == BALANCED
    assert found[-1].type == "message_stop"


def test_the_official_client_raises_what_is_refused(served: Orchestrated) -> None:
    with served.official() as client, pytest.raises(anthropic.BadRequestError, match="speed"):
        client.post("/v1/orchestrate", cast_to=Message, body=MESSAGES | {"speed": "fast"})


def test_a_model_asked_for_by_name_answers_and_nothing_is_classified(served: Orchestrated) -> None:
    answer = served.post(INPUT | {"model": "deep"}).json()
    assert (answer["model"], answer["route"]["reason"]) == (DEEP, "asked for by name")
    assert served.models_asked() == [DEEP]


def test_a_conversation_whose_prompt_is_kept_stays_on_its_model(served: Orchestrated) -> None:
    kept = {"name": "answer", "usage": {"cache_read_input_tokens": 5_000}, "model": FAST}
    served.claude.plan([sorted_as("question"), kept])
    turns = [*MESSAGES["messages"]]
    first = served.post({"messages": turns}).json()
    assert first["route"]["reason"] == "classified"
    turns += [{"role": "assistant", "content": first["content"]}]
    turns += [{"role": "user", "content": "Write me a whole novel now."}]
    answer = served.post({"messages": turns}).json()
    assert (answer["model"], answer["route"]["reason"]) == (FAST, "the conversation is on it")


@pytest.mark.parametrize("stream", [False, True])
def test_an_overload_before_the_first_token_is_answered_by_another_model_once(
    served: Orchestrated, stream: bool
) -> None:
    served.claude.plan([sorted_as("task"), {"name": "overloaded", "model": BALANCED}])
    answer = served.post(INPUT | {"stream": stream})
    assert answer.status_code == 200
    assert "the model before it could not answer" in answer.text
    asked = served.models_asked()
    assert (asked[:2], len(asked)) == ([SORTER, BALANCED], 3)
    assert asked[2] != BALANCED
    assert served.open() == 0


def test_a_stream_that_breaks_ends_in_an_error_and_is_not_begun_again(
    served: Orchestrated,
) -> None:
    served.claude.plan([sorted_as("task"), {"name": "stream_error", "after": 2}])
    events = served.events(**INPUT)
    assert events[-1]["type"] == "error"
    assert served.models_asked() == [SORTER, BALANCED]
    assert served.open() == 0


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body)[:30])
def test_bad_input_is_a_400_that_asks_neither_claude_nor_the_table(
    served: Orchestrated, body: Any
) -> None:
    sent = (body or "").encode(errors="surrogatepass") if not isinstance(body, bytes) else body
    refused(served, served.post(content=sent), 400, "invalid_request_error")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (INPUT | MESSAGES, "input: send either input or messages"),
        (INPUT | {"temperature": 1}, "temperature: "),
        (INPUT | {"tools": []}, "tools: no such field"),
        ({"input": " "}, "input: must be a string with text in it"),
        ({"input": {"text": "x"}}, "input: "),
        (INPUT | {"stream": "yes"}, "stream: must be true or false"),
        (INPUT | {"max_tokens": 0}, "max_tokens: "),
        (INPUT | {"max_tokens": 50_000}, "max_tokens: 50000 is above"),
        (MESSAGES | {"model": ["auto"]}, "model: "),
        (MESSAGES | {"model": None}, "model: "),
        (MESSAGES | {"speed": "fast"}, "speed: "),
        ({"messages": []}, "messages: "),
    ],
)
def test_what_cannot_be_asked_is_named_before_anything_is_spent(
    served: Orchestrated, body: dict[str, Any], says: str
) -> None:
    answer = served.post(body)
    refused(served, answer, 400, "invalid_request_error")
    assert answer.json()["error"]["message"].startswith(says)


def test_an_unknown_model_is_a_404_and_one_that_is_not_allowed_a_403(served: Orchestrated) -> None:
    refused(served, served.post(INPUT | {"model": "claude-9"}), 404, "not_found_error")
    answer = served.post(INPUT | {"model": "claude-fable-5-1"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_error")
    assert (served.asked(), served.spent()) == (0, 0)


def test_a_body_above_the_limit_is_a_413(served: Orchestrated) -> None:
    refused(served, served.post(content=b"x" * (MAX_BODY_BYTES + 1)), 413, "request_too_large")


@pytest.mark.parametrize("key", ["", "wrong", "ck_" + "x" * 43])
def test_without_a_good_key_it_is_a_401_and_claude_is_not_asked(
    served: Orchestrated, key: str
) -> None:
    answer = served.post(INPUT, headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert served.asked() == 0


def refused(served: Orchestrated, answer: httpx2.Response, status: int, kind: str) -> None:
    """Without a call to Claude, or to the table."""
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind), answer.text
    assert answer.json()["request_id"] == answer.headers["request-id"]
    assert (served.asked(), served.aws.calls) == (0, [])


def test_a_client_that_is_over_budget_is_a_429_and_claude_is_not_asked(
    aws: AwsDouble, claude: Fake
) -> None:
    with orchestrated(aws, claude, budget=1) as served:
        answer = served.post(INPUT)
        assert (answer.status_code, answer.json()["error"]["type"]) == (429, "rate_limit_error")
        assert (served.asked(), served.open()) == (0, 0)


def test_near_the_months_end_of_money_the_cheapest_answers_and_nothing_is_classified(
    aws: AwsDouble, claude: Fake
) -> None:
    with orchestrated(aws, claude, **nearly_spent()) as served:
        told = served.post(INPUT).json()["route"]
        assert told["reason"] == "little of the month's budget is left"
        assert served.models_asked() == [FAST]


def nearly_spent() -> dict[str, Any]:
    month = f"{dt.datetime.now(dt.UTC):%Y_%m}"
    left = BUDGET // 25
    return {f"left_{month}": {"N": str(left)}, f"spent_{month}": {"N": str(BUDGET - left)}}


def test_other_routes_are_not_served_here(served: Orchestrated) -> None:
    for method, path in (("POST", "/v1/messages"), ("GET", "/v1/orchestrate"), ("GET", "/page/")):
        answer = served.http.request(method, path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
    assert served.http.get("/health").json() == {"status": "ok"}
    described = served.http.get("/openapi.json").json()
    assert set(described["paths"]) == {"/v1/orchestrate", "/health", "/openapi.json"}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("body", [INPUT, MESSAGES, {}])
def test_answer_and_refusal_have_the_headers_and_the_schema_described(
    served: Orchestrated, body: dict[str, Any], stream: bool
) -> None:
    answer = served.post(body | {"stream": stream})
    assert answer.status_code == (200 if body else 400)
    described = served.http.get("/openapi.json").content
    route = "POST /v1/orchestrate"
    assert_described(described, route, answer.status_code, answer.headers, answer.content)


def test_each_answer_is_counted_with_its_route(
    served: Orchestrated, capfd: pytest.CaptureFixture[str]
) -> None:
    served.claude.plan([sorted_as("task")])
    served.post(INPUT)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if "_aws" in line]
    (routed,) = (line for line in lines if "routed" in line)
    assert routed["route_task"] == routed["routed"] == [1.0]
    (chosen,) = (line for line in lines if "classifier_duration" in line)
    assert chosen["classifier_failures"] == [0.0]
    assert min(*chosen["classifier_duration"], *chosen["routing_cost_usd"]) > 0
    counted = [line for line in lines if "answers" in line or "classifications" in line]
    assert [("answers" in line, "duration" in line) for line in counted] == [
        (False, False),
        (True, True),
    ], "a classification is no answer, and its time is none of theirs"
    assert not [line for line in lines if INPUT["input"] in json.dumps(line)]


@pytest.mark.parametrize("stream", [False, True])
def test_past_the_deadline_it_is_a_504_and_nothing_stays_reserved(
    aws: AwsDouble, claude: Fake, stream: bool
) -> None:
    with orchestrated(aws, claude, answer_timeout_s="0.5") as served:
        claude.plan([sorted_as("task"), {"name": "hold"}])
        answer = served.post(INPUT | {"stream": stream})
        assert (answer.status_code, answer.json()["error"]["type"]) == (504, "timeout_error")
        assert served.open() == 0
        claude.release()


@pytest.mark.parametrize("held", [{"model": SORTER}, {"model": BALANCED}], ids=["sorter", "answer"])
def test_a_caller_that_leaves_ends_what_is_asked_for_it(
    served: Orchestrated, held: dict[str, Any]
) -> None:
    served.claude.plan([sorted_as("task"), held | {"name": "hold"}][held["model"] == SORTER :])
    caller = HTTPConnection(served.url.removeprefix("http://"))
    body = json.dumps(INPUT | {"stream": True})
    caller.request("POST", "/v1/orchestrate", body, {"x-api-key": served.key})
    served.claude.wait(held=1)
    caller.close()
    served.claude.wait(left=1)
    settled(served)
    assert served.models_asked()[-1] == held["model"]


def test_a_teams_own_table_is_the_one_that_is_asked(
    aws: AwsDouble, claude: Fake, tmp_path: Path
) -> None:
    file = tmp_path / "routes.json"
    rows = [
        {
            "intent": "law",
            "about": "contracts",
            "model": "deep",
            "max_tokens": 77,
            "effort": "high",
        },
        {"intent": "rest", "about": "all else", "model": "fast", "max_tokens": 99},
    ]
    file.write_text(json.dumps({"default": "rest", "routes": rows}))
    with orchestrated(aws, claude, routes_file=str(file)) as served:
        claude.plan([sorted_as("law")])
        told = served.post(INPUT).json()["route"]
        assert (told["intent"], told["model"]) == ("law", DEEP)
        sorter, answer = (record["body"] for record in claude.stats()["requests"])
        assert (answer["max_tokens"], answer["output_config"]) == (77, {"effort": "high"})
        intents = sorter["output_config"]["format"]["schema"]["properties"]["intent"]["enum"]
        assert intents == ["law", "rest"]


def test_a_table_that_was_broken_since_its_deploy_stops_the_start(
    aws: AwsDouble, tmp_path: Path
) -> None:
    (tmp_path / "routes.json").write_text("{}")
    file = str(tmp_path / "routes.json")
    router = RouterSettings(routes_file=file, conversations_table="none")
    with pytest.raises(BadTable):
        create(aws.settings("http://127.0.0.1:1"), aws.runtime, router=router)
