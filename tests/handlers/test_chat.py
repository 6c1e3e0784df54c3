"""The chat, socket to socket: both modes, tickets, history, leaving, resuming, and each limit."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from claude_core.clients import ClientKey, new_key
from claude_core.http_routes import Backend, http_route, route_names
from local.fake_claude.inprocess import Fake
from tests.chatting import Chatting, Person, chatting
from tests.described import assert_described
from tests.doubles import AwsDouble
from tests.handlers.test_budgets import deaf


@pytest.fixture
def chat(aws: AwsDouble, claude: Fake) -> Iterator[Chatting]:
    with chatting(aws, claude) as served:
        yield served


def until(holds: Callable[[], object], within_s: float = 10.0) -> None:
    """Ask again and again, where nothing tells."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end


async def whole(person: Person) -> tuple[str, dict[str, Any]]:
    """An answer to its end: its text, and the last frame."""
    frames = await person.until("done", "error")
    deltas = [frame for frame in frames if frame["type"] == "delta"]
    assert [frame["seq"] for frame in deltas] == list(range(1, len(deltas) + 1))
    return "".join(frame["text"] for frame in deltas), frames[-1]


def test_a_message_is_answered_in_deltas_and_done_says_what_it_cost(chat: Chatting) -> None:
    async def talk() -> None:
        async with chat.person() as person:
            ready = await person.next()
            assert ready["type"] == "ready"
            await person.ask("m1", "hello", model="fast")
            text, done = await whole(person)
        assert "hello" in text
        assert done["stop_reason"] == "end_turn"
        assert done["model"] == "claude-haiku-5-5"
        assert done["usage"]["output_tokens"] > 0
        assert done["cost_usd"] > 0
        assert done["seq"] > 1

    chat.run(talk())
    assert chat.spent() > 0
    assert chat.open() == 0


def test_plain_text_gets_plain_text_and_an_end(chat: Chatting) -> None:
    async def talk(protocol: str | None) -> None:
        async with chat.person(protocol) as person:
            assert person.socket.subprotocol == protocol
            for question in ("one", "two"):
                await person.socket.send(question)
                pieces = []
                while (piece := await person.socket.recv()) != "[DONE]":
                    pieces.append(str(piece))
                assert question in "".join(pieces)
                assert len(pieces) > 1

    chat.run(talk(None))
    chat.run(talk("claude.text"))
    (first, *_) = chat.claude.stats()["requests"]
    asked = json.loads(chat.claude.body(first["id"]))
    assert (asked["model"], asked["max_tokens"]) == ("claude-sonnet-5-5", 2_048)


def test_a_conversation_is_remembered_by_its_id_and_by_nobody_else(chat: Chatting) -> None:
    other, _ = chat.aws.add_client()

    async def talk() -> None:
        for text in ("first", "second"):
            async with chat.person(conversation="c1") as person:
                await person.ask(text, text)
                await whole(person)
        async with chat.person(conversation="c1", key=other) as stranger:
            await stranger.ask("mine", "third")
            await whole(stranger)

    chat.run(talk())
    bodies = [json.loads(chat.claude.body(one["id"])) for one in chat.claude.stats()["requests"]]
    said = [[message["content"] for message in body["messages"]] for body in bodies]
    assert said[1][0] == "first"
    assert said[1][-1] == "second"
    assert len(said[1]) == 3
    assert said[2] == ["third"]


def test_a_message_may_replace_an_earlier_one_and_all_after_it(chat: Chatting) -> None:
    async def talk() -> None:
        async with chat.person(conversation="c1") as person:
            for text in ("a", "b", "c"):
                await person.ask(text, text)
                await whole(person)
            await person.ask("b2", "B", replaces="b")
            await whole(person)

    chat.run(talk())
    assert [turn["question"] for turn in chat.turns()] == ["a", "B"]
    body = json.loads(chat.claude.body(chat.claude.stats()["requests"][-1]["id"]))
    assert [message["content"] for message in body["messages"]][0::2] == ["a", "B"]


