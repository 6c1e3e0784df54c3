"""Routes as data: what belongs to an intent, which model answers it, and how it is asked."""

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from claude_core.errors import NotFound
from claude_core.models import Model, resolve

INTENT = re.compile(r"[a-z][a-z0-9_]{0,31}")
EFFORTS = ("low", "medium", "high", "xhigh", "max")
MOST_ROUTES = 20
"""Each is read by the classifier with every question."""
KINDS = {str: "a string", int: "a whole number", bool: "true or false", list: "a list of strings"}


class BadTable(ValueError):
    """A table of routes that cannot be used; says where, and what would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the table."""

    intent: str
    about: str
    """What belongs to it, in words that the classifier is told."""
    model: str
    """A role (`fast`, `balanced`, `deep`), or the id of a model."""
    max_tokens: int
    """For callers that name no number."""
    examples: tuple[str, ...] = ()
    effort: str = ""
    """`output_config.effort` for callers that name none; empty: the model's own."""
    system: str = ""
    """For callers that send none."""
    after_refusal: str = ""
    """The model that is asked where this one refuses; empty: a refusal is the answer."""
    cache: bool = False
    """Mark long prompts for Claude's cache."""
    on: bool = True
    """A route that is off is no intent at all."""

    @property
    def resolved(self) -> Model:
        return resolve(self.model)


@dataclass(frozen=True, slots=True)
class Table:
    """All routes that are on; what is not sure takes the default one."""

    routes: Mapping[str, Route]
    default: Route
    confidence: float
    """What is classified with less takes the default route."""
    speculate: float = 0.0
    """Share of a client's month that may go to default answers which were begun while a question
    was classified, and then not wanted; 0: none is begun."""

    @classmethod
    def from_json(cls, text: str | bytes) -> "Table":
        """Read a team's own table, as `routes.json` beside this file is written.

        Raises:
            BadTable: names the row and the rule.
        """
        try:
            found = json.loads(text)
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError as err:
            raise BadTable("a text holds a lone surrogate, which is not valid Unicode") from err
        except ValueError as err:
            raise BadTable(f"not JSON: {err}") from err
        if not isinstance(found, dict) or not isinstance(found.get("routes"), list):
            raise BadTable('must be an object with "routes", a list, and "default"')
        if unknown := sorted(found.keys() - {"routes", "default", "confidence", "speculate"}):
            raise BadTable(f"{unknown[0]}: no such field")
        rows = [_route(row, at) for at, row in enumerate(found["routes"])]
        routes = {route.intent: route for route in rows if route.on}
        if len({route.intent for route in rows}) < len(rows):
            raise BadTable("routes: an intent stands twice")
        if not 2 <= len(routes) <= MOST_ROUTES:
            raise BadTable(f"routes: {len(routes)} are on; 2 to {MOST_ROUTES} can be told apart")
        default = found.get("default")
        if not isinstance(default, str) or default not in routes:
            raise BadTable(f"default: must be one of {', '.join(routes)}")
        confidence, speculate = _share(found, "confidence", 0.6), _share(found, "speculate", 0.0)
        return cls(routes, routes[default], confidence, speculate)

    @classmethod
    def own(cls) -> "Table":
        """The one that ships."""
        return cls.from_json(Path(__file__).with_name("routes.json").read_bytes())


def _route(row: Any, at: int) -> Route:
    if not isinstance(row, dict):
        raise BadTable(f"routes.{at}: must be an object")
    known = {field.name: field for field in fields(Route)}
    where = f"routes.{at} ({row.get('intent')})"
    if unknown := sorted(row.keys() - known.keys()):
        raise BadTable(f"{where}: {unknown[0]}: no such field; there are {', '.join(known)}")
    for name, field in known.items():
        if name not in row:
            if field.default is MISSING:
                raise BadTable(f"{where}: {name}: field required")
            continue
        kind = list if name == "examples" else type(row[name])
        wanted = {"examples": list, "max_tokens": int, "cache": bool, "on": bool}.get(name, str)
        strings = name != "examples" or _strings(row[name])
        if kind is not wanted or not strings:
            raise BadTable(f"{where}: {name}: must be {KINDS[wanted]}")
    route = Route(**{**row, "examples": tuple(row.get("examples", ()))})
    if wrong := _wrong(route):
        raise BadTable(f"{where}: {wrong}")
    return route


def _share(found: dict[str, Any], name: str, otherwise: float) -> float:
    value = found.get(name, otherwise)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 <= value <= 1):
        raise BadTable(f"{name}: must be a number from 0 to 1")
    return float(value)


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _wrong(route: Route) -> str | None:
    """The first rule that a route breaks."""
    if not INTENT.fullmatch(route.intent):
        return "intent: must be lower-case letters, digits and _, at most 32"
    if not route.about.strip():
        return "about: must say what belongs to it; the classifier reads nothing else"
    try:
        model = route.resolved
    except NotFound as err:
        return err.message
    if route.after_refusal:
        try:
            other = resolve(route.after_refusal)
        except NotFound as err:
            return f"after_{err.message}"
        if other is model:
            return "after_refusal: must be another model than the one that refuses"
    if not 1 <= route.max_tokens <= model.max_tokens:
        return f"max_tokens: must be 1 to {model.max_tokens}, which is {model.id}'s most"
    if route.effort and route.effort not in EFFORTS:
        return f"effort: must be one of {', '.join(EFFORTS)}"
    return None
