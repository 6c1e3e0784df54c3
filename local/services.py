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
    templates = {name: _resources(endpoint, name) for name in outputs}
    # All are started before the first is waited for.
    started = {
        name: {
            id: _started(stack, endpoint, name, id, function)
            for id, function in adapted(resources).items()
        }
        for name, resources in templates.items()
    }
    for name, services in started.items():
        for id, service in services.items():
            service.ready(snap_start="SnapStart" in templates[name][id]["Properties"])
        if services:
            urls = {id: service.url for id, service in services.items()}
            outputs[name]["ApiUrl"] = _front(
                stack, name, outputs[name]["ApiUrl"], templates[name], urls
            )


def _resources(endpoint: str, stack_name: str) -> Any:
    found = cloud.client("cloudformation", endpoint).get_template(StackName=stack_name)
    return found["TemplateBody"]["Resources"]


def _started(stack: ExitStack, endpoint: str, name: str, id: str, function: Any) -> Adapted:
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
    return service


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
