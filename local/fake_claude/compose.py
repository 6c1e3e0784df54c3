"""What the fake says when nothing is scripted: who it is, and what it was asked."""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from local.fake_claude import prompt, schema, script, tokens
from local.fake_claude.answer import Answer, Block
from local.fake_claude.errors import invalid

Body = Mapping[str, Any]

QUOTED = 200
"""How many characters of a question are said back."""
TOOL_WISH = re.compile(r"use tool ([A-Za-z0-9_-]+)", re.IGNORECASE)


def compose(body: Body, scripted: script.Script) -> Answer:
    """The answer to a request, not yet bounded by `max_tokens`."""
    asked = prompt.last_user_text(body)
    form = (body.get("output_config") or {}).get("format")
    tool = _wished_tool(body, asked)
    answer = Answer(model=body["model"], blocks=())
    if scripted.text is not None:
        said = scripted.text
    elif scripted.tokens is not None:
        said = tokens.words(min(scripted.tokens, body["max_tokens"] + 1))
    elif tool is not None:
        return replace(answer, blocks=(tool_block(tool),), stop_reason="tool_use")
    elif form:
        said = json.dumps(_fitting(form["schema"], asked))
    else:
        said = _reply(body, asked)
    return _ended(replace(answer, blocks=(text_block(said),)), said, body)


def text_block(said: str) -> Block:
    return Block(kind="text", pieces=tokens.pieces(said))


def tool_block(tool: Mapping[str, Any]) -> Block:
    """A call of `tool`, with an input that fits its schema."""
    given = json.dumps(_fitting(tool.get("input_schema") or {"type": "object"}))
    name, pieces = tool["name"], tokens.pieces(given)
    return Block(kind="tool_use", pieces=pieces, tool=name, id=f"toolu_{uuid.uuid4().hex[:24]}")


def _fitting(wanted: Mapping[str, Any], hint: str = "") -> Any:
    try:
        return schema.fit(wanted, hint)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as err:
        raise invalid(f"schema: not a JSON schema that can be followed ({err!r})") from err


def _wished_tool(body: Body, asked: str) -> Mapping[str, Any] | None:
    wish = TOOL_WISH.search(asked)
    offered: Sequence[Mapping[str, Any]] = body.get("tools") or ()
    if wish is None or (body.get("tool_choice") or {}).get("type") == "none":
        return None
    return next((tool for tool in offered if tool["name"] == wish[1]), None)


def _reply(body: Body, asked: str) -> str:
    me = f"This is the fake Claude, answering as {body['model']}; no real model was asked."
    result = prompt.last_tool_result(body)
    if result is not None:
        return f"{me} Your tool brought: {_short(result)}"
    return f"{me} You said: {_short(script.without_marks(asked))}"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    if not flat:
        return "(no text)"
    return f'"{flat}"' if len(flat) <= QUOTED else f'"{flat[:QUOTED]}…" ({len(text)} characters)'


def _ended(answer: Answer, said: str, body: Body) -> Answer:
    """The answer up to the first of the caller's stop sequences, if one turns up in it."""
    found = [(said.find(each), each) for each in body.get("stop_sequences") or () if each]
    hits = sorted(hit for hit in found if hit[0] >= 0)
    if not hits:
        return answer
    end, sequence = hits[0]
    blocks = (text_block(said[:end]),) if end else ()
    return replace(answer, blocks=blocks, stop_reason="stop_sequence", stop_sequence=sequence)
