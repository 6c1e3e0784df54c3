"""What is deployed of ECS and its load balancers, asked of the emulator."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local import cloud
from local.task import Container


@dataclass(frozen=True, slots=True)
class Service:
    """One ECS service, as it is now."""

    stack: str
    arn: str
    desired: int
    rollout: str
    """Changes with each deployment of it."""
    container: Container
    target_group: str | None
    """ARN of what its tasks are registered with."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """One load balancer with the target group that its listeners forward to."""

    name: str
    dns_name: str
    target_group: str
    health_path: str
    idle_s: float


def services(endpoint: str, stack: str) -> list[Service]:
    """Every ECS service of a stack.

    Raises:
        SystemExit: a task definition asks for what cannot be had here.
    """
    arns = _of_type(endpoint, stack, "AWS::ECS::Service").values()
    return [service(endpoint, stack, arn) for arn in arns]


def service(endpoint: str, stack: str, arn: str) -> Service:
    """One ECS service and the container of its task definition that is to be run: the one that
    the load balancer names, else the first."""
    ecs = cloud.client("ecs", endpoint)
    found = described(ecs, arn)
    definition_arn = found["taskDefinition"]
    definition = ecs.describe_task_definition(taskDefinition=definition_arn)["taskDefinition"]
    containers = definition["containerDefinitions"]
    balanced = {one["containerName"]: one for one in found.get("loadBalancers", [])}
    told = next((one for one in containers if one["name"] in balanced), containers[0])
    return Service(
        stack=stack,
        arn=arn,
        desired=found["desiredCount"],
        rollout=rollout(found),
        container=Container.from_json(
            told | _health(endpoint, stack, definition_arn, told["name"])
        ),
        target_group=balanced.get(told["name"], {}).get("targetGroupArn"),
    )


def described(ecs: Any, arn: str) -> dict[str, Any]:
    """What ECS says of a service."""
    (found,) = ecs.describe_services(cluster=arn.split("/")[-2], services=[arn])["services"]
    return dict(found)


def rollout(found: dict[str, Any]) -> str:
    return str(found["deployments"][0]["id"])


def entrances(endpoint: str, stack: str) -> Iterator[Entrance]:
    """Every load balancer of a stack that forwards to a target group."""
    elb = cloud.client("elbv2", endpoint)
    kind = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    for arn in _of_type(endpoint, stack, kind).values():
        (balancer,) = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        idle = {one["Key"]: one["Value"] for one in attributes}["idle_timeout.timeout_seconds"]
        groups = [group for group in _forwarded_to(elb, arn) if group]
        if groups:
            (group,) = elb.describe_target_groups(TargetGroupArns=groups[:1])["TargetGroups"]
            yield Entrance(
                name=balancer["LoadBalancerName"],
                dns_name=balancer["DNSName"],
                target_group=groups[0],
                health_path=group.get("HealthCheckPath", "/"),
                idle_s=float(idle),
            )


def register(endpoint: str, group: str, port: int, *, old: int | None = None) -> None:
    """Tell the emulator's load balancer where a task is. It knows targets by their address alone,
    and that of all tasks is the same here: one at a time."""
    elb = cloud.client("elbv2", endpoint)
    if old is not None:
        elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": old}])
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])


def _forwarded_to(elb: Any, balancer: str) -> Iterator[str | None]:
    """The target groups of a load balancer's listeners, and of their rules."""
    for listener in elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
        rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        for actions in (listener["DefaultActions"], *(rule["Actions"] for rule in rules)):
            for action in actions:
                if action["Type"] == "forward":
                    weighted = action.get("ForwardConfig", {}).get("TargetGroups", [{}])
                    yield action.get("TargetGroupArn") or weighted[0].get("TargetGroupArn")


def _health(endpoint: str, stack: str, definition: str, container: str) -> dict[str, Any]:
    """A container's health check, as the deployed template has it: of what lies deeper than one
    level in a container's definition the emulator keeps CloudFormation's names, and its ECS shows
    nothing of that."""
    formation = cloud.client("cloudformation", endpoint)
    body = formation.get_template(StackName=stack)["TemplateBody"]
    for id, physical in _of_type(endpoint, stack, "AWS::ECS::TaskDefinition").items():
        if physical == definition:
            for one in body["Resources"][id]["Properties"]["ContainerDefinitions"]:
                if one["Name"] == container and "HealthCheck" in one:
                    return {"healthCheck": {"command": one["HealthCheck"]["Command"]}}
    return {}


def _of_type(endpoint: str, stack: str, kind: str) -> dict[str, str]:
    """Logical and physical ids of a stack's resources of one type."""
    listed = cloud.client("cloudformation", endpoint).list_stack_resources(StackName=stack)
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for one in listed["StackResourceSummaries"]
        if one["ResourceType"] == kind
    }
