"""The streaming service, socket to socket: what passes, when, and what is refused."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx2
import pytest

from claude_core.wire import MAX_BODY_BYTES
from local.fake_claude.inprocess import Fake
from tests.doubles import CLAUDE_KEY, AwsDouble
from tests.events import BAD_BODIES
from tests.handlers.served import MESSAGE, STREAM, Served, service

OWN_PING = b'event: ping\ndata: {"type": "ping"}\n\n'
"""Claude's own has no blank after the colon."""


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
        served.claude.wait(held=1)
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
        served.claude.wait(held=1)
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
            claude.wait(held=1)
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
