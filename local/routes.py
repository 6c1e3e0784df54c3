"""What a deployed template says of its API: which route is answered by what, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of the REST API."""

    method: str
    path: str
    function: str
    """Logical id of the function behind it."""
    streams: bool
    """Whether API Gateway passes the answer on as it is written."""
    timeout_s: float


def routes(resources: Resources) -> list[Route]:
    """Every route of a stack's REST API, as its resources have it."""
    found = []
    for method in _of_type(resources, "AWS::ApiGateway::Method").values():
        integration = method["Integration"]
        found.append(
            Route(
                method["HttpMethod"],
                _path(resources, method["ResourceId"]),
                _function(resources, integration["Uri"]),
                integration.get("ResponseTransferMode", "BUFFERED") == "STREAM",
                integration["TimeoutInMillis"] / 1_000,
            )
        )
    return found


def adapted(resources: Resources) -> dict[str, Mapping[str, Any]]:
    """The functions that run a web service under the Lambda Web Adapter, by logical id."""
    return {
        id: one
        for id, one in _of_type(resources, "AWS::Lambda::Function").items()
        if "AWS_LAMBDA_EXEC_WRAPPER" in one.get("Environment", {}).get("Variables", {})
    }


def _of_type(resources: Resources, kind: str) -> dict[str, Mapping[str, Any]]:
    return {id: one["Properties"] for id, one in resources.items() if one["Type"] == kind}


def _path(resources: Resources, reference: Mapping[str, Any]) -> str:
    if "Ref" not in reference:  # the API's root, which is an attribute of it
        return ""
    resource = resources[reference["Ref"]]["Properties"]
    return f"{_path(resources, resource['ParentId'])}/{resource['PathPart']}"


def _function(resources: Resources, uri: Mapping[str, Any]) -> str:
    """Behind the alias, or the function itself, that the integration's URI names."""
    for part in uri["Fn::Join"][1]:
        name = next(iter(part.values())) if isinstance(part, dict) else None
        id = str(name[0] if isinstance(name, list) else name)
        if id not in resources:
            continue
        properties = resources[id]["Properties"]
        return str(properties["FunctionName"]["Ref"]) if "FunctionVersion" in properties else id
    raise ValueError(f"no function in {uri}")
