"""What goes out to AWS is what was signed, and what comes back is whole or an error."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from claude_core.aws import Aws
from claude_core.aws_shapes import Answer
from claude_core.connections import AwsHttp
from claude_core.errors import AwsUnreachable
from claude_core.settings import Runtime

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Amz-Meta-Name: a\r\n\r\n{}"
Do = Callable[[AwsHttp, str], Awaitable[Answer]]


class Served:
    """A server that answers every request with the same bytes, and keeps what it was sent."""

    def __init__(self, answer: bytes) -> None:
        self.answer, self.requests = answer, list[bytes]()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        self.requests.append(head + await reader.readexactly(int(size or 0)))
        writer.write(self.answer)
        writer.close()
        await writer.wait_closed()

    def to(self, do: Do) -> Answer:
        async def inner() -> Answer:
            async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                async with AwsHttp() as http:
                    return await do(http, f"http://127.0.0.1:{port}")

        return asyncio.run(inner())


def test_a_request_goes_out_as_it_was_signed_and_with_nothing_else() -> None:
    served = Served(OK)
    signed = {"host": "sqs.eu-west-1.amazonaws.com", "x-amz-date": "20260101T000000Z"}
    path = "/inbox/a%28b%29%2Bc%7Ed?versionId=x%2By"
    answer = served.to(lambda http, url: http.send("PUT", url + path, signed, b"hi", read_s=5))
    head, _, body = served.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    names = {line.partition(":")[0].lower() for line in lines}
    assert first == f"PUT {path} HTTP/1.1"
    assert names - {"content-type"} == {"host", "x-amz-date", "content-length"}
    assert "host: sqs.eu-west-1.amazonaws.com" in [line.lower() for line in lines]
    assert body == b"hi"
    assert (answer.status, answer.headers["x-amz-meta-name"], answer.body) == (200, "a", b"{}")


def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    answer = Served(moved).to(lambda http, url: http.send("GET", url, {}, b"", read_s=5))
    assert answer.status == 307


@pytest.mark.parametrize("answer", [b"", OK[:-1], b"nonsense\r\n\r\n"], ids=["none", "cut", "not"])
def test_half_an_answer_is_none(answer: bytes) -> None:
    with pytest.raises(aiohttp.ClientError):
        Served(answer).to(lambda http, url: http.send("POST", url, {}, b"{}", read_s=5))


def test_what_breaks_below_is_asked_twice_and_then_unreachable() -> None:
    served = Served(b"")

    async def call(http: AwsHttp, url: str) -> Answer:
        runtime = Runtime(region="eu-west-1", endpoint_url=url)
        with pytest.raises(AwsUnreachable):
            await Aws(http, runtime).call("sqs", "AmazonSQS.SendMessage", {})
        return Answer(0, {}, b"")

    served.to(call)
    assert len(served.requests) == 2
