"""`kit ask`: questions through a deployment, streamed, with the official client."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from claude_core.models import NANO, resolve
from claude_core.usage import Usage
from kit.deployment import Deployment
from kit.options import Json, deployed
from kit.say import Stop, err, out, usd

if TYPE_CHECKING:
    from anthropic import Anthropic
    from anthropic.types import Message, MessageParam

SILENCE_S = 40.0
"""Longer than the deployment's own pings are apart."""


@deployed
def ask(
    deployment: Deployment,
    question: Annotated[str | None, typer.Argument(help="Or on standard input.")] = None,
    model: Annotated[str, typer.Option(help="A role or a model id.")] = "fast",
    max_tokens: Annotated[int, typer.Option(help="The longest answer.")] = 1_024,
    system: Annotated[str | None, typer.Option(help="A system prompt.")] = None,
    key: Annotated[str | None, typer.Option(envvar="KIT_CLIENT_KEY", help="A client key.")] = None,
    chat: Annotated[bool, typer.Option("--chat", help="Go on asking; a line each.")] = False,
    as_json: Json = False,
) -> None:
    """Ask Claude through the deployment: the answer as it is written, then usage and cost."""
    import anthropic

    if chat and as_json:
        raise Stop("--chat and --json do not go together", code=2)
    if question is None and not chat and not sys.stdin.isatty():
        question = sys.stdin.read()
    if not chat and not (question and question.strip()):
        raise Stop('nothing was asked; try: kit ask "Why is the sky blue?"', code=2)
    key = key or (deployment.here["Local"]["ClientKey"] if deployment.local else None)
    if not key:
        raise Stop("no client key; give --key or set KIT_CLIENT_KEY (kit clients add NAME)", code=2)
    url = deployment.outputs("ServerlessStack")["ApiUrl"].rstrip("/")
    asking: dict[str, Any] = {"model": model, "max_tokens": max_tokens}
    asking |= {"system": system} if system else {}
    # The function behind the URL has retried already: a second owner would multiply the calls.
    with anthropic.Anthropic(base_url=url, api_key=key, timeout=SILENCE_S, max_retries=0) as client:
        if chat:
            _chat(client, asking, question)
            return
        said: list[MessageParam] = [{"role": "user", "content": question or ""}]
        message = _answer(client, asking, said, shown=not as_json)
    if as_json:
        print(json.dumps(message.to_dict(mode="json") | {"cost_usd": _cost(message)}))
    else:
        _sum_up(message)


def _chat(client: "Anthropic", asking: dict[str, Any], first: str | None) -> None:
    """A conversation, until end of input; a question that fails is not part of it."""
    said: list[MessageParam] = []
    spent = 0.0
    for question in _questions(first):
        said.append({"role": "user", "content": question})
        try:
            message = _answer(client, asking, said, shown=True)
        except Stop as stop:
            err.print(str(stop), markup=False)
            said.pop()
            continue
        said.append({"role": "assistant", "content": message.content})
        _sum_up(message)
        spent += _cost(message)
    out.print(f"[dim]together {usd(spent)}[/]")


def _questions(first: str | None) -> Iterator[str]:
    if first and first.strip():
        yield first
    typing = sys.stdin.isatty()
    if typing:
        import readline

        readline.set_auto_history(True)  # and arrow keys, in input()
        out.print("[dim]end with Ctrl-D[/]")
    while True:
        try:
            question = input("> " if typing else "")
        except EOFError:
            return
        if question.strip():
            yield question


def _answer(
    client: "Anthropic", asking: dict[str, Any], said: "list[MessageParam]", *, shown: bool
) -> "Message":
    """One answer, written to the screen as it comes.

    Raises:
        Stop: refused, or not whole.
    """
    import anthropic
    import httpx2

    try:
        with client.messages.stream(messages=said, **asking) as stream:
            for text in stream.text_stream:
                if shown:
                    sys.stdout.write(text)
                    sys.stdout.flush()
            if shown:
                print()
            return stream.get_final_message()
    except anthropic.APIStatusError as failed:
        partly = failed.status_code == 200
        status = "not whole:" if partly else failed.status_code
        words = failed.api_message or failed.message
        raise Stop(f"{_below(partly and shown)}{status} {words} ({failed.request_id})") from failed
    except anthropic.APIConnectionError as failed:
        raise Stop(f"{client.base_url} cannot be reached; is it deployed? kit doctor") from failed
    except httpx2.HTTPError as failed:
        raise Stop(f"{_below(shown)}not whole: the connection broke; ask again") from failed


def _below(partly: bool) -> str:
    return "\n" if partly else ""


def _sum_up(message: "Message") -> None:
    usage = message.usage
    parts = [f"{usage.input_tokens} in", f"{usage.output_tokens} out"]
    if usage.cache_read_input_tokens:
        parts.append(f"{usage.cache_read_input_tokens} from cache")
    if usage.cache_creation_input_tokens:
        parts.append(f"{usage.cache_creation_input_tokens} to cache")
    why = {"max_tokens": "cut at --max-tokens"}.get(message.stop_reason or "", message.stop_reason)
    line = f"{message.model} · {', '.join(parts)} · {usd(_cost(message))} · {why}"
    out.print(f"[dim]{line}[/]")


def _cost(message: "Message") -> float:
    """USD, by the price table."""
    used = Usage.from_json(message.usage.to_dict())
    return resolve(message.model).cost(used, message.stop_reason) / NANO
