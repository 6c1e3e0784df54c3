"""Which models the fake has, and how `GET /v1/models` lists them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from local.fake_claude.errors import ApiError

EPOCH = "1970-01-01T00:00:00Z"
"""What the Messages API writes where a release date is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model. All that can be called refuse sampling, prefill, budgets and forced tools."""

    id: str
    display_name: str
    line: str
    created_at: str = EPOCH
    lifecycle: str = "active"
    deprecated_at: str | None = None
    retires_at: str | None = None
    thinking_off: str | None = None
    """The `thinking.type` by which it does not think at first; None: it always may."""
    max_input_tokens: int = 1_000_000
    max_tokens: int = 128_000

    def to_json(self) -> dict[str, Any]:
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.display_name,
            "line": self.line,
            "created_at": self.created_at,
            "lifecycle": self.lifecycle,
            "deprecated_at": self.deprecated_at,
            "retires_at": self.retires_at,
            "max_input_tokens": self.max_input_tokens,
            "max_tokens": self.max_tokens,
            "capabilities": _capabilities(self),
        }


MODELS = (
    Model(
        id="claude-haiku-5-5",
        display_name="Claude Haiku 5.5",
        line="haiku",
        created_at="2026-10-07T00:00:00Z",
        thinking_off="disabled",
    ),
    Model(
        id="claude-sonnet-5-5",
        display_name="Claude Sonnet 5.5",
        line="sonnet",
        created_at="2026-09-28T00:00:00Z",
        thinking_off="between_tools",
    ),
    Model(id="claude-opus-5-5", display_name="Claude Opus 5.5", line="opus"),
    Model(id="claude-fable-5-1", display_name="Claude Fable 5.1", line="fable"),
    Model(
        id="claude-sonnet-4-20250514",
        display_name="Claude Sonnet 4",
        line="sonnet",
        created_at="2025-05-14T00:00:00Z",
        lifecycle="retired",
        deprecated_at="2026-04-14T00:00:00Z",
        retires_at="2026-06-15T00:00:00Z",
        max_input_tokens=200_000,
        max_tokens=64_000,
    ),
)


def find(model_id: str) -> Model:
    """The model of that id, retired ones too; 404 as the Messages API words it."""
    for model in MODELS:
        if model.id == model_id:
            return model
    raise ApiError(404, f"model: {model_id}")


def usable(model_id: str) -> Model:
    """The model of that id, if it still answers; a retired one is as unknown as a wrong one."""
    model = find(model_id)
    if model.lifecycle == "retired":
        raise ApiError(404, f"model: {model_id}")
    return model


def listed(lifecycle: Collection[str]) -> list[Model]:
    """The models, newest first. Retired ones are among them only when asked for."""
    wanted = set(lifecycle) or {"active", "deprecated"}
    return [model for model in MODELS if model.lifecycle in wanted]


def _capabilities(model: Model) -> dict[str, Any]:
    yes, no = {"supported": True}, {"supported": False}
    off = {
        name: yes if name == model.thinking_off else no for name in ("between_tools", "disabled")
    }
    levels = dict.fromkeys(("low", "medium", "high", "xhigh", "max"), yes)
    plain = ("batch", "citations", "image_input", "pdf_input", "structured_outputs")
    return {
        **dict.fromkeys(plain, yes),
        "code_execution": no,
        "context_management": no,
        "effort": {**yes, **levels},
        "server_tools": {**no, "code_execution": no, "web_search": no},
        "thinking": {
            **yes,
            "types": {"adaptive": yes, **off, "enabled": no},
        },
    }
