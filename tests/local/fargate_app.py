"""A stack in the shape of the websocket and the queue pattern, around a task of a few lines."""

import shutil
from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_s3 as s3

from local.paths import ROOT

STACK = "FixtureStack"
HEALTHY = "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health', timeout=5)"


def context(folder: Path) -> Path:
    """A build context that holds the program, with the service's own lock."""
    shutil.copytree(ROOT / "tests" / "local" / "program", folder / "program")
    shutil.copy(ROOT / "service_src" / "container.lock", folder / "program")
    return folder


def assembly(out: Path, image: Path, *, marked: str = "1") -> Path:
    """Synthesize it.

    Args:
        marked: a variable of the task; another one is another deployment.
    """
    app = App(outdir=str(out))
    stack = Stack(app, STACK)
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=1)
    bucket = s3.Bucket(
        stack, "Logs", auto_delete_objects=True, removal_policy=RemovalPolicy.DESTROY
    )
    table = dynamodb.Table(
        stack,
        "Table",
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
    )
    definition = ecs.FargateTaskDefinition(stack, "Definition")
    definition.add_container(
        "program",
        image=ecs.ContainerImage.from_docker_image_asset(
            ecr_assets.DockerImageAsset(
                stack, "Image", directory=str(image), file="program/Dockerfile"
            )
        ),
        environment={"TABLE": table.table_name, "MARKED": marked, "OVERRIDDEN": "definition"},
        port_mappings=[ecs.PortMapping(container_port=8080)],
        stop_timeout=Duration.seconds(7),
        health_check=ecs.HealthCheck(command=["CMD", "python", "-c", HEALTHY]),
    )
    cluster = ecs.Cluster(stack, "Cluster", vpc=vpc)
    service = ecs.FargateService(
        stack,
        "Service",
        cluster=cluster,
        task_definition=definition,
        min_healthy_percent=100,
    )
    spot = ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=1)
    ecs.FargateService(
        stack,
        "Worker",
        cluster=cluster,
        task_definition=definition,
        min_healthy_percent=100,
        capacity_provider_strategies=[spot],
    )
    balancer = elbv2.ApplicationLoadBalancer(
        stack, "Balancer", vpc=vpc, internet_facing=True, idle_timeout=Duration.seconds(300)
    )
    listener = balancer.add_listener("Http", port=80, open=True)
    check = elbv2.HealthCheck(path="/ready")
    listener.add_targets(
        "Targets",
        port=8080,
        protocol=elbv2.ApplicationProtocol.HTTP,
        targets=[service],
        health_check=check,
    )
    tasks = service.auto_scale_task_count(max_capacity=4)
    tasks.scale_on_cpu_utilization("Cpu", target_utilization_percent=50)
    CfnOutput(stack, "ServiceUrl", value=f"http://{balancer.load_balancer_dns_name}")
    CfnOutput(stack, "LogBucket", value=bucket.bucket_name)
    app.synth()
    return out
