"""A synthesized template, deployed into moto: what a handler then gets, and what it may do."""

import copy
import io
import json
import zipfile
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any

from moto.cloudformation.parsing import get_model_map

from tests.doubles import AwsDouble
from tests.synth import Template

NOT_IN_MOTO = {
    "AWS::ApiGateway::Account": "the account's logging role; no handler sees it",
    "AWS::ApiGateway::GatewayResponse": "API Gateway's own refusals; no handler sees them",
    "AWS::ApplicationAutoScaling::ScalableTarget": "how many tasks run; no task sees it",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "how many tasks run; no task sees it",
    "AWS::ApiGateway::Stage": "before the function; the live tier calls through a real one",
    "AWS::CloudWatch::Alarm": "for people",
    "AWS::CloudWatch::Dashboard": "for people",
    "AWS::CodeDeploy::Application": "how a new version takes over; no handler sees it",
    "AWS::CodeDeploy::DeploymentGroup": "how a new version takes over; no handler sees it",
    "AWS::EC2::SecurityGroup": "the network; nothing here connects through it",
    "AWS::EC2::SecurityGroupEgress": "the network",
    "AWS::EC2::SecurityGroupIngress": "the network",
    "AWS::Events::EventBus": "created below: moto's own does not say its name",
    "AWS::ElasticLoadBalancingV2::Listener": "before the service",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "before the service",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "before the service",
    "AWS::Lambda::Alias": "what API Gateway calls; the function behind it is deployed",
    "AWS::Lambda::EventSourceMapping": "brings messages to a function; here the test does",
    "AWS::Lambda::Permission": "who may call the alias",
    "AWS::S3::BucketPolicy": "who else reaches a bucket; no handler sees it",
    "AWS::SQS::QueuePolicy": "who else sends to a queue; no handler sees it",
    "AWS::SecretsManager::Secret": "created below from the template's own properties: moto's own "
    "would fill it, and ours is empty after a deploy",
    "AWS::SNS::TopicPolicy": "who may publish alarms; no handler sees it",
    "AWS::WAFv2::LoggingConfiguration": "before the API",
    "AWS::WAFv2::WebACL": "before the API",
    "AWS::WAFv2::WebACLAssociation": "before the API",
}
"""Resource types that are taken out of a template before moto deploys it, each with the reason."""


class Deployed:
    """One stack as moto holds it."""

    def __init__(
        self, aws: AwsDouble, template: Template, outputs: Mapping[str, Mapping[str, str]]
    ):
        self._aws = aws
        body = _resolved(copy.deepcopy(template.body), outputs)
        body["Parameters"].pop("BootstrapVersion")  # of the CLI's own buckets; moto has none
        body.pop("Rules", None)
        known, made = get_model_map(), _make_secrets(aws, body) | _make_buses(aws, body)
        gone = {
            id: one["Type"]
            for id, one in body["Resources"].items()
            if one["Type"] in NOT_IN_MOTO or one["Type"] not in known
        }
        unlisted = set(gone.values()) - set(NOT_IN_MOTO)
        assert not unlisted, f"moto lacks {unlisted}: list them in NOT_IN_MOTO with the reason"
        body["Resources"] = {
            id: _without(one, gone) for id, one in body["Resources"].items() if id not in gone
        }
        body = _replaced(body, {**dict.fromkeys(gone, "left-out"), **made})
        _put_code(aws, body)
        formation = aws.boto("cloudformation")
        formation.create_stack(StackName=template.name, TemplateBody=json.dumps(body))
        (stack,) = formation.describe_stacks(StackName=template.name)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        listed = formation.describe_stack_resources(StackName=template.name)["StackResources"]
        self._physical = {
            one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in listed
        }
        self._template = body
        self._keep_versions()

    def _keep_versions(self) -> None:
        """Of the buckets that keep them: moto's CloudFormation makes buckets without."""
        for id, one in self._template["Resources"].items():
            kept = one.get("Properties", {}).get("VersioningConfiguration")
            if one["Type"] == "AWS::S3::Bucket" and kept:
                self._aws.boto("s3").put_bucket_versioning(
                    Bucket=self._physical[id], VersioningConfiguration=kept
                )

    def environment(self, function: str) -> dict[str, str]:
        """A function's environment, as the template resolves."""
        name = self._physical[function]
        found = self._aws.boto("lambda").get_function_configuration(FunctionName=name)
        return dict(found["Environment"]["Variables"])

    def functions(self) -> list[str]:
        resources = self._template["Resources"].items()
        return [id for id, one in resources if one["Type"] == "AWS::Lambda::Function"]

    def grants(self, function: str) -> set[tuple[str, str]]:
        """What the function's role may do: (action, resource), as deployed."""
        configured = self._aws.boto("lambda").get_function_configuration(
            FunctionName=self._physical[function]
        )
        return self._granted(configured["Role"])

    def tasks(self) -> list[str]:
        resources = self._template["Resources"].items()
        return [id for id, one in resources if one["Type"] == "AWS::ECS::TaskDefinition"]

    def task_environment(self, task: str) -> dict[str, str]:
        """Of a task's one container, as the template resolves."""
        ecs = self._aws.boto("ecs")
        found = ecs.describe_task_definition(taskDefinition=self._physical[task])
        (container,) = found["taskDefinition"]["containerDefinitions"]
        return {one["name"]: one["value"] for one in container["environment"]}

    def task_grants(self, task: str) -> set[tuple[str, str]]:
        """What the code in a task may do; its execution role is ECS's own."""
        # By the template: moto forgets it.
        role, _ = self._template["Resources"][task]["Properties"]["TaskRoleArn"]["Fn::GetAtt"]
        return self._granted(self._physical[role])

    def _granted(self, arn: str) -> set[tuple[str, str]]:
        role, iam = arn.rsplit("/", 1)[-1], self._aws.boto("iam")
        pairs = set()
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for statement in document["Statement"]:
                assert statement["Effect"] == "Allow"
                pairs |= {
                    (action, resource)
                    for action in _list(statement["Action"])
                    for resource in _list(statement["Resource"])
                }
        return pairs


