"""What a request may hold only if its client was allowed it (`kit clients allow NAME FIELD`).

Each costs more than its tokens, or reaches what is stored or elsewhere. What can be priced is
reserved at its worst (`worst.py`); what no answer tells the price of is served to nobody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claude_core.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Extra:
    """One thing that can be allowed."""

    why: str
    """What it does that has to be allowed."""
    priced: str
    """How it is reserved, for people."""
    field: bool = True
    """Whether it is a field of the request, and not something inside one."""
    values: tuple[str, ...] = ()
    """Of a field; none where anything goes."""
    betas: tuple[str, ...] = ()
    """Beginnings of the `anthropic-beta` names that come with it."""


NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
MOST_USES = 100
STANDARD, WINDOW = "at the standard price", "as a whole context window"
ROUNDS = "as ten whole context windows, the most rounds that Claude makes by itself"

EXTRAS: dict[str, Extra] = {
    "speed": Extra(
        "it changes the price",
        "fast: at the model's multiple; a model without one refuses it",
        values=("standard", "fast"),
        betas=("fast-mode-",),
    ),
    "service_tier": Extra("it changes the price", STANDARD, values=("auto", "standard_only")),
    "inference_geo": Extra("it changes the price", "us: at 1.1x", values=("global", "us")),
    "web_search": Extra(
        "it runs at Claude, and is priced by the search",
        f"10 USD a thousand, and {ROUNDS}",
        field=False,
    ),
    "web_fetch": Extra(
        "it runs at Claude and reaches the web", ROUNDS, field=False, betas=("web-fetch-",)
    ),
    "mcp_servers": Extra("it reaches servers elsewhere", ROUNDS, betas=("mcp-client-",)),
    "url_sources": Extra("it makes Claude fetch from the web", WINDOW, field=False),
    "file_ids": Extra(
        "it reads files of the whole workspace, other clients' too",
        WINDOW,
        field=False,
        betas=("files-api-",),
    ),
}
UNKNOWN = Extra(
    "no such field is known here",
    "at the dearest that is known: fast, in the US, and ten context windows",
)
"""A field, or a beta, of the Messages API that is newer than this table."""

SAMPLING = "the 5.5 models choose it themselves; leave it out"
NEVER = {
    "temperature": SAMPLING,
    "top_p": SAMPLING,
    "top_k": SAMPLING,
    "container": "it is priced by the hour, and no answer says for how long",
}
RUN_BY_CALLER = ("bash_", "text_editor_", "computer_", "memory_")
SERVER_TOOLS = ("web_search", "web_fetch")
SOURCES = {"url": "url_sources", "file": "file_ids"}
BLOCKS = {
    "server_tool_use": "web_search",
    "web_search_tool_result": "web_search",
    # A search may filter what it finds by running code, and its results come along.
    "code_execution_tool_result": "web_search",
    "bash_code_execution_tool_result": "web_search",
    "text_editor_code_execution_tool_result": "web_search",
    "web_fetch_tool_result": "web_fetch",
    "mcp_tool_use": "mcp_servers",
    "mcp_tool_result": "mcp_servers",
}


def of_tool(tool: Mapping[str, Any]) -> str | None:
    """The extra that a tool needs; none for one that the caller runs.

    Raises:
        InvalidRequest: it cannot be priced, or its uses have no end.
    """
    kind = tool.get("type")
    if kind in (None, "custom") or str(kind).startswith(RUN_BY_CALLER):
        return None
    if kind == "mcp_toolset":
        return "mcp_servers"
    for name in SERVER_TOOLS:
        if str(kind).startswith(f"{name}_"):
            if not 1 <= uses_of(tool) <= MOST_USES:
                raise InvalidRequest(
                    f"tools.{name}.max_uses: a number from 1 to {MOST_USES} is needed to price it"
                )
            return name
    raise InvalidRequest(
        f"tools.type: {str(kind)[:100]!r} runs at Claude, and no answer tells what it costs"
    )


def of_block(block: Mapping[str, Any]) -> str | None:
    """The extra that a content block of an earlier answer needs to be sent back."""
    if block.get("type") == "server_tool_use" and block.get("name") in SERVER_TOOLS:
        return str(block["name"])
    return BLOCKS.get(str(block.get("type")))


def of_source(source: object) -> str | None:
    """The extra that the source of a picture or a document needs."""
    return SOURCES.get(str(source.get("type"))) if isinstance(source, dict) else None


def of_beta(beta: str) -> str:
    """The extra that a beta comes with; itself, where none is known."""
    for name, extra in EXTRAS.items():
        if beta.startswith(extra.betas):
            return name
    return beta


def uses_of(tool: Mapping[str, Any]) -> int:
    """How often a server tool may run in one request."""
    uses = tool.get("max_uses")
    return uses if isinstance(uses, int) and not isinstance(uses, bool) else 0


def says(name: str) -> str:
    """Why a request is refused that holds an extra which its client may not use."""
    why = EXTRAS.get(name, UNKNOWN).why
    return f"{name[:100]}: {why}; allow it with: kit clients allow NAME {name[:100]}"
