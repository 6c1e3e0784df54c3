"""`kit ask`: one question through a deployment, with the official client."""

import sys
from typing import Annotated, Any

import typer

from kit.deployment import Deployment
from kit.options import Json, deployed
from kit.say import Stop, out

TIMEOUT_S = 40.0


@deployed
def ask(
    deployment: Deployment,
    question: Annotated[str | None, typer.Argument(help="Or on standard input.")] = None,
    model: Annotated[str, typer.Option(help="A role or a model id.")] = "fast",
    max_tokens: Annotated[int, typer.Option(help="The longest answer.")] = 512,
    system: Annotated[str | None, typer.Option(help="A system prompt.")] = None,
    key: Annotated[str | None, typer.Option(envvar="KIT_CLIENT_KEY", help="A client key.")] = None,
    as_json: Json = False,
) -> None:
    """Ask Claude one question through the deployment."""
    if question is None and not sys.stdin.isatty():
        question = sys.stdin.read()
    if not question or not question.strip():
        raise Stop('nothing was asked; try: kit ask "Why is the sky blue?"', code=2)
    key = key or (deployment.here["Local"]["ClientKey"] if deployment.local else None)
    if not key:
        raise Stop("no client key; give --key or set KIT_CLIENT_KEY (kit clients add NAME)", code=2)
    url = deployment.outputs("ServerlessStack")["ApiUrl"].rstrip("/")
    message = _send(url, key, model, max_tokens, question, system)
    if as_json:
        print(message.to_json())
        return
    print("".join(block.text for block in message.content if block.type == "text"))
    usage = message.usage
    out.print(
        f"[dim]{message.model} · {usage.input_tokens} in, {usage.output_tokens} out · "
        f"{message.stop_reason}[/]"
    )


def _send(
    url: str, key: str, model: str, max_tokens: int, question: str, system: str | None
) -> Any:
    import anthropic

    more: dict[str, Any] = {"system": system} if system else {}
    # The function behind the URL has retried already: a second owner would multiply the calls.
    with anthropic.Anthropic(base_url=url, api_key=key, timeout=TIMEOUT_S, max_retries=0) as client:
        try:
            return client.messages.create(
                model=model,
                max_tokens=max_tokens,
                messages=[{"role": "user", "content": question}],
                **more,
            )
        except anthropic.APIStatusError as failed:
            said = failed.api_message or failed.message
            raise Stop(f"{failed.status_code} {said} ({failed.request_id})") from failed
        except anthropic.APIConnectionError as failed:
            raise Stop(f"{url} cannot be reached; is it deployed? kit doctor") from failed
