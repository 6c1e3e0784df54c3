"""The OpenAPI document of each backend: it has each route that is served, and no other."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import fields as names_of
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from openapi_spec_validator import OpenAPIV31SpecValidator

import claude_core.errors
from claude_core.errors import AwsUnreachable, KitError
from claude_core.http_routes import ROUTES, Backend, http_route, route_names, served_by
from claude_core.jobs.schemas import job_schemas
from claude_core.limits import Limits
from claude_core.openapi import HEADERS, LIMITS, document
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Reason
from claude_core.routing.schemas import routing_schemas
from claude_core.settings import ChatSettings, RouterSettings, Runtime, Settings
from claude_core.usage import Usage
from lambda_src import api, jobs
from service_src.app import create
from service_src.live import schemas as service_schemas

SETTINGS = Settings(**{one.name: "1" for one in names_of(Settings)})
CHAT = ChatSettings(**{one.name: "1" for one in names_of(ChatSettings)})
ROUTER = RouterSettings(routes_file="claude_core/routes.json", conversations_table="none")
DOCUMENTS: dict[str, Callable[[], bytes]] = {
    "serverless": lambda: document(Backend.API, Backend.STREAM),
    "queue": lambda: document(Backend.JOBS, more=job_schemas),
    "websocket": lambda: document(Backend.CHAT, more=service_schemas),
    "orchestrator": lambda: document(Backend.ORCHESTRATOR, more=routing_schemas),
}
SERVED: dict[str, tuple[Backend, ...]] = {
    "serverless": (Backend.API, Backend.STREAM),
    "queue": (Backend.JOBS,),
    "websocket": (Backend.CHAT,),
    "orchestrator": (Backend.ORCHESTRATOR,),
}
EACH_PATTERN = pytest.mark.parametrize("pattern", DOCUMENTS)


def described(pattern: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENTS[pattern]())
    return found


def operations(pattern: str) -> dict[str, dict[str, Any]]:
    """By route, as `GET /health`."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described(pattern)["paths"].items()
        for method, operation in methods.items()
    }


def mapped(app: FastAPI) -> set[str]:
    """The routes that a service maps to handlers."""
    return {
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def service(**settings: Any) -> set[str]:
    return mapped(create(SETTINGS, Runtime(region="here"), **settings))


@EACH_PATTERN
def test_document_is_valid_openapi_3_1(pattern: str) -> None:
    OpenAPIV31SpecValidator(described(pattern)).validate()


@EACH_PATTERN
def test_document_has_the_routes_of_its_pattern_and_no_other(pattern: str) -> None:
    assert sorted(operations(pattern)) == sorted(route_names(*SERVED[pattern]))


@pytest.mark.parametrize(
    ("backend", "handlers", "undescribed"),
    [
        (Backend.API, lambda: set(api.ROUTES), set()),
        (Backend.JOBS, lambda: set(jobs.ROUTES), set()),
        # The Web Adapter asks it whether the process is up; API Gateway has no such route.
        (Backend.STREAM, service, {"GET /health"}),
        # The chat page.
        (Backend.CHAT, lambda: service(chat=CHAT), {"GET /"}),
        (Backend.ORCHESTRATOR, lambda: service(router=ROUTER), set()),
    ],
)
def test_backend_maps_each_of_its_routes_to_a_handler_and_no_other(
    backend: Backend, handlers: Callable[[], set[str]], undescribed: set[str]
) -> None:
    assert handlers() == {*route_names(backend), *undescribed}


def test_every_route_is_named_once_and_served_by_a_pattern() -> None:
    assert len({route.name for route in ROUTES}) == len({route.id for route in ROUTES})
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert all(route.backends for route in ROUTES)
    assert {*Backend} == {backend for found in SERVED.values() for backend in found}


@EACH_PATTERN
def test_only_routes_without_a_key_are_open(pattern: str) -> None:
    open_ones = {name for name, one in operations(pattern).items() if one.get("security") == []}
    assert open_ones == {route.name for route in served_by(*SERVED[pattern]) if not route.key}


def test_route_whose_schema_is_missing_is_an_error_and_not_a_hole() -> None:
    with pytest.raises(KeyError):
        document(Backend.JOBS)


def test_document_is_made_once_in_a_process() -> None:
    assert DOCUMENTS["serverless"]() is DOCUMENTS["serverless"]()


def test_every_status_of_an_error_is_described() -> None:
    errors = [one for one in vars(claude_core.errors).values() if isinstance(one, type)]
    statuses = {one.status for one in errors if issubclass(one, KitError)}
    assert statuses == {status for route in ROUTES for status in route.errors}


def test_headers_of_limits_and_of_errors_are_those_described() -> None:
    now = dt.datetime.now(dt.UTC)
    limits = Limits(
        requests=1,
        requests_left=1,
        requests_reset=now,
        budget=1,
        budget_left=1,
        budget_reset=now,
    )
    assert [*limits.to_headers()] == [*LIMITS]
    failed = AwsUnreachable("slow")
    failed.limits = limits
    assert failed.to_headers("req_1").keys() == HEADERS.keys()


def test_route_of_an_answer_has_every_field_and_every_reason() -> None:
    route, schema = Table.own().default, routing_schemas()["Route"]
    choice = Choice(route=route, model=route.resolved, reason=Reason.LATE)
    assert set(schema["properties"]) == set(choice.to_json(Usage()))
    assert set(schema["required"]) == set(choice.to_json())


def test_query_of_a_route_is_what_its_parameters_name() -> None:
    assert http_route("GET /v1/jobs").query == ["status", "limit", "after"]
    assert http_route("GET /v1/jobs/{id}").query == []
