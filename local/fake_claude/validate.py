"""What the Messages API refuses about a request's shape, in the order in which it looks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.fake_claude import conversation, models, options, prompt, thoughts
from local.fake_claude.errors import invalid

Body = Mapping[str, Any]


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


Check = tuple[str, Callable[[object], bool]]
ANYTHING: Check = ("anything", lambda value: True)
OBJECT: Check = ("a valid dictionary", _is_object)
TEXT: Check = ("a valid string", _is_text)

FIELDS: dict[str, Check] = {
    "max_tokens": ("a valid integer", _is_int),
    "messages": ("a valid list", _is_list),
    "model": TEXT,
    "cache_control": OBJECT,
    "container": ANYTHING,
    "diagnostics": OBJECT,
    "inference_geo": TEXT,
    "metadata": OBJECT,
    "output_config": OBJECT,
    "service_tier": ("'auto' or 'standard_only'", lambda v: v in ("auto", "standard_only")),
    "speed": ("'standard' or 'fast'", lambda value: value in ("standard", "fast")),
    "stop_sequences": (
        "a valid list of strings",
        lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    ),
    "stream": ("a valid boolean", lambda value: isinstance(value, bool)),
    "system": ("a valid string or list", lambda value: isinstance(value, str | list)),
    "temperature": ANYTHING,
    "thinking": OBJECT,
    "tool_choice": OBJECT,
    "tools": ("a valid list", _is_list),
    "top_k": ANYTHING,
    "top_p": ANYTHING,
}
BETA_FIELDS = (
    "billing_policy",
    "compaction",
    "context_management",
    "fallback_credit_token",
    "fallbacks",
    "mcp_servers",
    "thread",
)
"""Known only to a request with an `anthropic-beta` header."""
REQUIRED = ("max_tokens", "messages", "model")
NULLABLE = ("cache_control", "container", "diagnostics", "inference_geo", "speed")
NOT_COUNTED = (
    *("max_tokens", "metadata", "service_tier", "stop_sequences", "stream", "container"),
    *options.SAMPLING,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that can be answered: the model that it is for, and its prompt in blocks."""

    model: models.Model
    segments: Sequence[prompt.Segment]


def message(body: Body, *, beta: bool) -> Checked:
    """Check a request for an answer."""
    _shape(body, REQUIRED, beta)
    model = _content(body, beta)
    asked, most = body["max_tokens"], model.max_tokens
    if asked < 0:  # 0 is legal: it fills the prompt cache and answers nothing
        raise invalid("max_tokens: Input should be greater than or equal to 0")
    if asked > most:
        raise invalid(
            f"max_tokens: {asked} > {most}, which is the maximum allowed number of output tokens "
            f"for {model.id}"
        )
    segments = prompt.segments(thoughts.read(body, model, beta=beta))
    size = sum(segment.tokens for segment in segments)
    if size > model.max_input_tokens:
        raise invalid(f"prompt is too long: {size} tokens > {model.max_input_tokens} maximum")
    return Checked(model, segments)


def in_batch(body: Body, *, beta: bool) -> Checked:
    """Check a request of a batch: it cannot stream, nor only fill the prompt cache."""
    checked = message(body, beta=beta)
    if body.get("stream"):
        raise invalid('"stream=True" is not supported in the Message Batches API')
    if body["max_tokens"] < 1:
        raise invalid("max_tokens: must be greater than or equal to 1")
    return checked


def count(body: Body, *, beta: bool) -> int:
    """Input tokens of a request; it is checked like the others, less what only an answer needs."""
    for name in NOT_COUNTED:
        if name in body:
            raise invalid(f"{name}: Extra inputs are not permitted")
    _shape(body, ("messages", "model"), beta)
    model = _content(body, beta)
    return prompt.input_tokens(thoughts.read(body, model, beta=beta))


def _shape(body: Body, required: tuple[str, ...], beta: bool) -> None:
    for name in required:
        if name not in body:
            raise invalid(f"{name}: Field required")
    for name, value in body.items():
        if name in FIELDS:
            words, fits = FIELDS[name]
            if not (fits(value) or (value is None and name in NULLABLE)):
                raise invalid(f"{name}: Input should be {words}")
        elif not (beta and name in BETA_FIELDS):
            raise invalid(f"{name}: Extra inputs are not permitted")


def _content(body: Body, beta: bool) -> models.Model:
    conversation.check_messages(body["messages"], beta=beta)
    conversation.check_system(body.get("system"))
    options.check_tools(body)
    options.check_options(body)
    conversation.check_marks(body)
    model = models.usable(body["model"])
    options.check_generation(body, model)
    return model
