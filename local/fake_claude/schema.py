"""A value that fits a JSON schema, always the same one: the shortest that is not empty."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

MOST_ITEMS = 1_000
DEEPEST = 8
"""A schema that refers to itself is cut off here, where its optional parts may be left out."""
FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "duration": "PT1S",
    "email": "fake@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "00:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def fit(schema: Schema, hint: str = "") -> Any:
    """A value for `schema`.

    Args:
        hint: text, such as the prompt; where an enum has a value that stands in it, that one is
            taken instead of the first, so that whoever asks can steer a classification.
    """
    return _Fitting(schema, hint.lower()).value(schema, 0)


class _Fitting:
    def __init__(self, root: Schema, hint: str) -> None:
        self._root, self._hint = root, hint

    def value(self, schema: Schema, depth: int) -> Any:
        if "$ref" in schema:
            return self.value(self._resolve(schema["$ref"]), depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choice(schema["enum"])
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self.value(self._shallowest(schema[key], depth), depth)
        if schema.get("allOf"):
            return self.value(self._merged(schema), depth)
        return self._of_type(schema, depth)

    def _of_type(self, schema: Schema, depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((each for each in kind if each != "null"), "null")
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                count = min(schema.get("minItems", 1), MOST_ITEMS) if depth < DEEPEST else 0
                return [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]
            case "integer" | "number":
                return _number(schema)
            case "boolean":
                return True
            case "null":
                return None
        return _string(schema)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        parts: Schema = schema.get("properties") or {}
        needed = schema.get("required", ())
        names = parts if depth < DEEPEST else [name for name in parts if name in needed]
        return {name: self.value(parts[name], depth + 1) for name in names}

    def _choice(self, values: list[Any]) -> Any:
        named = (each for each in values if isinstance(each, str) and each.lower() in self._hint)
        return next(named, values[0])

    def _shallowest(self, options: list[Schema], depth: int) -> Schema:
        if depth < DEEPEST:
            return options[0]
        plain = (each for each in options if each.get("type") in ("null", "string", "boolean"))
        return next(plain, options[0])

    def _merged(self, schema: Schema) -> Schema:
        merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            part = self._resolve(part["$ref"]) if "$ref" in part else part
            properties = {**merged.get("properties", {}), **part.get("properties", {})}
            merged = {**merged, **part}
            if properties:
                merged["properties"] = properties
        return merged

    def _resolve(self, reference: str) -> Schema:
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = found[step] if step else found
        return dict(found)


def _number(schema: Schema) -> int | float:
    whole = schema.get("type") == "integer"
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + whole
    if "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - whole
    if not whole and low is not None and high is not None:
        return float(low + high) / 2
    value = min(1, high) if low is None and high is not None else (1 if low is None else low)
    step = schema.get("multipleOf", 0)
    if not whole:
        return float(value + 1 if low is not None else value)
    return int(-(-value // step) * step if step else value)


def _string(schema: Schema) -> str:
    text = FORMATS.get(schema.get("format", ""), "fake")
    shortest, longest = int(schema.get("minLength", 0)), schema.get("maxLength")
    return text.ljust(shortest, "x")[:longest]
