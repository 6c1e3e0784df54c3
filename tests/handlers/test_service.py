"""The streaming service, socket to socket, against moto and the fake Claude."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import anthropic
import httpx2
import pytest

from claude_core.clients import ClientKey
from claude_core.wire import MAX_BODY_BYTES
from local.fake_claude.inprocess import Fake
from service_src.app import create
from tests.doubles import CLAUDE_KEY, AwsDouble
from tests.events import BAD_BODIES
from tests.serving import serving

MESSAGE: dict[str, Any] = {
    "model": "fast",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hello"}],
}
STREAM = MESSAGE | {"stream": True}
OWN_PING = b'event: ping\ndata: {"type": "ping"}\n\n'
"""Claude's own has no blank after the colon."""


class Served:
    """The service on a socket, one client, and an HTTP connection with its key."""

    def __init__(self, aws: AwsDouble, claude: Fake, url: str, key: str, client: ClientKey) -> None:
        self.aws, self.claude, self.url, self.key, self.client = aws, claude, url, key, client
        self.http = httpx2.Client(base_url=url, headers={"x-api-key": key}, timeout=20)

    def post(self, body: Any = None, **more: Any) -> httpx2.Response:
        return self.http.post("/v1/messages", json=body, **more)

    def events(self, **body: Any) -> list[dict[str, Any]]:
        """Every event of a streamed answer, pings aside."""
        text = self.post(STREAM | body).text
        data = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
        return [event for event in data if event["type"] != "ping"]

    @contextmanager
    def streaming(self, **headers: str) -> Iterator[Iterator[bytes]]:
        """The chunks of a streamed answer, as they arrive."""
        with self.http.stream("POST", "/v1/messages", json=STREAM, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            yield answer.iter_raw()

    def spent(self) -> int:
        """Nano-dollars that the client was charged."""
        row = self.aws.row(self.client)
        left = [int(value) for name, value in row.items() if name.startswith("spend_")]
        return 10**9 - left[0] if left else 0

    def open(self) -> int:
        return len(self.aws.row(self.client)["open"])

    def asked(self) -> int:
        return sum(route["total"] for route in self.claude.stats()["calls"].values())


@contextmanager
def service(aws: AwsDouble, claude: Fake, secret: str | None = CLAUDE_KEY, **more: str) -> Any:
    limits = {"answer_timeout_s": "10", "stream_timeout_s": "20", "ping_s": "15"}
    settings = replace(aws.settings(claude.url, secret), **(limits | more))
    key, client = aws.add_client()
    with serving(create(settings, aws.runtime)) as url:
        served = Served(aws, claude, url, key, client)
        aws.calls.clear()
        with served.http:
            yield served


@pytest.fixture
def served(aws: AwsDouble, claude: Fake) -> Iterator[Served]:
    with service(aws, claude) as one:
        yield one


def test_a_whole_answer_comes_back_as_claude_wrote_it(served: Served) -> None:
    answer = served.post(MESSAGE)
    assert (answer.status_code, answer.json()["type"]) == (200, "message")
    (record,) = served.claude.stats()["requests"]
    assert answer.headers["request-id"] == record["id"]
    assert served.open() == 0


def test_a_streamed_answer_has_claudes_events_in_claudes_order(served: Served) -> None:
    kinds = [event["type"] for event in served.events()]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_every_byte_of_the_stream_is_claudes_own(served: Served) -> None:
    told = {"x-fake": "answer text=one+two+three"}
    direct = httpx2.post(
        f"{served.claude.url}/v1/messages",
        json=STREAM | {"model": "claude-haiku-5-5"},
        headers={"x-api-key": CLAUDE_KEY, "anthropic-version": "2023-06-01", **told},
    )
    served.claude.plan(["answer text=one+two+three"])
    passed = served.post(STREAM)
    assert without_ids(passed.text) == without_ids(direct.text)
    assert passed.headers["content-type"] == direct.headers["content-type"]


def without_ids(text: str) -> str:
    """A stream, but for the id that each answer has of its own."""
    first = next(line for line in text.splitlines() if "message_start" in line and "data:" in line)
    return text.replace(json.loads(first[6:])["message"]["id"], "msg_…")


def test_chunks_arrive_as_claude_sends_them(served: Served) -> None:
    served.claude.plan([{"name": "hold", "after": 2}])
    with served.streaming() as chunks:
        seen = b""
        while seen.count(b"text_delta") < 2:  # two of them while Claude holds the third back
            seen += next(chunks)
        assert b"message_stop" not in seen
        served.claude.release()
        assert b"message_stop" in seen + b"".join(chunks)


def test_the_money_is_settled_before_the_last_event_leaves(served: Served) -> None:
    with served.streaming() as chunks:
        for chunk in chunks:
            if b"message_stop" in chunk:
                assert served.open() == 0
                assert served.spent() > 0
                break


def test_a_streamed_answer_costs_what_the_whole_one_costs(served: Served) -> None:
    served.claude.plan(["answer", "answer"])
    served.post(MESSAGE)
    whole = served.spent()
    served.events()
    assert served.spent() == 2 * whole


def test_headers_wait_for_claude_so_that_a_refusal_has_its_status(served: Served) -> None:
    with ThreadPoolExecutor(1) as pool:
        served.claude.plan(["hold"])
        coming = pool.submit(served.post, STREAM)
        served.claude.wait(in_flight=1)
        assert not coming.done()
        served.claude.release()
        assert coming.result().status_code == 200
    served.claude.plan([{"name": "overloaded"}], repeat=True)
    refused = served.post(STREAM)
    assert (refused.status_code, refused.json()["error"]["type"]) == (529, "overloaded_error")
    assert served.open() == 0


def test_an_overload_that_is_the_streams_first_event_is_tried_again(served: Served) -> None:
    served.claude.plan([{"name": "stream_error", "after": 0}])
    kinds = [event["type"] for event in served.events()]
    assert kinds[0] == "message_start"


def test_a_silent_stream_says_that_it_is_alive(aws: AwsDouble, claude: Fake) -> None:
    with service(aws, claude, ping_s="0.05") as served:
        claude.plan([{"name": "hold", "after": 1}])
        with served.streaming() as chunks:
            seen = b""
            while seen.count(OWN_PING) < 3:
                seen += next(chunks)
            claude.release()
            rest = seen + b"".join(chunks)
    assert b"message_stop" in rest
    with anthropic_stream(rest) as text:
        assert text


@contextmanager
def anthropic_stream(raw: bytes) -> Iterator[str]:
    """What the official client reads out of a stream's bytes."""
    headers = {"content-type": "text/event-stream"}
    replay = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=raw))
    with (
        anthropic.Anthropic(api_key="x", http_client=httpx2.Client(transport=replay)) as client,
        client.messages.stream(**MESSAGE) as stream,
    ):
        yield stream.get_final_text()


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"name": "stream_error"}, "overloaded_error"),
    ({"name": "stream_error", "type": "api_error", "message": "no"}, "api_error"),
    ({"name": "stream_error", "type": "rate_limit_error", "message": "no"}, "rate_limit_error"),
    ({"name": "cut"}, "api_error"),
    ({"name": "reset", "after": 2}, "api_error"),
    ({"name": "malformed_sse"}, "api_error"),
]


