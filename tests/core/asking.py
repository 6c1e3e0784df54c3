"""Ways to ask the fake Claude through the core, whole or streamed, read to the end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from claude_core import messages
from claude_core.aws import Aws
from claude_core.client import Claude
from claude_core.connections import AwsHttp
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.retry import RetryBudget
from claude_core.sdk_options import claude_http
from claude_core.secret import Secret
from local.fake_claude.inprocess import Fake
from tests.doubles import CLAUDE_KEY, AwsDouble

T = TypeVar("T")
REQUEST = messages.request(
    {"model": "fast", "max_tokens": 60, "messages": [{"role": "user", "content": "hello"}]}
)


@dataclass(frozen=True)
class Got:
    """What matters of an answer, however it came."""

    text: str
    stop_reason: str | None
    request_id: str | None
    attempts: int


def run(
    aws: AwsDouble,
    url: str,
    do: Callable[[Claude], Awaitable[T]],
    key: str | None = CLAUDE_KEY,
) -> T:
    async def inner() -> T:
        async with AwsHttp() as to_aws, claude_http() as client:
            secret = Secret(Aws(to_aws, aws.runtime), aws.claude_secret(key))
            retries = RetryBudget(first_delay_s=0.02)
            return await do(Claude(url=url, secret=secret, http=client, retries=retries))

    return asyncio.run(inner())


def ask(aws: AwsDouble, claude: Fake, *, seconds: float = 10, request: Request = REQUEST) -> Reply:
    async def once(client: Claude) -> Reply:
        deadline = asyncio.get_running_loop().time() + seconds
        return await client.ask(request, deadline=deadline)

    return run(aws, claude.url, once)


async def whole(client: Claude, request: Request, seconds: float) -> Got:
    deadline = asyncio.get_running_loop().time() + seconds
    reply = await client.ask(request, deadline=deadline)
    return Got(reply.text, reply.stop_reason, reply.request_id, reply.attempts)


async def streamed(client: Claude, request: Request, seconds: float) -> Got:
    """The same request, streamed and read to its end."""
    body = {**request.body, "stream": True}
    deadline = asyncio.get_running_loop().time() + seconds
    first, rest = await client.stream(
        messages.request(body), deadline=deadline, open_deadline=deadline
    )
    text = ""
    async with aclosing(rest):
        assert first.type == "message_start"
        async for event in rest:
            if event.type == "content_block_delta":
                text += event.data["delta"].get("text", "")
    return Got(text, rest.stop_reason, rest.request_id, rest.attempts)


def asked(claude: Fake) -> int:
    """Calls for an answer that Claude has seen."""
    return int(claude.stats()["calls"].get("POST /v1/messages", {}).get("total", 0))
