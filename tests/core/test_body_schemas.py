"""Each table of fields, as its JSON schema says it and as it is checked: the two must agree."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from claude_core import messages, schemas
from claude_core.errors import Refused
from claude_core.fields import ref
from claude_core.http_routes import ROUTES
from claude_core.jobs import intake
from claude_core.jobs.intake import new_job
from claude_core.jobs.schemas import job_schemas
from claude_core.jobs.uploads import Uploads
from claude_core.routes import Table
from claude_core.routing.asked import body_of, checked
from claude_core.routing.schemas import routing_schemas

Json = dict[str, Any]
DOCUMENT_JOB, REQUEST_JOB = intake.schema()["oneOf"]
KNOWN: Mapping[str, Json] = {
    **schemas.core(),
    **job_schemas(),
    **routing_schemas(),
    "DocumentJob": DOCUMENT_JOB,
    "RequestJob": REQUEST_JOB,
}
BOTH_JOBS, BOTH_QUESTIONS = ("DocumentJob", "RequestJob"), ("Orchestrate", "OrchestrateInput")
VALIDATORS = {
    name: Draft202012Validator({**ref(name), "components": {"schemas": KNOWN}}) for name in KNOWN
}
TABLE = Table.own()


def check_job(body: Json) -> None:
    content = "what was uploaded" if "upload" in body else None
    bucket = str(body.get("result_bucket"))
    new_job("client", body, content=content, buckets=frozenset({bucket}))


def check_question(body: Json) -> None:
    checked(TABLE, body_of(body), {})


CHECKS: dict[str, Callable[[Json], object]] = {
    "Prompt": messages.prompt_request,
    "Messages": messages.request,
    "CountTokens": messages.count_request,
    "Orchestrate": check_question,
    "OrchestrateInput": check_question,
    "DocumentJob": check_job,
    "RequestJob": check_job,
    "NewUpload": Uploads.check,
}
EACH_TABLE = pytest.mark.parametrize("name", CHECKS)
UNHURRIED = settings(
    deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
MANY, FEW = settings(UNHURRIED, max_examples=100), settings(UNHURRIED, max_examples=5)
"""Examples: of what may hold anything, and of what is tried with every field."""

SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
JSON = (
    SCALAR | st.lists(SCALAR, max_size=2) | st.dictionaries(st.text(max_size=5), SCALAR, max_size=2)
)
NAME = st.text(max_size=5) | st.sampled_from(["content", "source", "cache_control", "type"])
"""Of what an object may hold besides: the checks look at some."""
DEEPEST = 2
OF_EACH_TYPE: dict[str, Any] = {
    "null": None,
    "boolean": True,
    "integer": 5,
    "number": 0.5,
    "string": "text",
    "array": [],
    "object": {},
}


def resolved(schema: Json) -> Json:
    return KNOWN[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def values(schema: Json, depth: int = 0) -> st.SearchStrategy[Any]:
    """What fits the keywords that our schemas have; rules about several fields are for `bodies`.

    Args:
        depth: of the content blocks around it, which may hold others.
    """
    if "$ref" in schema:
        return values(resolved(schema), depth + 1) if depth < DEEPEST else st.nothing()
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if "type" not in schema:
        return st.one_of(*(values(one, depth) for one in schema["oneOf"]))
    match schema["type"]:
        case list(types):
            return st.one_of(*(values({**schema, "type": one}, depth) for one in types))
        case "object":
            return _objects(schema, depth)
        case "array":
            items = values(schema["items"], depth)
            most = 0 if items.is_empty else 2
            return st.lists(items, min_size=schema.get("minItems", 0), max_size=most)
        case "string":
            return _strings(schema)
        case "integer":
            return st.integers(schema["minimum"], schema.get("maximum"))
        case "boolean":
            return st.booleans()
    return st.none()


def _strings(schema: Json) -> st.SearchStrategy[str]:
    pattern: str = schema.get("pattern", r"\S")
    if pattern != r"\S":
        return st.from_regex(pattern)
    return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 1_000))


def _objects(schema: Json, depth: int) -> st.SearchStrategy[Json]:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    known = st.fixed_dictionaries(
        {name: values(properties[name], depth) for name in required},
        optional={
            name: values(it, depth) for name, it in properties.items() if name not in required
        },
    )
    if schema.get("additionalProperties") is False:
        return known
    more = st.dictionaries(NAME.filter(lambda name: name not in properties), JSON, max_size=2)
    return st.builds(lambda least, most: {**most, **least}, known, more)


@cache
def strategy(name: str) -> st.SearchStrategy[Json]:
    """A strategy is dear to make, and draws fast."""
    return values(KNOWN[name])


@st.composite
def bodies(draw: st.DrawFn, name: str) -> Json:
    """Bodies that a schema accepts."""
    body: Json = draw(strategy(name))
    assume(VALIDATORS[name].is_valid(body))
    return body


def types_of(schema: Json) -> set[str]:
    """JSON's types that a field may have."""
    schema = resolved(schema)
    if "oneOf" in schema:
        return set().union(*map(types_of, schema["oneOf"]))
    if "enum" in schema:
        return {"string"}
    types = schema["type"]
    return set(types) if isinstance(types, list) else {types}


