"""What the emulator lacks goes, what refers to it follows, and the edited file is what deploys."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from local.transform import leave_out, without

LACKED = {"Type": "AWS::EC2::NatGateway", "Properties": {}}


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": {"Nat": LACKED, **resources}}


def route(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::EC2::Route", "Properties": properties}


def test_what_is_left_out_is_named_with_its_type() -> None:
    custom = {"Type": "Custom::S3AutoDeleteObjects", "Properties": {}}
    assert without(template(Empty=custom)) == [
        "Empty (Custom::S3AutoDeleteObjects)",
        "Nat (AWS::EC2::NatGateway)",
    ]


def test_nothing_else_is_touched() -> None:
    whole = {"Resources": {"Route": route(GatewayId={"Ref": "Gateway"})}, "Outputs": {}}
    before = json.dumps(whole)
    assert without(whole) == []
    assert json.dumps(whole) == before


@pytest.mark.parametrize("reference", [{"Ref": "Nat"}, {"Fn::GetAtt": ["Nat", "Id"]}])
def test_a_property_that_is_a_reference_to_it_goes_too(reference: dict[str, Any]) -> None:
    body = template(Route=route(NatGatewayId=reference, DestinationCidrBlock="0.0.0.0/0"))
    without(body)
    assert body["Resources"]["Route"]["Properties"] == {"DestinationCidrBlock": "0.0.0.0/0"}


@pytest.mark.parametrize(("before", "after"), [("Nat", None), (["Nat", "Vpc"], ["Vpc"])])
def test_nothing_waits_for_it(before: object, after: object) -> None:
    body = template(Route={**route(), "DependsOn": before})
    without(body)
    assert body["Resources"]["Route"].get("DependsOn") == after


def test_an_alarm_that_counts_with_metrics_goes_and_one_that_watches_a_metric_stays() -> None:
    policy = {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": {}}
    counts = {"Metrics": [{"Expression": "1"}], "AlarmActions": [{"Ref": "Policy"}]}
    alarms = {
        name: {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
        for name, properties in (("Counts", counts), ("Watches", {"MetricName": "Errors"}))
    }
    body = template(Policy=policy, **alarms)
    assert "Counts (AWS::CloudWatch::Alarm)" in without(body)
    assert [*body["Resources"]] == ["Watches"]


def test_an_output_of_it_goes_too() -> None:
    body = template() | {"Outputs": {"Id": {"Value": {"Ref": "Nat"}}, "Kept": {"Value": "x"}}}
    without(body)
    assert body["Outputs"] == {"Kept": {"Value": "x"}}


def test_what_cannot_be_had_without_it_is_said_and_not_deployed_half() -> None:
    needs = route(Description={"Fn::Join": ["", ["by ", {"Ref": "Nat"}]]})
    with pytest.raises(SystemExit, match=r"Route\.Description needs Nat"):
        without(template(Route=needs))


def assembly(folder: Path, body: dict[str, Any]) -> str:
    """A folder as `cdk synth` writes it, reduced to what a deploy reads; the template's hash."""
    text = json.dumps(body)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / "One.template.json").write_text(text)
    destination = {"bucketName": "bucket", "objectKey": f"{digest}.json"}
    files = {
        digest: {
            "source": {"path": "One.template.json", "packaging": "file"},
            "destinations": {"here": destination},
        },
        "code": {"source": {"path": "asset.code"}, "destinations": {"here": {"objectKey": "c"}}},
    }
    (folder / "One.assets.json").write_text(json.dumps({"files": files, "dockerImages": {}}))
    properties = {
        "templateFile": "One.template.json",
        "stackTemplateAssetObjectUrl": f"s3://bucket/{digest}.json",
    }
    stack = {"type": "aws:cloudformation:stack", "properties": properties}
    artifacts = {"One": stack, "Tree": {"type": "cdk:tree", "properties": {}}}
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return digest


def test_an_edited_template_has_its_own_hash_wherever_a_deploy_looks_for_it(tmp_path: Path) -> None:
    """With the old hash the old template would be found in the bucket, and deployed."""
    old = assembly(tmp_path, template())
    assert leave_out(tmp_path) == {"One": ["Nat (AWS::EC2::NatGateway)"]}
    new = hashlib.sha256((tmp_path / "One.template.json").read_bytes()).hexdigest()
    files = json.loads((tmp_path / "One.assets.json").read_text())["files"]
    assert files[new]["destinations"]["here"]["objectKey"] == f"{new}.json"
    assert files["code"]["destinations"]["here"]["objectKey"] == "c"
    manifest = (tmp_path / "manifest.json").read_text()
    assert f"s3://bucket/{new}.json" in manifest
    assert old not in manifest + (tmp_path / "One.assets.json").read_text()


def test_an_assembly_that_lacks_nothing_stays_as_it_was_written(tmp_path: Path) -> None:
    assembly(tmp_path, {"Resources": {"Route": route()}})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if "man" not in path.name}
    assert leave_out(tmp_path) == {}
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
