"""The most that a request can cost, known before it is sent."""

from collections.abc import Collection

from claude_core.extras import EXTRAS, SERVER_TOOLS, uses_of
from claude_core.models import Model
from claude_core.usage import Usage
from claude_core.wire import Json

FRAMING_TOKENS = 4_096
"""Room for what Claude adds to a prompt by itself: roles, tool and thinking instructions."""
ROUNDS = 10
"""How often Claude reads all of it, where tools run at its side, before it stops with `pause_turn`
(documented). `max_uses` does not bound it: a use too many is an error that is read, too."""
READ_ON = frozenset(SERVER_TOOLS) | {"mcp_servers"}
BY_THE_WINDOW = READ_ON | {"url_sources", "file_ids"}


def reads_on(needs: Collection[str]) -> bool:
    """Whether Claude may read more than the request, by itself, before it has answered."""
    return any(need not in EXTRAS or need in READ_ON for need in needs)


def most(
    model: Model, body: Json, *, size: int, text_only: bool, needs: Collection[str] = ()
) -> Usage:
    """An upper bound of what an answer can use.

    Args:
        size: bytes of the request; a token is at least one byte of UTF-8.
        text_only: nothing in it is a picture or a document, whose tokens no byte bounds.
        needs: the extras that it holds.
    """
    unknown = any(need not in EXTRAS for need in needs)
    uses = dict.fromkeys(SERVER_TOOLS, 0)
    for tool in body.get("tools") or []:
        for name in SERVER_TOOLS:
            if str(tool.get("type")).startswith(f"{name}_"):
                uses[name] += uses_of(tool)
    rounds = ROUNDS if reads_on(needs) else 1
    window = model.max_input_tokens
    bounded = text_only and not unknown and not BY_THE_WINDOW & set(needs)
    return Usage(
        input_tokens=min(size + FRAMING_TOKENS, window) if bounded else window * rounds,
        output_tokens=int(body.get("max_tokens", 0)),
        web_searches=uses["web_search"],
        fast=unknown or body.get("speed") == "fast",
        # A workspace may keep inference in the US by default: only a word against it is sure.
        in_us=body.get("inference_geo") != "global",
    )