@pytest.mark.parametrize(("script", "kind"), BROKEN, ids=lambda value: str(value)[:50])
def test_a_stream_that_breaks_ends_in_an_error_and_never_looks_whole(
    served: Served, script: dict[str, Any], kind: str
) -> None:
    served.claude.plan([script])
    *shown, last = served.events()
    assert (last["type"], last["error"]["type"]) == ("error", kind)
    assert last["request_id"].startswith("req_")
    assert "message_stop" not in {event["type"] for event in shown}
    assert served.open() == 0
    assert served.spent() > 0
    assert served.asked() == 1


def test_where_claude_stopped_by_itself_only_what_was_written_is_charged(served: Served) -> None:
    """Where the connection broke Claude may have written on: all that was reserved stays spent."""
    served.claude.plan([{"name": "stream_error", "after": 1}])
    served.events(max_tokens=4_000)
    stopped = served.spent()
    served.claude.plan([{"name": "cut", "after": 1}])
    served.events(max_tokens=4_000)
    broken = served.spent() - stopped
    assert 0 < stopped < 4_000 * 500 < broken


@pytest.mark.parametrize("script", [{"name": "trickle"}, {"name": "hang", "after": 2}])
def test_a_stream_past_its_time_ends_in_a_timeout_error_and_the_upstream_is_closed(
    aws: AwsDouble, claude: Fake, script: dict[str, Any]
) -> None:
    with service(aws, claude, stream_timeout_s="0.5") as served:
        claude.plan([script])
        began = time.monotonic()
        text = served.post(STREAM).text
        assert "timeout_error" in text
        assert time.monotonic() - began < 2
        claude.wait(left=1)
        assert served.open() == 0


