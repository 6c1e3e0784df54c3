"""The websocket page says what the templates say."""

import re

import pytest

from stacks.config import DEV, PROD
from stacks.parts.service_rules import SOCKETS, TIME
from tests.synth import ROOT, template

PAGE = (ROOT / "docs/patterns/websocket.md").read_text()
NUMBERS = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
HOURS = 730
VCPU, GB, BALANCER, NAT, ADDRESS, ALARM = 0.03238, 0.00356, 0.0225, 0.045, 0.005, 0.10


def test_each_number_on_the_page_is_the_one_in_the_configuration() -> None:
    for name, dev, prod in NUMBERS:
        assert (getattr(DEV, name), getattr(PROD, name)) == (int(dev), int(prod)), name
    assert {rule.field for rule in (*SOCKETS, *TIME)} <= {name for name, _, _ in NUMBERS}


@pytest.mark.parametrize("column", [0, 1])
def test_each_cost_on_the_page_follows_from_the_template_and_the_prices(column: int) -> None:
    config = (DEV, PROD)[column]
    rows = re.findall(r"^\| ([^|\n]*) \| \**([\d.]+)\** \| \**([\d.]+)\** \|$", PAGE, re.MULTILINE)
    shown = [float(row[1 + column]) for row in rows if float(row[2])]
    network = template(config.environment, "NetworkStack")
    chat = template(config.environment, "WebsocketStack")
    size = config.service_cpu / 1_024 * VCPU + config.service_memory_mb / 1_024 * GB
    gateways = len(network.of_type("AWS::EC2::NatGateway"))
    addresses = 2 + (gateways or config.min_tasks)
    acls = chat.of_type("AWS::WAFv2::WebACL").values()
    alarms = len(chat.of_type("AWS::CloudWatch::Alarm")) + 2
    costs = [
        BALANCER * HOURS,
        config.min_tasks * size * HOURS,
        addresses * ADDRESS * HOURS,
        gateways * NAT * HOURS,
        sum(5.0 + len(acl["Rules"]) for acl in acls),
        alarms * ALARM,
        0.60,
    ]
    assert shown == pytest.approx([*costs, sum(costs)], abs=0.011)


def test_the_readme_says_what_the_page_says() -> None:
    (dev, prod) = re.findall(r"\*\*together\*\* \| \*\*([\d.]+)\*\* \| \*\*([\d.]+)\*\*", PAGE)[0]
    row = f"#what-it-costs-idle) | {dev} | {prod} |"
    assert row in (ROOT / "README.md").read_text()


def test_the_networks_prices_are_those_of_a_gateway_and_its_address() -> None:
    for gateways in (1, 2):
        (said,) = re.findall(rf"^\| `nat_gateways={gateways}` \| ([\d.]+) \|", PAGE, re.MULTILINE)
        assert float(said) == pytest.approx(gateways * (NAT + ADDRESS) * HOURS, abs=0.01)
