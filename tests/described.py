"""Whether an answer is one that the OpenAPI document of its server describes."""

import json
from collections.abc import Mapping

from jsonschema import Draft202012Validator


def assert_described(
    document: bytes, route: str, status: int, headers: Mapping[str, str], body: bytes | str
) -> None:
    """Status, content type, each of our own headers and the schema of the body."""
    described = json.loads(document)
    method, path = route.split(" ")
    response = described["paths"][path][method.lower()]["responses"][str(status)]
    kind = headers["content-type"].partition(";")[0]
    of_the_transport = {"content-type", "content-length", "date", "server"}
    told = {name.lower() for name in headers} - of_the_transport
    if kind == "text/event-stream":
        told -= {"cache-control", "transfer-encoding", "x-accel-buffering"}
    assert told <= set(response["headers"]), route
    schema = response["content"][kind]["schema"]
    if kind == "application/json":
        whole = {**schema, "components": described["components"]}
        Draft202012Validator(whole).validate(json.loads(body))
