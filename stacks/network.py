"""The network of what runs in containers: made, or one that exists."""

from aws_cdk import Acknowledgment, CfnWaitConditionHandle, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.config import Config
from stacks.parts import service_rules
from stacks.parts.log_group import log_group
from stacks.parts.nag import acknowledge
from stacks.parts.rules import check_config
from stacks.service_numbers import Vpc


class NetworkStack(Stack):
    """Two zones: a load balancer wants two even before a single task. Holds nothing where the
    configuration names a VPC that exists."""

    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(
            scope,
            id,
            stack_name=config.stack_prefix + id,
            description="Network for the patterns with containers",
        )
        wrong = check_config(self, config, service_rules.NETWORK)
        given = None if "vpc" in wrong else config.vpc
        private = bool(given.private_subnets if given else config.nat_gateways)
        self.vpc: ec2.IVpc = self._existing(given) if given else self._made(config)
        kind = ec2.SubnetType.PRIVATE_WITH_EGRESS if private else ec2.SubnetType.PUBLIC
        self.task_subnets = ec2.SubnetSelection(subnet_type=kind)
        self.public_ip = not private
        """Tasks need one to reach Claude where no NAT stands before them."""

    def _made(self, config: Config) -> ec2.Vpc:
        kinds = {"Public": ec2.SubnetType.PUBLIC}
        if config.nat_gateways:
            kinds["Private"] = ec2.SubnetType.PRIVATE_WITH_EGRESS
        vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=config.nat_gateways,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name=name,
                    subnet_type=kind,
                    cidr_mask=20,
                    # A task that wants a public address asks for it.
                    **({"map_public_ip_on_launch": False} if name == "Public" else {}),
                )
                for name, kind in kinds.items()
            ],
            # Would be done by a function of CDK's own with rights of its own; nothing is in it.
            restrict_default_security_group=False,
        )
        # Free, and what goes through them pays no NAT: layers of images, the tables.
        for name, service in (
            ("S3", ec2.GatewayVpcEndpointAwsService.S3),
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
        ):
            vpc.add_gateway_endpoint(name, service=service)
        if config.flow_logs:
            logs = log_group(self, "FlowLogs", config=config)
            vpc.add_flow_log(
                "Refused",
                destination=ec2.FlowLogDestination.to_cloud_watch_logs(logs),
                traffic_type=ec2.FlowLogTrafficType.REJECT,
            )
        else:
            acknowledge(vpc, {"VPC7": "flow logs are a flag in the configuration: on in prod"})
        return vpc

    def _existing(self, vpc: Vpc) -> ec2.IVpc:
        """By ids alone: a look-up would need credentials at synth."""
        CfnWaitConditionHandle(self, "Nothing")  # CloudFormation takes no empty template
        found = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=vpc.id,
            availability_zones=list(vpc.zones),
            public_subnet_ids=list(vpc.public_subnets),
            private_subnet_ids=list(vpc.private_subnets) or None,
        )
        tables = "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId"
        Validations.of(found).acknowledge(
            Acknowledgment(id=tables, reason="no route is added to a network that exists")
        )
        return found
