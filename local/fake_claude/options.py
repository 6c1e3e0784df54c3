"""What the Messages API refuses about options: tools, thinking, output formats, old parameters."""

from collections.abc import Iterator, Mapping
from typing import Any

from local.fake_claude.errors import invalid
from local.fake_claude.models import Model

Body = Mapping[str, Any]

SAMPLING = ("temperature", "top_p", "top_k")
EFFORTS = ("low", "medium", "high", "xhigh", "max")
THINKING = ("adaptive", "between_tools", "disabled", "enabled")
HARDEST = ("xhigh", "max")
"""Not without thinking."""
TOOL_CHOICES = ("auto", "any", "tool", "none")
VALUES = ("enum", "const", "default", "examples")
"""Keywords of a JSON schema that hold values, not schemas."""


def check_tools(body: Body) -> None:
    for index, tool in enumerate(body.get("tools") or []):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            raise invalid(f"tools.{index}.name: Field required")
        custom = tool.get("type") in (None, "custom")
        if custom and not isinstance(tool.get("input_schema"), dict):
            raise invalid(f"tools.{index}.custom.input_schema: Field required")
    choice = body.get("tool_choice")
    if choice is not None and choice.get("type") not in TOOL_CHOICES:
        raise invalid(f"tool_choice.type: Input should be one of {', '.join(TOOL_CHOICES)}")


def check_options(body: Body) -> None:
    thinking = body.get("thinking")
    if thinking is not None and thinking.get("type") not in THINKING:
        raise invalid(f"thinking.type: Input should be one of {', '.join(THINKING)}")
    config = body.get("output_config") or {}
    if config.get("effort") not in (None, *EFFORTS):
        raise invalid(f"output_config.effort: Input should be one of {', '.join(EFFORTS)}")
    form = config.get("format")
    if form is None:
        return
    schema = form.get("schema") if isinstance(form, dict) else None
    if not isinstance(schema, dict) or form.get("type") != "json_schema":
        raise invalid("output_config.format: Input should have type 'json_schema' and a schema")
    for part in _objects(schema):
        if part.get("additionalProperties") is not False:
            raise invalid(
                "output_config.format.schema: For 'object' type, 'additionalProperties' must be "
                "explicitly set to false"
            )


def check_generation(body: Body, model: Model) -> None:
    """What this generation of models no longer takes; older ones cannot be called any more."""
    for name in SAMPLING:
        if body.get(name) is not None:
            raise invalid(f"`{name}` is deprecated for this model.")
    if body["messages"][-1]["role"] == "assistant":
        raise invalid(
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )
    thinking = (body.get("thinking") or {}).get("type", "adaptive")
    if thinking not in ("adaptive", model.thinking_off):
        raise invalid(
            f'"thinking.type.{thinking}" is not supported for {model.id}. Use '
            '"thinking.type.adaptive" and "output_config.effort" to control thinking.'
        )
    effort = (body.get("output_config") or {}).get("effort")
    if thinking == model.thinking_off and effort in HARDEST:
        raise invalid(f'"thinking.type.{thinking}" is not supported with effort {effort}')
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        raise invalid("tool_choice: forced tool use is not supported for this model")


def _objects(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, list):
        for each in schema:
            yield from _objects(each)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for key, value in schema.items():
            if key in VALUES:
                continue
            named = key in ("properties", "$defs", "definitions") and isinstance(value, dict)
            yield from _objects(list(value.values()) if named else value)