def covers(grant: tuple[str, str], action: str, resource: str) -> bool:
    return grant[0] == action and fnmatchcase(resource, grant[1])


def _without(resource: dict[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """A resource that does not wait for those that were taken out."""
    waits = [id for id in _list(resource.get("DependsOn", [])) if id not in gone]
    return {**resource, "DependsOn": waits}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resolved(node: Any, outputs: Mapping[str, Mapping[str, str]]) -> Any:
    """Fn::GetStackOutput, which moto does not know, replaced by the other stack's output."""
    if isinstance(node, dict):
        if found := node.get("Fn::GetStackOutput"):
            return outputs[found["StackName"]][found["OutputName"]]
        return {name: _resolved(part, outputs) for name, part in node.items()}
    if isinstance(node, list):
        return [_resolved(part, outputs) for part in node]
    return node


def _replaced(node: Any, values: dict[str, str]) -> Any:
    """References to resources that were taken out, replaced by what stands for them."""
    if isinstance(node, dict):
        if node.get("Ref") in values:
            return values[node["Ref"]]
        attribute = node.get("Fn::GetAtt")
        if isinstance(attribute, list) and attribute[0] in values:
            return values.get(".".join(attribute), values[attribute[0]])
        return {name: _replaced(part, values) for name, part in node.items()}
    if isinstance(node, list):
        return [_replaced(part, values) for part in node]
    return node


def _make_secrets(aws: AwsDouble, body: dict[str, Any]) -> dict[str, str]:
    secrets = {
        id: one
        for id, one in body["Resources"].items()
        if one["Type"] == "AWS::SecretsManager::Secret"
    }
    manager = aws.boto("secretsmanager")
    return {
        id: manager.create_secret(Name=id, **one.get("Properties", {}))["ARN"]
        for id, one in secrets.items()
    }


def _make_buses(aws: AwsDouble, body: dict[str, Any]) -> dict[str, str]:
    """Names, and ARNs as the attribute of that name."""
    made = {}
    for id, one in body["Resources"].items():
        if one["Type"] == "AWS::Events::EventBus":
            made[id] = name = one["Properties"]["Name"]
            made[f"{id}.Arn"] = aws.boto("events").create_event_bus(Name=name)["EventBusArn"]
    return made


def _put_code(aws: AwsDouble, body: dict[str, Any]) -> None:
    """An empty zip where the template says that the bundle is; handlers run in this process."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("empty", "")
    s3 = aws.boto("s3")
    for one in body["Resources"].values():
        if one["Type"] == "AWS::Lambda::Function":
            code = one["Properties"]["Code"]
            code["S3Bucket"] = "bundles"
            s3.create_bucket(Bucket="bundles")
            s3.put_object(Bucket="bundles", Key=code["S3Key"], Body=packed.getvalue())