def test_a_whole_answer_past_its_time_is_a_504_that_says_to_stream(
    aws: AwsDouble, claude: Fake
) -> None:
    with service(aws, claude, answer_timeout_s="0.3") as served:
        claude.plan(["hang"])
        answer = served.post(MESSAGE)
        assert (answer.status_code, answer.json()["error"]["type"]) == (504, "timeout_error")
        assert "stream" in answer.json()["error"]["message"]
        claude.wait(left=1)


@pytest.mark.parametrize("body", [STREAM, MESSAGE], ids=["streamed", "whole"])
def test_a_caller_that_leaves_before_the_first_token_ends_the_call_within_a_second(
    served: Served, body: dict[str, Any]
) -> None:
    served.claude.plan(["hold"])

    async def leave() -> None:
        async with httpx2.AsyncClient(base_url=served.url, timeout=20) as http:
            headers = {"x-api-key": served.key}
            asking = asyncio.create_task(http.post("/v1/messages", json=body, headers=headers))
            await asyncio.to_thread(served.claude.wait, in_flight=1)
            asking.cancel()

    asyncio.run(leave())
    began = time.monotonic()
    served.claude.wait(left=1)
    assert time.monotonic() - began < 1
    settled(served)


def test_a_caller_that_leaves_in_the_middle_ends_the_call_and_pays_for_what_was_written(
    served: Served,
) -> None:
    served.claude.plan([{"name": "hold", "after": 2}])
    with served.streaming() as chunks:
        while b"text_delta" not in next(chunks):
            pass
    began = time.monotonic()
    served.claude.wait(left=1)
    assert time.monotonic() - began < 1
    settled(served)
    assert 0 < served.spent() < MESSAGE["max_tokens"] * 500


def settled(served: Served, within_s: float = 5.0) -> None:
    """Until nothing is open; what ends after its caller has left can be seen nowhere else."""
    end = time.monotonic() + within_s
    while served.open():
        assert time.monotonic() < end, "the reservation stays open"


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body)[:30])
def test_bad_input_is_a_400_that_asks_neither_claude_nor_the_table(
    served: Served, body: Any
) -> None:
    sent = (body or "").encode(errors="surrogatepass") if not isinstance(body, bytes) else body
    answer = served.post(content=sent)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["request_id"] == answer.headers["request-id"]
    assert (served.asked(), served.aws.calls) == (0, [])


def test_a_body_above_the_limit_is_a_413(served: Served) -> None:
    answer = served.post(content=b"x" * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "request_too_large")


