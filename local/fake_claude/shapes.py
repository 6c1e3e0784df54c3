"""Ways to bend an answer before it is sent; each takes the answer, the request and parameters."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.fake_claude import compose, thoughts, tokens
from local.fake_claude.answer import Answer, Block

Body = Mapping[str, Any]
Params = Mapping[str, Any]
OFF = ("disabled", "between_tools")


def unchanged(answer: Answer, body: Body, params: Params) -> Answer:
    return answer


def empty(answer: Answer, body: Body, params: Params) -> Answer:
    """Say nothing: no content at all, and the turn is over."""
    return replace(answer, blocks=(), stop_reason="end_turn", stop_sequence=None)


def thinking(answer: Answer, body: Body, params: Params) -> Answer:
    """Think before speaking, unless told not to; it is shown to who asked for a summary alone."""
    asked = body.get("thinking") or {}
    if asked.get("type") in OFF:
        return answer
    shown = asked.get("display") == "summarized"
    block = Block(
        kind="thinking",
        pieces=tokens.pieces(params["thought"]),
        hidden=not shown,
        signature=thoughts.signature(body),
    )
    return replace(answer, blocks=(block, *answer.blocks))


def unknown_fields(answer: Answer, body: Body, params: Params) -> Answer:
    """Be from the future: fields, and in a stream an event, that no client knows."""
    extra = {"fake_future_field": {"known": False}, **answer.extra}
    usage = {"fake_future_tokens": 0, **answer.usage_override}
    return replace(answer, extra=extra, usage_override=usage)


def tool_use(answer: Answer, body: Body, params: Params) -> Answer:
    """Call the first tool on offer, after what there was to say."""
    offered = body.get("tools") or [{"name": "fake_tool"}]
    blocks = tuple(block for block in answer.blocks if block.kind != "tool_use")
    call = compose.tool_block(offered[0])
    return replace(answer, blocks=(*blocks, call), stop_reason="tool_use", stop_sequence=None)


def stop_sequence(answer: Answer, body: Body, params: Params) -> Answer:
    """Stop at the caller's first stop sequence, in the middle of the text."""
    sequence = next(iter(body.get("stop_sequences") or ()), "STOP")
    return replace(_half(answer, "stop_sequence"), stop_sequence=sequence)


def refusal(answer: Answer, body: Body, params: Params) -> Answer:
    """Refuse in mid-answer; what was said until then stays."""
    details = {
        "type": "refusal",
        "category": params["category"],
        "explanation": "The fake Claude was told to refuse.",
    }
    return replace(_half(answer, "refusal"), stop_details=details)


def max_tokens(answer: Answer, body: Body, params: Params) -> Answer:
    """Stop halfway, as if `max_tokens` were used up."""
    return _half(answer, "max_tokens")


def context_full(answer: Answer, body: Body, params: Params) -> Answer:
    """Stop halfway because the context window is full."""
    return _half(answer, "model_context_window_exceeded")


def pause_turn(answer: Answer, body: Body, params: Params) -> Answer:
    """Pause a long turn, to be taken up again."""
    return replace(answer, stop_reason="pause_turn", stop_sequence=None)


def end_turn(answer: Answer, body: Body, params: Params) -> Answer:
    """End of its own accord, whatever the answer was."""
    return replace(answer, stop_reason="end_turn", stop_sequence=None)


def _half(answer: Answer, stop_reason: str) -> Answer:
    return answer.first(-(-answer.tokens // 2), stop_reason)
