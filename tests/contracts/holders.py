"""Which types of resources hold data or a name that others hold, and which hold neither."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Properties = dict[str, Any]
CHOSEN = "chosen by CloudFormation"
NOT_SET = "not set"


REPLACED = "CloudFormation replaces it by a new, empty one"


@dataclass(frozen=True, slots=True)
class Aspect:
    """What of a resource is part of its identity."""

    read: Callable[[Properties], str]
    consequence: str = REPLACED
    """Of a change."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A type of resources that hold something."""

    noun: str
    why: str
    """What such a one holds."""
    aspects: dict[str, Aspect]
    lost: str | None = None
    """What is lost with any of them; None: `LOST` says it of each."""


def _value(name: str, otherwise: str = NOT_SET) -> Callable[[Properties], str]:
    return lambda properties: str(properties.get(name, otherwise))


def _name(field: str) -> dict[str, Aspect]:
    return {"name": Aspect(_value(field, CHOSEN))}


def _keys(of: Properties, types: dict[str, str]) -> str:
    return " + ".join(
        f"{key['AttributeName']} ({types[key['AttributeName']]})" for key in of["KeySchema"]
    )


def _types(table: Properties) -> dict[str, str]:
    return {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}


def _indexes(table: Properties) -> str:
    """Each with its keys and what it projects: neither can be changed in place."""
    types, found = _types(table), []
    for one in table.get("GlobalSecondaryIndexes", []):
        projected = one["Projection"]
        included = projected.get("NonKeyAttributes") or [projected["ProjectionType"]]
        found.append(f"{one['IndexName']}: {_keys(one, types)}, with {' '.join(sorted(included))}")
    return "; ".join(sorted(found)) or "none"


def _expires(table: Properties) -> str:
    ends = table.get("TimeToLiveSpecification", {})
    return str(ends["AttributeName"]) if ends.get("Enabled") else "never"


def _recovers(table: Properties) -> str:
    recovery = table.get("PointInTimeRecoverySpecification", {})
    return str(recovery.get("PointInTimeRecoveryEnabled", False))


def _versioned(bucket: Properties) -> str:
    return str(bucket.get("VersioningConfiguration", {}).get("Status", "no"))


REMOVAL = {
    "on removal": Aspect(
        lambda resource: str(resource.get("DeletionPolicy", "Delete")),
        "whether it stays when its construct or its stack goes",
    ),
    "on replacement": Aspect(
        lambda resource: str(resource.get("UpdateReplacePolicy", "Delete")),
        "whether it stays when CloudFormation puts another in its place",
    ),
}
"""Of every resource that holds something; read from the resource itself, not its properties."""

