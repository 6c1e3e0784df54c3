"""A script: what shall happen to one request, from a header, a plan, or a mark in the prompt.

Written as JSON, `{"name": "rate_limited", "retry_after": "30"}`, or in short, `rate_limited
retry_after=30`; in a prompt between `[[fake:` and `]]`, where it gets through any gateway.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

OPEN, CLOSE = "[[fake:", "]]"


class BadScriptError(ValueError):
    """A script that cannot be followed; says what would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What every behaviour understands; what only some do is in `params`."""

    name: str = "answer"
    text: str | None = None
    """What is said, instead of the usual reply."""
    tokens: int | None = None
    """Or only how long it shall be."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """Merged into the usage that is reported, and billed."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Merged into the message; with it comes an event of an unknown type."""
    delay_ms: float = 0
    """Before anything else, the headers too."""
    first_token_ms: float = 0
    """From the start of the answer to its first token."""
    per_token_ms: float = 0
    billed: bool = False
    """The whole answer counts as billed, however little of it arrives; a batch is created."""
    model: str | None = None
    """Only for requests to this model."""
    times: int | None = None
    """Only so many times: for a mark or header, with the same prompt; in a plan, in a row."""
    params: Mapping[str, Any] = field(default_factory=dict)


KNOWN = {each.name: each for each in fields(Script) if each.name != "params"}
NUMBERS = ("tokens", "delay_ms", "first_token_ms", "per_token_ms", "times")


def parse(written: object) -> Script:
    """The script that `written` means: an object, JSON, or a name with `key=value` words."""
    given = _read(written) if isinstance(written, str) else written
    if not isinstance(given, Mapping):
        raise BadScriptError(f"{written!r} is neither a name nor an object")
    common = {key: value for key, value in given.items() if key in KNOWN}
    for key in NUMBERS:
        value = common.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise BadScriptError(f"{key}: {value!r} is not a number from 0 up")
    for key in ("usage", "extra"):
        if not isinstance(common.get(key, {}), Mapping):
            raise BadScriptError(f"{key}: an object is needed")
    if "text" in common:
        text = common["text"]
        common["text"] = text if isinstance(text, str) else json.dumps(text)
    return Script(**common, params={key: given[key] for key in given.keys() - KNOWN.keys()})


def marks(text: str) -> Iterator[str]:
    """What stands between `[[fake:` and `]]`, mark by mark."""
    for start, end in _spans(text):
        yield text[start + len(OPEN) : end - len(CLOSE)].strip()


def without_marks(text: str) -> str:
    """The text as a person meant it."""
    kept, at = [], 0
    for start, end in _spans(text):
        kept.append(text[at:start])
        at = end
    return "".join([*kept, text[at:]])


def _spans(text: str) -> Iterator[tuple[int, int]]:
    at = text.find(OPEN)
    while at >= 0:
        inside = at + len(OPEN)
        inside += len(text[inside:]) - len(text[inside:].lstrip())
        if text[inside : inside + 1] == "{":  # JSON may have brackets of its own
            with suppress(ValueError):
                inside = json.JSONDecoder().raw_decode(text, inside)[1]
        end = text.find(CLOSE, inside)
        if end < 0:
            return
        yield at, end + len(CLOSE)
        at = text.find(OPEN, end)


def _read(written: str) -> object:
    if written.lstrip().startswith("{"):
        try:
            return json.loads(written)
        except ValueError as err:
            raise BadScriptError(f"{written!r} is not JSON: {err}") from err
    try:
        name, *words = shlex.split(written)
    except ValueError as err:
        raise BadScriptError(f"{written!r} has no name, or a quote without its end") from err
    if "=" in name:  # only settings: the plain answer, otherwise
        name, words = "answer", [name, *words]
    pairs = (word.partition("=") for word in words)
    return {"name": name, **{key: _value(value) for key, _, value in pairs}}


def _value(written: str) -> object:
    """A word as JSON, if it is exactly that; `retry_after=1.50` stays as it is written."""
    with suppress(ValueError):
        value: object = json.loads(written)
        if json.dumps(value) == written:
            return value
    return written