def beyond(schema: Json) -> Iterator[tuple[str, Any]]:
    """Fields with values just outside of their bounds."""
    for name, field in schema["properties"].items():
        if "minimum" in field:
            yield name, field["minimum"] - 1
        if "maximum" in field:
            yield name, field["maximum"] + 1
        if "maxLength" in field:
            yield name, "x" * (field["maxLength"] + 1)
        if "minItems" in field:
            yield name, []
        if field.get("pattern") == r"\S":
            yield from ((name, ""), (name, " \n"))
        if "enum" in field:
            yield name, "no such word"


def at(schema: Json) -> Iterator[tuple[str, Any]]:
    """Fields with values just within their bounds."""
    for name, field in schema["properties"].items():
        yield from ((name, field[bound]) for bound in ("minimum", "maximum") if bound in field)
        if "maxLength" in field:
            yield name, "x" * field["maxLength"]


def refused(name: str, body: Json, says: str = ".") -> None:
    assert not VALIDATORS[name].is_valid(body), body
    with pytest.raises(Refused, match=says):
        CHECKS[name](body)


def test_each_body_of_a_route_is_among_the_tables() -> None:
    named = {route.body for route in ROUTES if route.body}
    assert named - {"NewJob", "Question"} == set(CHECKS) - {*BOTH_JOBS, *BOTH_QUESTIONS}
    assert KNOWN["NewJob"]["oneOf"] == [KNOWN[name] for name in BOTH_JOBS]
    assert KNOWN["Question"]["oneOf"] == [ref(name) for name in BOTH_QUESTIONS]


@EACH_TABLE
def test_body_that_the_schema_accepts_is_accepted_by_the_check(name: str) -> None:
    @MANY
    @given(bodies(name))
    def holds(body: Json) -> None:
        CHECKS[name](deepcopy(body))

    holds()


@EACH_TABLE
def test_body_without_a_required_field_is_refused_by_schema_and_check(name: str) -> None:
    @FEW
    @given(bodies(name))
    def holds(body: Json) -> None:
        for missing in KNOWN[name]["required"]:
            refused(name, {field: value for field, value in body.items() if field != missing})

    holds()


@EACH_TABLE
def test_body_with_a_field_of_a_wrong_type_is_refused_by_schema_and_check(name: str) -> None:
    @FEW
    @given(bodies(name))
    def holds(body: Json) -> None:
        for field, schema in KNOWN[name]["properties"].items():
            for kind in OF_EACH_TYPE.keys() - types_of(schema):
                refused(name, body | {field: OF_EACH_TYPE[kind]}, f"^{field}: ")

    holds()


@EACH_TABLE
def test_body_with_a_field_beyond_its_bound_is_refused_by_schema_and_check(name: str) -> None:
    @FEW
    @given(bodies(name))
    def holds(body: Json) -> None:
        for field, value in beyond(KNOWN[name]):
            refused(name, body | {field: value})

    holds()


@EACH_TABLE
def test_body_with_a_field_at_its_bound_is_accepted_by_the_check_if_the_schema_does(
    name: str,
) -> None:
    @FEW
    @given(bodies(name))
    def holds(body: Json) -> None:
        for changed in at(KNOWN[name]):
            if VALIDATORS[name].is_valid(body | dict([changed])):
                CHECKS[name](body | dict([changed]))

    holds()
