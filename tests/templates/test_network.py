"""NetworkStack: what it costs and opens, and that it asks no account while it is synthesized."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.cx_api import CloudAssembly

from app import build
from stacks.config import DEV, ENVIRONMENTS
from stacks.service_numbers import Vpc
from tests.synth import Template, assembly, make_app, template

EACH_ENV = pytest.mark.parametrize("env", ENVIRONMENTS)
EXISTING = Vpc(
    id="vpc-0123456789abcdef0",
    zones=("eu-west-1a", "eu-west-1b"),
    public_subnets=("subnet-0123456789abcdef1", "subnet-0123456789abcdef2"),
    private_subnets=("subnet-0123456789abcdef3", "subnet-0123456789abcdef4"),
)


def stack(env: str) -> Template:
    return template(env, "NetworkStack")


def looked_up(made: CloudAssembly) -> Any:
    """What the CLI would have to ask an account for."""
    return json.loads(Path(made.directory, "manifest.json").read_text()).get("missing")


@EACH_ENV
def test_zones_are_two_and_chosen_by_cloudformation_since_a_look_up_needs_credentials(
    env: str,
) -> None:
    assert not looked_up(assembly(env))
    subnets = stack(env).of_type("AWS::EC2::Subnet").values()
    zones = {str(subnet["AvailabilityZone"]) for subnet in subnets}
    assert len(zones) == 2
    assert all("Fn::GetAZs" in zone for zone in zones)


@pytest.mark.parametrize(("env", "gateways", "subnets"), [("dev", 0, 2), ("prod", 2, 4)])
def test_nat_is_paid_in_prod_alone(env: str, gateways: int, subnets: int) -> None:
    assert len(stack(env).of_type("AWS::EC2::NatGateway")) == gateways
    assert len(stack(env).of_type("AWS::EC2::Subnet")) == subnets


@EACH_ENV
def test_tables_and_image_layers_are_reached_without_paying_for_nat(env: str) -> None:
    endpoints = stack(env).of_type("AWS::EC2::VPCEndpoint").values()
    services = {one["ServiceName"]["Fn::Join"][1][-1] for one in endpoints}
    assert services == {".s3", ".dynamodb"}
    tables = len(stack(env).of_type("AWS::EC2::RouteTable"))
    for one in endpoints:
        assert one["VpcEndpointType"] == "Gateway"
        assert len(one["RouteTableIds"]) == tables


@EACH_ENV
def test_no_subnet_gives_a_public_address_to_what_did_not_ask_for_one(env: str) -> None:
    for subnet in stack(env).of_type("AWS::EC2::Subnet").values():
        assert subnet["MapPublicIpOnLaunch"] is False


@EACH_ENV
def test_the_network_brings_no_function_of_cdks_own_with_it(env: str) -> None:
    assert not stack(env).of_type("AWS::Lambda::Function")


def test_prod_writes_down_what_was_refused() -> None:
    (log,) = stack("prod").of_type("AWS::EC2::FlowLog").values()
    assert log["TrafficType"] == "REJECT"
    assert not stack("dev").of_type("AWS::EC2::FlowLog")


@pytest.mark.parametrize("private", [True, False])
def test_a_vpc_that_exists_is_used_by_its_ids_and_none_is_made(
    monkeypatch: pytest.MonkeyPatch, private: bool
) -> None:
    given = EXISTING if private else replace(EXISTING, private_subnets=())
    monkeypatch.setitem(ENVIRONMENTS, "dev", replace(DEV, vpc=given))
    made = build(make_app(env="dev")).synth()
    assert not looked_up(made)
    bodies: dict[str, Any] = {one.stack_name: one.template for one in made.stacks}
    assert set(bodies["NetworkStack"]["Resources"]) == {"Nothing"}
    resources = bodies["WebsocketStack"]["Resources"].values()
    (service,) = (one for one in resources if one["Type"] == "AWS::ECS::Service")
    network = service["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["Subnets"] == list(given.private_subnets or given.public_subnets)
    assert network["AssignPublicIp"] == ("DISABLED" if private else "ENABLED")
    (balancer,) = (one for one in resources if one["Type"].endswith("V2::LoadBalancer"))
    assert balancer["Properties"]["Subnets"] == list(given.public_subnets)
