"""Everything the fake can be told to do, one row each."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from local.fake_claude import faults, shapes
from local.fake_claude.answer import Answer
from local.fake_claude.errors import TYPES
from local.fake_claude.script import KNOWN, BadScriptError, Script
from local.fake_claude.turn import Turn

Shape = Callable[[Answer, Mapping[str, Any], Mapping[str, Any]], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What is said (`shape`), how it is delivered, and the parameters with their defaults."""

    shape: Shape = shapes.unchanged
    deliver: Callable[[Turn], Awaitable[None]] = faults.answer
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        bent = self.shape is not shapes.unchanged
        words = (self.shape if bent else self.deliver).__doc__ or ""
        return words.partition("\n")[0]


def _refusal(status: int, message: str, **params: Any) -> Behaviour:
    first = {"status": status, "type": TYPES[status], "message": message, "error_code": None}
    retry = {"retry_after": None, "retry_after_ms": None, "should_retry": None}
    return Behaviour(deliver=faults.refuse, params={**first, **retry, **params})


BEHAVIOURS: dict[str, Behaviour] = {
    "answer": Behaviour(),
    "hold": Behaviour(deliver=faults.hold, params={"after": None}),
    # refusals
    "bad_request": _refusal(400, "The fake Claude was told to refuse this request."),
    "unauthenticated": _refusal(401, "invalid x-api-key"),
    "billing": _refusal(402, "There is an issue with your billing or payment information."),
    "forbidden": _refusal(403, "Your API key does not have permission to use this resource."),
    "not_found": _refusal(404, "Not found"),
    "too_large": _refusal(413, "Request exceeds the maximum size"),
    "rate_limited": _refusal(
        429, "This request would exceed your organization's rate limit.", retry_after="1"
    ),
    "spend_cap": _refusal(
        429,
        "Your organization has reached its monthly API usage limit.",
        error_code="enforced_spend_limit_reached",
    ),
    "server_error": _refusal(500, "Internal server error"),
    "unavailable": _refusal(503, "Service unavailable"),
    "timed_out": _refusal(504, "The request timed out."),
    "overloaded": _refusal(529, "Overloaded"),
    # answers that end otherwise than hoped
    "empty": Behaviour(shape=shapes.empty),
    "thinking": Behaviour(
        shape=shapes.thinking, params={"thought": "The fake Claude considers the question."}
    ),
    "unknown_fields": Behaviour(shape=shapes.unknown_fields),
    "end_turn": Behaviour(shape=shapes.end_turn),
    "max_tokens": Behaviour(shape=shapes.max_tokens),
    "stop_sequence": Behaviour(shape=shapes.stop_sequence),
    "tool_use": Behaviour(shape=shapes.tool_use),
    "pause_turn": Behaviour(shape=shapes.pause_turn),
    "refusal": Behaviour(shape=shapes.refusal, params={"category": None}),
    "model_context_window_exceeded": Behaviour(shape=shapes.context_full),
    # answers that do not arrive as they should
    "html": Behaviour(deliver=faults.html),
    "truncated": Behaviour(deliver=faults.truncated),
    "malformed_sse": Behaviour(deliver=faults.malformed_sse, params={"after": 3}),
    "stream_error": Behaviour(
        deliver=faults.stream_error,
        params={"after": 3, "type": "overloaded_error", "message": "Overloaded"},
    ),
    "cut": Behaviour(deliver=faults.cut, params={"after": 3}),
    "reset": Behaviour(deliver=faults.reset, params={"after": None}),
    "hang": Behaviour(deliver=faults.hang, params={"after": None, "for_s": 600}),
    "trickle": Behaviour(deliver=faults.trickle, params={"every_ms": 100}),
    "ping_only": Behaviour(deliver=faults.ping_only, params={"every_ms": 1_000, "for_s": 600}),
}


def checked(script: Script) -> Script:
    """The script with every parameter of its behaviour filled in, or what is wrong with it."""
    row = BEHAVIOURS.get(script.name)
    if row is None:
        raise BadScriptError(f"{script.name}: no such behaviour; known are {', '.join(BEHAVIOURS)}")
    for name, value in script.params.items():
        if name not in row.params:
            known = ", ".join([*row.params, *KNOWN])
            raise BadScriptError(f"{script.name}: {name} is not a parameter; it takes {known}")
        counts = name == "after" or isinstance(row.params[name], int)
        if counts and not (isinstance(value, int | float) or value is row.params[name]):
            raise BadScriptError(f"{script.name}: {name}={value!r} is not a number")
    return replace(script, params={**row.params, **script.params})
