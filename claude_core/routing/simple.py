"""Classify a text and answer it with the model of its route: the whole pattern as one call."""

import asyncio

from claude_core.aws import Aws
from claude_core.client import Claude
from claude_core.connections import AwsHttp
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.retry import RetryBudget
from claude_core.routes import Table
from claude_core.routing.asked import asked, body_of
from claude_core.routing.policy import Purse
from claude_core.routing.router import Router
from claude_core.sdk_options import claude_http
from claude_core.secret import Secret
from claude_core.settings import Runtime, Settings

ANSWER_S = 120.0


def classify_then_respond(text: str) -> str:
    """The answer's text, for a script with a deployment's environment around it; where an event
    loop runs already there is `respond`. Nobody's budget is charged: for a client of a deployment
    there is `Orchestra`. Empty where Claude refuses.

    Raises:
        InvalidRequest: there is no text. UpstreamFailed, Unavailable: as `Claude.ask`.
        KeyError: names the variable that the environment lacks.
        RuntimeError: an event loop runs already.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise RuntimeError("an event loop runs: await claude_core.routing.respond(...) in it")
    return asyncio.run(_once(text))


async def respond(text: str, *, claude: Claude, router: Router, within_s: float = ANSWER_S) -> str:
    """The same with a process's own Claude and router; thinking is no part of the text."""
    deadline, body = asyncio.get_running_loop().time() + within_s, body_of({"input": text})

    async def ask(request: Request, by: float) -> tuple[Reply, int]:
        reply = await claude.ask(request, deadline=min(by, deadline), retried=False)
        return reply, request.model.cost(reply.usage, reply.stop_reason)

    choice = await router.choose(body, Purse(), ask)
    return (await claude.ask(asked(choice, body, {}), deadline=deadline)).text


async def _once(text: str) -> str:
    settings, aws = Settings.from_env(), Aws(AwsHttp(), Runtime.from_env())
    claude = Claude(
        url=settings.claude_url,
        secret=Secret(aws, settings.claude_secret),
        http=claude_http(),
        retries=RetryBudget(),
    )
    try:
        return await respond(text, claude=claude, router=Router(Table.own()))
    finally:
        await claude.close()
        await aws.close()
