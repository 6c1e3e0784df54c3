"""The form of what is stored: attributes and their types, with what is another in each row named.

A number is `N`, a text `S`; of texts that are read by their spelling the form says it: `listed` is
`S open#{time}#{end of id}`. JSON that the kit writes into a text is followed with `$`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from claude_core.models import MODELS
from claude_core.row import Item
from claude_core.stored_versions import VERSIONS
from tests.contracts.recording import Recording

Forms = dict[str, set[str]]
"""By attribute, all that were seen."""
MODEL_IDS = "|".join(re.escape(model.id) for model in MODELS)
NAMES = (
    (re.compile(r"(left|spent|guessed|warned)_\d{4}_\d\d"), r"\1_{month}"),
    (re.compile(r"minute_\d{12}"), "minute_{minute}"),
    (re.compile(rf"use\.\d{{8}}\.(?:{MODEL_IDS})\.(\w+)"), r"use.{day}.{model}.\1"),
)
"""Attributes whose names say a month, a minute or a day."""
TEXTS = (
    (re.compile(r"job_[\w-]{8}_[\w-]{22}"), "{job}"),
    (re.compile(r"upload_[\w-]{22}"), "{upload}"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"), "{time, microseconds}"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)"), r"{time\1}"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "{sha256}"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "{half of a sha256}"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "{quarter of a sha256}"),
    (re.compile(rf"\b(?:{MODEL_IDS})\b"), "{model}"),
    (re.compile(r"^start#.+"), "start#{service}"),
    (re.compile(r"^\d{8}$"), "{day}"),
    (re.compile(r"^\d{8}-[0-9a-f]{8}$"), "{number}-{random}"),
)
FREE = {
    *("name", "doc_id", "stop_reason", "result", "result_bucket", "usage", "holder", "extras"),
    *("models", "intent", "body", "said", "error"),
}
"""Attributes whose text is a caller's or Claude's own, or is followed as JSON."""
KEYS = {
    "open": "{reservation}",
    "held": "{client}",
    "resting": "{client}",
    "models": "{model}",
}
"""Maps, and what their keys are."""
OURS = {"body", "said", "error"}
"""Texts of JSON that the kit itself writes."""
THEIRS = {"$.request", "$.question", "$.facts.usage", "$[].input"}
"""Places in them that are Claude's, or the caller's."""
JOBS = (
    ("intent#", "intent"),
    ("batchid#", "batch owner"),
    ("lane#", "batch line"),
    ("pause#", "model pause"),
    ("start#", "service start"),
    ("inbox#", "inbox checkpoint"),
    ("job_", "job"),
)
OBJECTS = (
    ("bodies/", "stored body"),
    ("results/", "stored result"),
    ("refused/", "refusal note"),
    ("uploads/", "upload"),
)


def formats(recordings: Iterable[Recording]) -> dict[str, Any]:
    """Each kind of what was recorded: its version, and its attributes with `?` after those that
    are not in all of them."""
    seen: dict[str, list[Forms]] = {}
    for recording in recordings:
        for kind, forms in _forms_of(recording):
            seen.setdefault(kind, []).append(forms)
    return {kind: {"version": VERSIONS[kind], "attributes": _merged(seen[kind])} for kind in seen}


def _merged(forms: list[Forms]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted({name for one in forms for name in one}):
        optional = "" if all(name in one for one in forms) else "?"
        texts = sorted({text for one in forms for text in one.get(name, ())})
        found[name + optional] = " | ".join(texts)
    return found


def _forms_of(recording: Recording) -> Iterable[tuple[str, Forms]]:
    names = recording.names
    for table, item in recording.rows():
        yield kind_of(table, item), form_of(item, names)
    for moment in recording.moments.values():
        for key, text in moment.objects.items():
            kind = next((kind for prefix, kind in OBJECTS if key.startswith(prefix)), None)
            if kind:
                yield kind, {"key": {_spelled(key, names)}} | _content(kind, text)
        for texts in moment.queues.values():
            yield from ((_kind_of_message(text), _json(json.loads(text), "$")) for text in texts)
    for text in recording.events:
        yield "job event", _json(json.loads(text), "$")


def kind_of(table: str, item: Item) -> str:
    """The name that `stored_versions.py` has for a row."""
    id = item.get("id", {}).get("S", "")
    match table:
        case "clients":
            return "ledger" if id.startswith("#") else "client"
        case "history":
            return "day"
        case "routed":
            return "routed conversation"
        case "conversations":
            return "ticket" if id.startswith("ticket#") else "chat turn"
    return next(kind for prefix, kind in JOBS if id.startswith(prefix))


def form_of(item: Item, names: Mapping[str, str]) -> Forms:
    """The form of a row."""
    end = f"#{item['id']['S'][-6:]}" if "id" in item else "#"
    named = {**names, end: "#{end of id}"} if item.get("listed") else names
    forms: Forms = {}
    for name, value in item.items():
        for pattern, instead in NAMES:
            name = pattern.sub(instead, name)
        _attribute(forms, name, value, named)
    return forms


def _attribute(forms: Forms, name: str, value: Any, names: Mapping[str, str]) -> None:
    ((kind, inner),) = value.items()
    last = name.rpartition(".")[2]
    if kind == "M":
        forms.setdefault(name, set()).add("M")
        for key, one in inner.items():
            _attribute(forms, f"{name}.{KEYS.get(last, key)}", one, names)
        return
    spelled = kind == "S" and last not in FREE
    forms.setdefault(name, set()).add(f"S {_spelled(inner, names)}" if spelled else kind)
    if kind == "S" and name in OURS:
        for place, texts in _json(json.loads(inner), f"{name}$").items():
            forms.setdefault(place, set()).update(texts)


def _spelled(text: str, names: Mapping[str, str]) -> str:
    for pattern, instead in TEXTS[:1]:
        text = pattern.sub(instead, text)
    for value, name in names.items():
        text = text.replace(value, name)
    for pattern, instead in TEXTS[1:]:
        text = pattern.sub(instead, text)
    return text


def _content(kind: str, text: str) -> Forms:
    """Of an object; results are Claude's own, uploads and notes are texts."""
    return _json(json.loads(text), "$") if kind == "stored body" else {}


def _json(value: Any, place: str) -> Forms:
    if any(place.endswith(one) for one in THEIRS):
        return {place: {"Claude's"}}
    match value:
        case dict():
            forms: Forms = {place: {"map"}}
            for name, one in value.items():
                forms |= _json(one, f"{place}.{name}")
            return forms
        case list():
            forms = {place: {"list"}}
            for one in value:
                for inner, texts in _json(one, f"{place}[]").items():
                    forms.setdefault(inner, set()).update(texts)
            return forms
        case bool():
            return {place: {"flag"}}
        case int() | float():
            return {place: {"number"}}
        case None:
            return {place: {"null"}}
    return {place: {"text"}}


def _kind_of_message(text: str) -> str:
    found = json.loads(text)
    return next(f"{kind} message" for kind in ("job", "wake", "poll") if kind in found)
