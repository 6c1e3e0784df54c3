"""A caller's question as the chosen model is asked it: what the caller says stands, and the route
says the rest."""

from claude_core import fields, messages
from claude_core.errors import InvalidRequest
from claude_core.fields import Field
from claude_core.messages import NON_STREAMING_MAX_TOKENS, Request
from claude_core.models import MODELS, Model
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Last, Reason
from claude_core.routing.policy import AUTO
from claude_core.routing.thoughts import carried, own_from
from claude_core.wire import Json

MESSAGES = {
    **fields.MESSAGES,
    "model": Field(
        fields.model(AUTO),
        default=AUTO,
        description="`auto`, or none: it is chosen by the question. A role or a model id is asked "
        "as it stands.",
    ),
    "max_tokens": Field(fields.TOKENS, description="The route's own number where none is given."),
}
"""A Messages API request here; `checked` fills in what it may leave out."""
INPUT = {
    "input": fields.PROMPT["prompt"],
    **{name: MESSAGES[name] for name in ("model", "max_tokens")},
    "system": fields.PROMPT["system"],
    "stream": MESSAGES["stream"],
}

OFF = {model.least_thinking for model in MODELS} - {"adaptive"}
HARDEST = ("xhigh", "max")
"""Efforts that models refuse without thinking."""


def body_of(body: Json) -> Json:
    """The body of a Messages API request, out of that or of `{"input": "…"}`.

    Raises:
        InvalidRequest: names the field and the rule.
    """
    if "input" not in body:
        return body
    if "messages" in body:
        raise InvalidRequest("input: send either input or messages")
    for name in sorted(fields.check(body, INPUT)):
        raise InvalidRequest(f"{name[:100]}: no such field beside input")
    rest = {name: value for name, value in body.items() if name != "input"}
    return {**rest, "messages": [{"role": "user", "content": body["input"]}]}


def checked(table: Table, body: Json, headers: dict[str, str]) -> Request:
    """Hold a question against all rules, before anything is asked or spent on it.

    Raises:
        InvalidRequest, NotFound, NotAllowed, as `messages.request`.
    """
    model = body.get("model", AUTO)
    asked = {**body, "model": table.default.model if model == AUTO else model}
    return messages.request(_with_tokens(asked, table.default.max_tokens), headers)


def asked(choice: Choice, body: Json, headers: dict[str, str], last: Last | None = None) -> Request:
    """The request that goes to the chosen model; `last` is the answer before, if that is known."""
    route = choice.route
    found = _with_tokens({**body, "model": choice.model.id}, route.max_tokens)
    if route.system and "system" not in body:
        found["system"] = route.system
    if choice.reason is not Reason.ASKED and _off(body):
        _think_least(found, choice.model)
    if route.effort and not (_off(found) and route.effort in HARDEST):
        found["output_config"] = {"effort": route.effort, **(body.get("output_config") or {})}
    found["messages"] = carried(body["messages"], own_from(choice, body, last))
    request = messages.request(found, headers)
    return request.cached() if route.cache and request.cacheable else request


def _off(body: Json) -> bool:
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in OFF


def _think_least(body: Json, model: Model) -> None:
    """What turns thinking off for one model is refused by another."""
    if body["thinking"]["type"] != model.least_thinking:
        body["thinking"] = {"type": model.least_thinking}


def _with_tokens(body: Json, most: int) -> Json:
    if "max_tokens" in body:
        return body
    limit = most if body.get("stream") else min(most, NON_STREAMING_MAX_TOKENS)
    return {**body, "max_tokens": limit}