def test_a_browser_comes_in_by_a_ticket_which_is_not_echoed_and_works_once(chat: Chatting) -> None:
    ticket = chat.ticket()

    async def talk() -> None:
        async with chat.person(ticket=ticket) as person:
            assert person.socket.subprotocol == "claude.v1"
            assert (await person.next())["type"] == "ready"
        async with chat.person(ticket=ticket) as again:
            refused = await again.next()
            assert refused["error"]["type"] == "authentication_error"
            assert "ticket was used" in refused["error"]["message"]
            assert await again.closed() == 4401

    chat.run(talk())


def test_a_ticket_is_over_by_its_time_even_where_the_table_still_has_it(chat: Chatting) -> None:
    ticket = chat.ticket()
    (item,) = chat.aws.boto("dynamodb").scan(TableName="conversations")["Items"]
    assert ticket not in str(item)
    old = item | {"expires_at": {"N": str(int(time.time()) - 1)}}
    chat.aws.boto("dynamodb").put_item(TableName="conversations", Item=old)

    async def talk() -> None:
        async with chat.person(ticket=ticket) as person:
            assert (await person.next())["error"]["type"] == "authentication_error"

    chat.run(talk())


@pytest.mark.parametrize("key", ["", "wrong", new_key()], ids=["none", "wrong", "unknown"])
def test_who_is_nobody_is_told_so_and_closed(chat: Chatting, key: str) -> None:
    async def talk(protocol: str | None) -> tuple[str, int]:
        async with chat.person(protocol, key=key) as person:
            return str(await person.socket.recv()), await person.closed()

    for protocol in ("claude.v1", None):
        said, code = chat.run(talk(protocol))
        assert json.loads(said)["error"]["type"] == "authentication_error"
        assert code == 4401
    assert chat.claude.stats()["calls"] == {}


def test_a_handshake_that_is_not_proved_in_its_time_is_closed(aws: AwsDouble, claude: Fake) -> None:
    with deaf() as endpoint, chatting(aws, claude, aws_url=endpoint, auth_s="0.5") as chat:

        async def talk() -> None:
            async with chat.person() as person:
                began = time.monotonic()
                refused = await person.next()
                assert refused["error"]["message"] == "not authenticated within 0.5 s"
                assert await person.closed() == 4401
                assert time.monotonic() - began < 2

        chat.run(talk())


def test_a_disabled_client_is_closed_as_not_allowed(chat: Chatting) -> None:
    key, _ = chat.aws.add_client(disabled={"BOOL": True})

    async def talk() -> None:
        async with chat.person(key=key) as person:
            assert (await person.next())["error"]["type"] == "permission_error"
            assert await person.closed() == 4403

    chat.run(talk())


BAD: list[tuple[str, str]] = [
    ("{", "not valid JSON"),
    ('{"type":"message"}', "id: must be"),
    ('{"type":"message","id":"a b"}', "id: must be"),
    ('{"type":"message","id":"a"}', "content: must be"),
    ('{"type":"message","id":"a","content":"x","temperature":1}', "temperature: no such field"),
    ('{"type":"message","id":"a","content":"x","resume":1}', "resume: must be"),
    ('{"type":"message","id":"a","content":"x","model":"gpt"}', "is not one of"),
    ('{"type":"message","id":"a","content":"x","max_tokens":0}', "max_tokens"),
    ('{"type":"message","id":"a","content":[{"type":"image"}, 5]}', "content.1 must be"),
    ('{"type":"resume","id":"a","after":-1}', "after: must be"),
    ('{"type":"resume","id":"a"}', "nothing is kept"),
    ('{"type":"cancel","id":"a"}', "no answer a is being written"),
    ('{"type":"dance","id":"a"}', "is not one of message, cancel, resume"),
]


