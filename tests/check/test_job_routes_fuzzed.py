"""Whatever is sent to a job route by the served description is answered as the description says."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from claude_core.http_routes import Backend
from claude_core.jobs.schemas import job_schemas
from claude_core.openapi import document
from lambda_src.jobs import ROUTES
from tests.described import assert_described
from tests.doubles import AwsDouble
from tests.handlers.submitting import DOC, Submitting

pytestmark = pytest.mark.check


@pytest.fixture
def served(aws: AwsDouble) -> Iterator[Submitting]:
    with closing(Submitting(aws)) as one:
        yield one


DOCUMENT = document(Backend.JOBS, more=job_schemas)
SCHEMA = schemathesis.openapi.from_dict(json.loads(DOCUMENT))
CHECKS: list[Any] = [
    schemathesis.checks.not_a_server_error,
    *(
        schemathesis.checks.CHECKS.get_one(name)
        for name in (
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
            "response_headers_conformance",
        )
    ),
]


@pytest.mark.parametrize("route", [route for route in ROUTES if "/v1/" in route])
def test_whatever_is_sent_by_the_description_is_answered_as_it_says(
    served: Submitting, route: str
) -> None:
    method, path = route.split(" ")
    operation = SCHEMA[path][method]
    known = served.submit(DOC)
    modes = st.sampled_from(list(schemathesis.GenerationMode))

    @settings(
        max_examples=25,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=modes.flatmap(lambda mode: operation.as_strategy(generation_mode=mode)))
    def holds(case: schemathesis.Case[Any]) -> None:
        sent = served.event(f"{method} {path.replace('{id}', known)}")
        if "id" in (case.path_parameters or {}):
            sent["pathParameters"] = {"id": str(case.path_parameters["id"])}
        query = {name: str(value) for name, value in (case.query or {}).items()}
        sent["queryStringParameters"] = query or None
        sent["headers"] |= {name: str(value) for name, value in (case.headers or {}).items()}
        sent["headers"]["x-api-key"] = served.key
        if method == "POST":
            sent["body"] = json.dumps(case.body, default=str)
        answer = served.raw(sent)
        case.validate_response(_response(answer, method), checks=CHECKS)
        assert_described(DOCUMENT, route, answer["statusCode"], answer["headers"], answer["body"])

    holds()


def _response(answer: dict[str, Any], method: str) -> schemathesis.Response:
    request = requests.Request(method, "http://127.0.0.1/").prepare()
    headers = {name: [value] for name, value in answer["headers"].items()}
    body = answer["body"].encode()
    return schemathesis.Response(answer["statusCode"], headers, body, request, 0.0, verify=True)