@pytest.mark.parametrize("key", ["", "wrong", "ck_" + "x" * 43])
def test_without_a_good_key_it_is_a_401_and_claude_is_not_asked(served: Served, key: str) -> None:
    answer = served.post(STREAM, headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert served.asked() == 0


def test_an_unknown_route_or_method_is_refused_in_the_same_shape(served: Served) -> None:
    for answer in (served.http.get("/v2/nothing"), served.http.get("/v1/messages")):
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
        assert answer.headers["request-id"]


def test_an_empty_secret_is_a_503_that_says_what_to_run(aws: AwsDouble, claude: Fake) -> None:
    with service(aws, claude, secret=None) as served:
        answer = served.post(STREAM)
        assert (answer.status_code, served.open()) == (503, 0)
        assert "kit key set" in answer.json()["error"]["message"]


def test_an_error_that_nobody_expected_is_a_500_without_its_words(
    served: Served, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("-".join(("canary", "5c1d")))  # not in the source line

    monkeypatch.setattr("claude_core.messages.request", broken)
    answer = served.post(STREAM)
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "api_error")
    written = "".join(capfd.readouterr())
    assert "crashes" in written
    assert "canary-5c1d" not in answer.text + written


def test_no_prompt_no_answer_and_no_key_is_in_any_log(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-7f3a"
    hello = [{"role": "user", "content": canary}]
    for script in ("answer", "stream_error", "cut", "bad_request", "reset"):
        served.claude.plan([f"{script} message={canary}" if script == "bad_request" else script])
        served.events(messages=hello)
        served.post(MESSAGE | {"messages": hello})
    served.post(STREAM | {canary: 1})
    written = "".join(capfd.readouterr())
    assert "gen_ai.usage.output_tokens" in written
    for secret in (canary, served.key, CLAUDE_KEY):
        assert secret not in written


def test_what_a_call_used_is_counted_under_the_conventions_names(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    served.claude.plan(["overloaded", "answer"])
    answer = served.post(STREAM, headers=headers)
    (counted,) = [
        line for line in map(json.loads, capfd.readouterr().out.splitlines()) if "_aws" in line
    ]
    assert counted["gen_ai.operation.name"] == "chat"
    assert counted["gen_ai.provider.name"] == "anthropic"
    assert counted["gen_ai.request.model"] == counted["gen_ai.response.model"] == "claude-haiku-5-5"
    assert counted["gen_ai.response.finish_reasons"] == ["end_turn"]
    assert counted["gen_ai.request.stream"] is True
    assert counted["gen_ai.usage.input_tokens"][0] > 0
    assert counted["gen_ai.usage.output_tokens"][0] > 0
    assert 0 < counted["gen_ai.response.time_to_first_chunk"][0] < 10
    assert counted["cost_usd"] == [pytest.approx(served.spent() / 1e9)]
    assert counted["retries"] == [1]
    assert counted["client"] == served.client.id
    assert counted["trace_id"] == trace
    assert counted["upstream_request_id"] == answer.headers["request-id"]
    assert counted["upstream_status"] == 200


LONG = [{"role": "user", "content": "The same long document, asked about again and again. " * 400}]


@pytest.mark.parametrize("stream", [False, True])
def test_prompt_caching_is_an_option_of_the_client_and_its_savings_are_counted(
    served: Served, capfd: pytest.CaptureFixture[str], stream: bool
) -> None:
    def ask() -> tuple[dict[str, Any], dict[str, Any]]:
        """What Claude got, and what was counted."""
        assert served.post(MESSAGE | {"messages": LONG, "stream": stream}).status_code == 200
        *_, record = served.claude.stats()["requests"]
        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        (counted,) = [line for line in lines if "_aws" in line]
        return json.loads(served.claude.body(record["id"])), counted

    plain, counted = ask()
    assert "cache_control" not in plain
    assert counted["cache_savings_usd"] == [0]
    served.key, served.client = served.aws.add_client(cache_prompts={"BOOL": True})
    served.http.headers["x-api-key"] = served.key
    before = ask()
    assert before[0] == plain | {"cache_control": {"type": "ephemeral"}}
    assert before[1]["gen_ai.usage.cache_write.input_tokens"][0] > 0
    assert before[1]["cache_savings_usd"][0] < 0
    again = ask()[1]
    assert again["gen_ai.usage.cache_read.input_tokens"][0] > 0
    assert again["cache_savings_usd"][0] > -before[1]["cache_savings_usd"][0]
    assert served.open() == 0