HOLDERS = {
    "AWS::DynamoDB::Table": Holder(
        "table",
        "rows",
        {
            **_name("TableName"),
            "keys": Aspect(lambda table: _keys(table, _types(table))),
            "indexes": Aspect(_indexes, "an index is built anew, and finds nothing meanwhile"),
            "rows expire by": Aspect(_expires, "rows are deleted at another time, or never"),
            "deletion protection": Aspect(
                _value("DeletionProtectionEnabled", "False"), "whether one call can delete it"
            ),
            "point-in-time recovery": Aspect(
                _recovers, "whether what a mistake destroys can be brought back"
            ),
        },
    ),
    "AWS::SecretsManager::Secret": Holder("secret", "a key", _name("Name")),
    "AWS::S3::Bucket": Holder(
        "bucket",
        "objects",
        {
            **_name("BucketName"),
            "versions": Aspect(_versioned, "whether what is overwritten can be brought back"),
        },
    ),
    "AWS::SQS::Queue": Holder(
        "queue",
        "messages",
        {**_name("QueueName"), "FIFO": Aspect(_value("FifoQueue", "False"))},
    ),
    "AWS::Events::EventBus": Holder("event bus", "rules that others have put on it", _name("Name")),
    "AWS::SNS::Topic": Holder(
        "topic",
        "subscriptions that people have confirmed",
        {**_name("TopicName"), "FIFO": Aspect(_value("FifoTopic", "False"))},
    ),
    "AWS::ApiGateway::RestApi": Holder(
        "API",
        "its id is part of the address that callers hold",
        {"name": Aspect(_value("Name"), "metrics, alarms and graphs count by it")},
        lost="the address that callers hold as their base URL",
    ),
    "AWS::ApiGateway::Stage": Holder(
        "API stage",
        "its name is part of the address that callers hold",
        {"name": Aspect(_value("StageName"))},
        lost="the address that callers hold as their base URL",
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Holder(
        "load balancer",
        "its DNS name, which callers hold, or the record that leads to it",
        {**_name("Name"), "scheme": Aspect(_value("Scheme")), "kind": Aspect(_value("Type"))},
        lost="the DNS name that callers and records hold",
    ),
    "AWS::EC2::VPC": Holder(
        "network",
        "a load balancer, which cannot move to another, and what a team has connected to it",
        {"addresses": Aspect(_value("CidrBlock"))},
        lost="the network that the load balancer, tasks and peerings are in",
    ),
    "AWS::EC2::EIP": Holder(
        "fixed address",
        "the address that calls come from, which allow lists hold",
        {"pool": Aspect(_value("PublicIpv4Pool", "of AWS"))},
        lost="the address that allow lists know the tasks by",
    ),
}

HOLDS_NOTHING = {
    "AWS::ApiGateway::Account": "a setting of account and region; made again it is the same",
    "AWS::ApiGateway::Deployment": "a copy of the routes, made anew with each change of them",
    "AWS::ApiGateway::GatewayResponse": "how refusals look",
    "AWS::ApiGateway::Method": "a route, as the template has it",
    "AWS::ApiGateway::Resource": "a path, as the template has it",
    "AWS::ApplicationAutoScaling::ScalableTarget": "numbers of the template",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "numbers of the template",
    "AWS::CloudWatch::Alarm": "a threshold; no code reads its history",
    "AWS::CloudWatch::Dashboard": "graphs; metrics are found by the stack's name, not by it",
    "AWS::CodeDeploy::Application": "how a version takes over",
    "AWS::CodeDeploy::DeploymentGroup": "how a version takes over",
    "AWS::EC2::FlowLog": "a switch; what it writes is in a log group",
    "AWS::EC2::InternetGateway": "a way out, without an address of its own",
    "AWS::EC2::NatGateway": "a way out; its address is the EIP",
    "AWS::EC2::Route": "as the template has it",
    "AWS::EC2::RouteTable": "as the template has it",
    "AWS::EC2::SecurityGroup": "rules of the template",
    "AWS::EC2::SecurityGroupEgress": "a rule of the template",
    "AWS::EC2::SecurityGroupIngress": "a rule of the template",
    "AWS::EC2::Subnet": "a part of the network; what stands in it moves when it is replaced",
    "AWS::EC2::SubnetRouteTableAssociation": "as the template has it",
    "AWS::EC2::VPCEndpoint": "a way to AWS; holds no state",
    "AWS::EC2::VPCGatewayAttachment": "as the template has it",
    "AWS::ECS::Cluster": "tasks, which are started again; the CLI finds it by an output",
    "AWS::ECS::Service": "tasks, which drain and start again; the CLI finds it by an output",
    "AWS::ECS::TaskDefinition": "as the template has it, a revision for each change",
    "AWS::ElasticLoadBalancingV2::Listener": "as the template has it; its port is in the address",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "tasks register themselves anew",
    "AWS::IAM::Policy": "rights of the template",
    "AWS::IAM::Role": "rights of the template; a team's policy that names one has to follow",
    "AWS::Lambda::Alias": "which version serves",
    "AWS::Lambda::EventSourceMapping": "which queue feeds a function; the queue keeps the messages",
    "AWS::Lambda::Function": "code of the bundle",
    "AWS::Lambda::Permission": "rights of the template",
    "AWS::Lambda::Version": "code of the bundle, one for each change",
    "AWS::Logs::LogGroup": "logs, which end by themselves; no code reads them, prod retains them",
    "AWS::S3::BucketPolicy": "rights of the template",
    "AWS::SNS::TopicPolicy": "rights of the template",
    "AWS::SQS::QueuePolicy": "rights of the template",
    "AWS::WAFv2::LoggingConfiguration": "a switch; what it writes is in a log group",
    "AWS::WAFv2::WebACL": "rules of the template",
    "AWS::WAFv2::WebACLAssociation": "as the template has it",
}

_DEAD = "the dead letters, from which `kit jobs redrive` lets jobs begin anew"

LOST = {
    "SharedStack ClaudeKey": "the Claude API key",
    "SharedStack Clients67031123": "every client's key, budget and open reservation",
    "SharedStack HistoryC127576E": "what each client used on each of the last 400 days",
    "SharedStack Alarms04B5A0BF": "every confirmed subscription to alarms",
    "QueueStack StoreJobs22D0D865": "every job with its status, its request and its result",
    "QueueStack StoreFiles21FAE192": "uploads, large requests and results, and the inbox",
    "QueueStack StoreBus757B832A": "every rule by which others hear of finished jobs",
    "QueueStack StoreNowQueueB493865F": "the messages that workers learn of queued jobs by",
    "QueueStack StoreNowDeadA69EF00F": _DEAD,
    "QueueStack StoreLongQueue9F9327EA": "the messages that workers learn of long jobs by",
    "QueueStack StoreLongDeadB1834C03": _DEAD,
    "QueueStack StoreBatchQueue115BB3DD": "the polls of batches, whose results are paid",
    "QueueStack StoreBatchDead08748888": _DEAD,
    "QueueStack InboxQueue96F60793": "the notices of files in the inbox, which become no jobs then",
    "QueueStack InboxDead27030C1E": "the notices of files that could not be read",
    "WebsocketStack ConversationsBC91B70D": "what was said in every chat",
    "WebsocketStack EntranceAccessLogs41EA7DCE": "the load balancer's access logs",
    "OrchestratorStack ConversationsBC91B70D": "the model that each conversation is on",
}
"""What would be lost with each, by stack and logical id: the message of a failed test says it."""
