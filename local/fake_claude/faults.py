"""Ways to deliver an answer, the right one first."""

import asyncio

from local.fake_claude import sse
from local.fake_claude.errors import ApiError
from local.fake_claude.script import Script
from local.fake_claude.turn import Turn
from local.fake_claude.wire import encode

HTML = b"<!doctype html><html><body><h1>Bad gateway</h1></body></html>"
HALF_AN_EVENT = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n'
)


async def answer(turn: Turn) -> None:
    """Say it all, as asked: one JSON document, or a stream of events."""
    if turn.streaming:
        await turn.start_stream()
        async for event in turn.events():
            await turn.write(event)
    else:
        await turn.produce()
        await turn.wire.send_json(turn.payload())


async def refuse(turn: Turn) -> None:
    """Refuse with this status, type, message and error code, and any retry headers."""
    raise refusal(turn.script)


def refusal(script: Script) -> ApiError:
    """The refusal that a script describes."""
    given = script.params
    headers = {
        "retry-after": given["retry_after"],
        "retry-after-ms": given["retry_after_ms"],
        "x-should-retry": given["should_retry"],
    }
    return ApiError(
        given["status"],
        given["message"],
        type=given["type"],
        error_code=given["error_code"],
        headers={name: str(value) for name, value in headers.items() if value is not None},
    )


async def hold(turn: Turn) -> None:
    """Wait for `POST /_fake/release`, then go on as if nothing had been."""
    after = turn.param("after")
    if after is None or not turn.streaming:
        await turn.fake.released()
        await answer(turn)
        return
    await turn.start_stream()
    shown = 0
    async for event in turn.events():
        if event.name == "content_block_start" and after == 0:
            await turn.fake.released()
        await turn.write(event)
        shown += event.costs
        if event.costs and shown == after:
            await turn.fake.released()


async def hang(turn: Turn) -> None:
    """Say nothing more, and hang up in the end."""
    await _begin(turn)
    await asyncio.sleep(turn.param("for_s"))
    turn.wire.drop()


async def reset(turn: Turn) -> None:
    """Break the TCP connection: before the headers, or `after` so many deltas."""
    await _begin(turn)
    turn.wire.reset()


async def cut(turn: Turn) -> None:
    """End early, and cleanly: no `message_stop`, or a `stop_reason` of null."""
    if turn.streaming:
        await _begin(turn)
        await turn.wire.write(b"", last=True)
    else:
        async for _ in turn.events(turn.param("after")):
            pass
        await turn.wire.send_json(turn.partial())


async def stream_error(turn: Turn) -> None:
    """Give up in mid-stream with an error event; who does not stream gets the status at once."""
    if not turn.streaming:
        raise gave_up(turn.script)
    await _begin(turn)
    event = sse.error_event(turn.param("type"), turn.param("message"), turn.record.id)
    await turn.wire.write(event.encode(), last=True)


def gave_up(script: Script) -> ApiError:
    """What who does not stream is told instead of an error event."""
    kind = script.params["type"]
    status = 529 if kind == "overloaded_error" else 500
    return ApiError(status, script.params["message"], type=kind)


async def malformed_sse(turn: Turn) -> None:
    """Send an event whose data is not JSON; without a stream, half a document."""
    if not turn.streaming:
        await truncated(turn)
        return
    await _begin(turn)
    await turn.wire.write(HALF_AN_EVENT, last=True)


async def truncated(turn: Turn) -> None:
    """Send the first half of the answer's bytes as if it were all of them."""
    data = await _all_bytes(turn)
    half = data[: len(data) // 2]
    if turn.streaming:
        await turn.start_stream()
    else:
        await turn.wire.start_json(len(half))
    await turn.wire.write(half, last=True)


async def html(turn: Turn) -> None:
    """Answer 200 with a web page, as a proxy in between may."""
    headers = {"content-type": "text/html; charset=utf-8", "content-length": str(len(HTML))}
    await turn.wire.start(200, headers)
    await turn.wire.write(HTML, last=True)


async def trickle(turn: Turn) -> None:
    """Send the headers at once, and then a byte every `every_ms`."""
    if turn.streaming:
        await turn.start_stream()
    data = await _all_bytes(turn)
    if not turn.streaming:
        await turn.wire.start_json(len(data))
    for at in range(len(data)):
        await asyncio.sleep(turn.param("every_ms") / 1_000)
        await turn.wire.write(data[at : at + 1], last=at == len(data) - 1)


async def ping_only(turn: Turn) -> None:
    """Open a stream and send nothing but pings for `for_s`, then end it; without a stream, hang."""
    if not turn.streaming:
        await hang(turn)
        return
    loop = asyncio.get_running_loop()
    until = loop.time() + turn.param("for_s")
    await turn.start_stream()
    while loop.time() < until:
        await turn.wire.write(sse.PING.encode())
        await asyncio.sleep(turn.param("every_ms") / 1_000)
    await turn.wire.write(b"", last=True)


async def _begin(turn: Turn) -> None:
    """What goes out before the fault: nothing, or the part up to `after` deltas."""
    after = turn.param("after")
    if turn.streaming:
        if after is not None:
            await turn.start_stream()
            async for event in turn.events(after):
                await turn.write(event)
    elif after is not None:
        data = await _all_bytes(turn)
        await turn.wire.start_json(len(data))
        await turn.wire.write(data[: len(data) // 2])


async def _all_bytes(turn: Turn) -> bytes:
    if turn.streaming:
        return b"".join([event.encode() async for event in turn.events()])
    await turn.produce()
    return encode(turn.payload())
