"""The deployed web services and the fronts before them, started from what was deployed."""

import json
import sys
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from local import cloud
from local.adapter import Adapted
from local.paths import ASSEMBLY, STATE, clean_env
from local.processes import Guarded, free_port
from local.routes import adapted, routes


def start(stack: ExitStack, endpoint: str, outputs: dict[str, dict[str, str]]) -> None:
    """Run every web service of the deployed stacks; their API's URL becomes that of its front.

    Raises:
        SystemExit: a service or a front did not come up; shows the end of its log.
    """
    for name, values in outputs.items():
        resources = cloud.client("cloudformation", endpoint).get_template(StackName=name)[
            "TemplateBody"
        ]["Resources"]
        services = {
            id: _run(stack, endpoint, name, id, function)
            for id, function in adapted(resources).items()
        }
        if services:
            values["ApiUrl"] = _front(stack, name, values["ApiUrl"], resources, services)


def _run(stack: ExitStack, endpoint: str, name: str, id: str, function: Any) -> str:
    """Start one function's service; its URL."""
    found = cloud.client("cloudformation", endpoint).describe_stack_resource(
        StackName=name, LogicalResourceId=id
    )
    physical = found["StackResourceDetail"]["PhysicalResourceId"]
    configured = cloud.client("lambda", endpoint).get_function_configuration(FunctionName=physical)
    env = configured["Environment"]["Variables"] | cloud.credentials(endpoint)
    env["AWS_LAMBDA_FUNCTION_NAME"] = physical
    bundle = ASSEMBLY / f"asset.{function['Code']['S3Key'].removesuffix('.zip')}"
    service = Adapted(f"{name}-{id}", configured["Handler"], bundle, env)
    stack.enter_context(service.process)
    service.ready(snap_start="SnapStart" in function)
    return service.url


def _front(
    stack: ExitStack, name: str, api_url: str, resources: Any, services: dict[str, str]
) -> str:
    """Start the front of one API; the URL that stands for the API's own."""
    stage, port = api_url.rstrip("/").rsplit("/", 1)[-1], free_port()
    told = {
        "port": port,
        "stage": stage,
        "routes": [asdict(route) for route in routes(resources)],
        "services": services,
        "emulator": api_url.rstrip("/"),
    }
    file = STATE / f"{name}-front.json"
    file.write_text(json.dumps(told))
    front = Guarded(f"{name}-front", [sys.executable, "-m", "local.front", str(file)], clean_env())
    stack.enter_context(front)
    url = f"http://127.0.0.1:{port}/{stage}"
    front.wait_for(f"{url}/health")
    return url
