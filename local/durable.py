"""Durable functions, made known to the emulator: its CloudFormation passes their settings over."""

import json

import httpx2

from local import cloud


def start(endpoint: str, stacks: list[str]) -> None:
    """Let every deployed function be durable that its template says is.

    ministack 1.5.33 wants to be told `Enabled`, too, which is no word of AWS's, and so not of its
    client libraries'.
    """
    formation = cloud.client("cloudformation", endpoint)
    for stack in stacks:
        template = formation.get_template(StackName=stack)["TemplateBody"]
        for id, resource in template["Resources"].items():
            if durable := resource.get("Properties", {}).get("DurableConfig"):
                told = formation.describe_stack_resource(StackName=stack, LogicalResourceId=id)
                function = told["StackResourceDetail"]["PhysicalResourceId"]
                url = f"{endpoint}/2015-03-31/functions/{function}/configuration"
                body = json.dumps({"DurableConfig": durable | {"Enabled": True}})
                httpx2.put(url, content=body, timeout=10).raise_for_status()