@pytest.mark.parametrize(("frame", "says"), BAD)
def test_a_bad_frame_is_an_error_and_the_socket_goes_on(
    chat: Chatting, frame: str, says: str
) -> None:
    async def talk() -> None:
        async with chat.person() as person:
            await person.next()
            await person.socket.send(frame)
            assert says in (await person.next())["error"]["message"]
            await person.ask("m1")
            assert (await whole(person))[1]["type"] == "done"

    chat.run(talk())


def test_binary_frames_are_refused_in_words(chat: Chatting) -> None:
    async def talk() -> None:
        async with chat.person() as person:
            await person.next()
            await person.socket.send(b"\x00")
            assert "must be text" in (await person.next())["error"]["message"]

    chat.run(talk())


def test_one_answer_at_a_time(chat: Chatting) -> None:
    chat.claude.plan(["hold"])

    async def talk() -> None:
        async with chat.person() as person:
            await person.next()
            await person.ask("m1")
            await person.ask("m2")
            refused = await person.next()
            assert (refused["id"], refused["retryable"]) == ("m2", False)
            await asyncio.to_thread(chat.claude.wait, held=1)
            chat.claude.release()
            assert (await whole(person))[1]["id"] == "m1"

    chat.run(talk())


@pytest.mark.parametrize("after", [None, 3])
def test_cancel_ends_the_answer_at_claude_within_a_second_and_keeps_what_was_written(
    chat: Chatting, after: int | None
) -> None:
    chat.claude.plan([{"name": "hold", "after": after}])

    async def talk() -> None:
        async with chat.person() as person:
            await person.next()
            await person.ask("m1", model="fast")
            deltas = 0 if after is None else after
            for _ in range(deltas):
                assert (await person.next())["type"] == "delta"
            await asyncio.to_thread(chat.claude.wait, held=1)
            began = time.monotonic()
            await person.send(type="cancel", id="m1")
            done = await person.next()
            assert (done["type"], done["stop_reason"]) == ("done", "cancelled")
            assert done["incomplete"] is True
            await asyncio.to_thread(chat.claude.wait, left=1, timeout_s=1)
            assert time.monotonic() - began < 1

    chat.run(talk())
    assert chat.open() == 0
    assert [turn["incomplete"] for turn in chat.turns()] == ([True] if after else [])


@pytest.mark.parametrize("after", [None, 3])
def test_whoever_leaves_ends_the_answer_at_claude_within_a_second(
    chat: Chatting, after: int | None
) -> None:
    chat.claude.plan([{"name": "hold", "after": after}])

    async def talk() -> float:
        async with chat.person() as person:
            await person.next()
            await person.ask("m1")
            await asyncio.to_thread(chat.claude.wait, held=1)
        began = time.monotonic()
        await asyncio.to_thread(chat.claude.wait, left=1, timeout_s=2)
        return time.monotonic() - began

    assert chat.run(talk()) < 1


def test_a_message_sent_to_be_resumed_goes_on_and_is_taken_up_where_it_was_left(
    chat: Chatting,
) -> None:
    chat.claude.plan([{"name": "hold", "after": 4, "text": "one two three four five six seven"}])

    async def talk() -> str:
        async with chat.person(conversation="c1") as person:
            await person.next()
            await person.ask("m1", resume=True)
            seen = [await person.next() for _ in range(3)]
        await asyncio.to_thread(chat.claude.release)
        async with chat.person(conversation="c1") as back:
            await back.next()
            await back.send(type="resume", id="m1", after=seen[-1]["seq"])
            frames = await back.until("done", "error")
        assert frames[0]["seq"] == 4
        assert frames[-1]["type"] == "done"
        assert "incomplete" not in frames[-1]
        return "".join(frame.get("text", "") for frame in [*seen, *frames])

    assert chat.run(talk()) == "one two three four five six seven"
    assert chat.claude.stats()["calls"]["POST /v1/messages"]["total"] == 1


def test_who_takes_an_answer_up_at_another_socket_leaves_the_first_free_to_ask(
    chat: Chatting,
) -> None:
    chat.claude.plan([{"name": "hold", "after": 2}])

    async def talk() -> None:
        async with (
            chat.person(conversation="c1") as first,
            chat.person(conversation="c1") as second,
        ):
            await first.next()
            await second.next()
            await first.ask("m1", resume=True)
            await first.next()
            await asyncio.to_thread(chat.claude.wait, held=1)
            await second.send(type="resume", id="m1", after=0)
            assert (await second.next())["seq"] == 1
            await asyncio.to_thread(chat.claude.release)
            assert (await second.until("done", "error"))[-1]["id"] == "m1"
            await first.ask("m2", model="fast")
            frames = await first.until("done", "error")
            assert (frames[-1]["type"], frames[-1]["id"]) == ("done", "m2")

    chat.run(talk())


def test_an_answer_that_ended_meanwhile_is_given_back_whole(chat: Chatting) -> None:
    chat.claude.plan([{"name": "answer", "text": "one two three"}])

    async def talk() -> None:
        async with chat.person(conversation="c1") as person:
            await person.next()
            await person.ask("m1", resume=True)
            await person.next()
        await asyncio.to_thread(until, chat.turns)
        async with chat.person(conversation="c1") as back:
            await back.next()
            await back.send(type="resume", id="m1", after=0)
            text, done = await whole(back)
            assert (text, done["stop_reason"]) == ("one two three", "end_turn")

    chat.run(talk())


def test_another_task_gives_back_what_the_table_has_of_it(aws: AwsDouble, claude: Fake) -> None:
    claude.plan([{"name": "answer", "text": "one two three"}])
    with chatting(aws, claude) as first:
        key = first.key

        async def ask() -> None:
            async with first.person(conversation="c1") as person:
                await person.next()
                await person.ask("m1")
                await whole(person)

        first.run(ask())
        with_table = first.aws
        second_app = first  # the same table, another process's memory
        second_app.app.state.live.chat._answers._kept.clear()

        async def back() -> list[dict[str, Any]]:
            async with first.person(conversation="c1", key=key) as person:
                await person.next()
                await person.send(type="resume", id="m1", after=1)
                return await person.until("done", "error")

        delta, done = first.run(back())
    assert with_table.count("dynamodb:Query") >= 1
    assert (delta["text"], delta["whole"]) == ("one two three", True)
    assert (done["type"], done["stop_reason"]) == ("done", "end_turn")


def test_an_answer_that_nobody_comes_back_for_ends_after_its_time(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan([{"name": "hold", "after": 2}])
    with chatting(aws, claude, resume_s="0.2") as chat:

        async def talk() -> None:
            async with chat.person() as person:
                await person.next()
                await person.ask("m1", resume=True)
                await person.next()

        chat.run(talk())
        claude.wait(left=1, timeout_s=5)


MID_STREAM: list[tuple[str, str, bool]] = [
    ("stream_error", "overloaded_error", True),
    ("cut", "api_error", True),
    ("reset after=3", "api_error", True),
    ("malformed_sse", "api_error", True),
    ("stream_error type=invalid_request_error", "invalid_request_error", False),
]


@pytest.mark.parametrize(("script", "kind", "retryable"), MID_STREAM)
def test_an_answer_that_breaks_is_an_error_that_says_whether_asking_again_makes_sense(
    chat: Chatting, script: str, kind: str, retryable: bool
) -> None:
    chat.claude.plan([script])

    async def talk() -> None:
        async with chat.person() as person:
            await person.next()
            await person.ask("m1")
            frames = await person.until("done", "error")
            last = frames[-1]
            assert (last["type"], last["id"]) == ("error", "m1")
            assert (last["error"]["type"], last["retryable"]) == (kind, retryable)
            await person.ask("m2")
            assert (await whole(person))[1]["type"] == "done"

    chat.run(talk())
    kept = {turn["id"]: turn["incomplete"] for turn in chat.turns()}
    assert kept == {"m1": True, "m2": False}


def test_a_message_beyond_the_budget_is_an_error_and_claude_is_not_asked(chat: Chatting) -> None:
    key, _ = chat.aws.add_client(budget=10, models=("balanced",))

    async def talk() -> None:
        async with chat.person(key=key) as person:
            await person.next()
            await person.ask("m1")
            refused = await person.next()
            assert refused["error"]["type"] == "rate_limit_error"
            assert refused["error"]["budget"]["limit_usd"] == 1e-8

    chat.run(talk())
    assert chat.claude.stats()["calls"] == {}


def test_a_frame_above_the_limit_is_an_error_and_closes(aws: AwsDouble, claude: Fake) -> None:
    with chatting(aws, claude, frame_bytes="1000") as chat:

        async def talk(size: int) -> list[Any]:
            async with chat.person() as person:
                await person.next()
                try:
                    await person.socket.send("x" * size)
                    frame = await person.next()
                except ConnectionClosed:
                    frame = {}
                return [frame.get("error", {}).get("type"), await person.closed()]

        assert chat.run(talk(1_001)) == ["request_too_large", 1009]
        assert chat.run(talk(100_000))[1] == 1009


def test_too_many_messages_a_minute_are_an_error_and_close(aws: AwsDouble, claude: Fake) -> None:
    with chatting(aws, claude, messages_per_minute="2") as chat:

        async def talk() -> None:
            async with chat.person() as person:
                await person.next()
                for at in range(6):  # a minute may turn between: six are above any two
                    try:
                        await person.ask(f"m{at}", model="fast")
                        last = (await person.until("done", "error"))[-1]
                    except ConnectionClosed:
                        break
                    if last["type"] == "error":
                        break
                assert last["error"]["type"] == "rate_limit_error"
                assert await person.closed() == 4429

        chat.run(talk())


def test_sockets_of_a_client_and_of_a_task_have_an_end(aws: AwsDouble, claude: Fake) -> None:
    with chatting(aws, claude, sockets_per_client="2", sockets_per_task="3") as chat:
        other, _ = chat.aws.add_client()

        async def talk() -> None:
            async with AsyncExitStack() as stack:

                async def enter(key: str | None = None) -> Person:
                    return await stack.enter_async_context(chat.person(key=key))

                for key in (None, None, other):
                    assert (await (await enter(key)).next())["type"] == "ready"
                third, fourth = await enter(), await enter(other)
                assert (await third.next())["error"]["type"] == "overloaded_error"
                assert await fourth.closed() == 1013
            async with AsyncExitStack() as stack:
                for _ in range(2):
                    assert (await (await enter()).next())["type"] == "ready"
                third = await enter()
                assert (await third.next())["error"]["type"] == "rate_limit_error"
                assert await third.closed() == 4429
            async with chat.person() as again:
                assert (await again.next())["type"] == "ready"

        chat.run(talk())


def test_a_socket_that_says_nothing_is_closed_as_idle_and_one_with_an_answer_is_not(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan([{"name": "hold", "after": 1}])
    with chatting(aws, claude, idle_s="1") as chat:

        async def talk() -> None:
            async with chat.person() as idle, chat.person() as busy:
                await busy.next()
                await busy.ask("m1")
                frames = await idle.until("error")
                assert frames[-1]["error"]["type"] == "timeout_error"
                assert await idle.closed() == 4408
                chat.claude.release()
                assert (await whole(busy))[1]["type"] == "done"

        chat.run(talk())


def test_a_socket_that_has_lived_its_time_is_told_to_come_again(
    aws: AwsDouble, claude: Fake
) -> None:
    with chatting(aws, claude, lifetime_s="1") as chat:

        async def talk() -> None:
            async with chat.person() as person:
                await person.next()
                assert await person.next() == {"type": "reconnect", "reason": "lifetime"}
                assert await person.closed() == 1001

        chat.run(talk())


def test_pings_of_our_own_come_while_claude_is_silent(aws: AwsDouble, claude: Fake) -> None:
    claude.plan([{"name": "hold", "after": 1}])
    with chatting(aws, claude, ping_s="1") as chat:

        async def talk() -> None:
            async with chat.person() as person:
                await person.ask("m1")
                kinds: list[str] = []
                while "ping" not in kinds:
                    kinds.append(json.loads(await person.socket.recv())["type"])
                chat.claude.release()
                await person.until("done")

        chat.run(talk())


def test_a_reader_that_takes_nothing_is_cut_and_claude_is_not_read_for_it_without_end(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan([{"name": "answer", "tokens": 128_000}])
    with chatting(aws, claude, stall_s="1", stream_timeout_s="120") as chat:

        async def talk() -> None:
            async with chat.person(receive_bytes=4_096) as person:
                await person.next()
                await person.ask("m1", max_tokens=128_000)
                # The library reads ahead until its queue is full; then nobody takes anything.
                await asyncio.to_thread(chat.claude.wait, left=1, timeout_s=60)
                person.socket.transport.abort()

        chat.run(talk())


def test_an_empty_conversation_id_and_a_strange_one_are_refused(chat: Chatting) -> None:
    async def talk() -> None:
        async with chat.person(conversation="a/b") as person:
            assert "conversation: must be" in (await person.next())["error"]["message"]

    chat.run(talk())


def test_the_other_routes_answer_as_the_messages_api(chat: Chatting) -> None:
    hello = [{"role": "user", "content": "hi"}]
    counted = chat.http.post("/v1/messages/count_tokens", json={"model": "fast", "messages": hello})
    assert counted.json()["input_tokens"] > 0
    assert {one["id"] for one in chat.http.get("/v1/models").json()["data"]} == {
        "claude-haiku-5-5",
        "claude-sonnet-5-5",
        "claude-opus-5-5",
    }
    asked = {"model": "fast", "max_tokens": 9, "messages": hello}
    assert chat.http.post("/v1/messages", json=asked).status_code == 200
    assert "message_stop" in chat.http.post("/v1/messages", json=asked | {"stream": True}).text
    assert chat.http.get("/health").json() == {"status": "ok"}
    assert chat.http.get("/ready").json() == {"status": "ready"}
    described = chat.http.get("/openapi.json").json()["paths"]
    assert {"/v1/messages", "/v1/tickets", "/ready"} <= set(described)
    made = chat.http.post("/v1/tickets")
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert chat.http.post("/v1/tickets", headers={"x-api-key": "no"}).status_code == 401
    assert chat.http.get("/nowhere").json()["error"]["type"] == "not_found_error"


@pytest.mark.parametrize("route", route_names(Backend.CHAT))
@pytest.mark.parametrize("key", [True, False])
def test_answer_of_each_route_has_the_headers_and_the_schema_described(
    chat: Chatting, route: str, key: bool
) -> None:
    asked = {"model": "fast", "messages": [{"role": "user", "content": "hi"}]}
    bodies: dict[str, Any] = {"POST /v1/messages": asked | {"max_tokens": 9}}
    bodies["POST /v1/messages/count_tokens"] = asked
    method, path = route.split(" ")
    headers = {} if key else {"x-api-key": "ck_" + "x" * 43}
    answer = chat.http.request(method, path, json=bodies.get(route), headers=headers)
    assert answer.is_success is (key or not http_route(route).key)
    described = chat.http.get("/openapi.json").content
    assert_described(described, route, answer.status_code, answer.headers, answer.content)
    assert "request-id" in answer.headers


def test_a_key_is_a_client_by_its_own_row(chat: Chatting) -> None:
    assert ClientKey.parse(chat.key).id == chat.client.id
