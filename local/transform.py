"""What the emulator lacks, left out of the assembly before it is deployed: one list, no `if local`
in any stack."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LACKING = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudFormation::CustomResource",
    "AWS::CloudFront::VpcOrigin",
    "AWS::EC2::EIP",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::WAFv2::WebACLAssociation",
    "Custom::",
)
"""Types, or how they begin: ministack 1.5.33 refuses them, or hangs in a Node function."""
REFUSED_WITH = {"AWS::CloudWatch::Alarm": "Metrics"}
"""Types that it takes, but not with this property: no alarm counts with more than one metric."""


def leave_out(assembly: Path) -> dict[str, list[str]]:
    """Edit the templates in place; what each stack goes without: `logical id (type)`.

    The edited file has another hash, so its name in the asset manifest and its address in the
    assembly's manifest change too: an old one would be found in the bucket and deployed.

    Raises:
        SystemExit: something that stays needs, as a list's member or an argument, what goes.
    """
    left_out: dict[str, list[str]] = {}
    manifest_file = assembly / "manifest.json"
    manifest = json.loads(manifest_file.read_text())
    for artifact in manifest["artifacts"].values():
        if artifact["type"] != "aws:cloudformation:stack":
            continue
        properties = artifact["properties"]
        file = assembly / properties["templateFile"]
        template = json.loads(file.read_text())
        if gone := without(template):
            name = properties.get("stackName") or file.name.removesuffix(".template.json")
            left_out[name] = gone
            file.write_text(json.dumps(template, indent=1))
            old, new = _rehash(assembly, file)
            url = properties["stackTemplateAssetObjectUrl"]
            properties["stackTemplateAssetObjectUrl"] = url.replace(old, new)
    manifest_file.write_text(json.dumps(manifest, indent=1))
    return left_out


def without(template: dict[str, Any]) -> list[str]:
    """Take the resources that the emulator lacks out of `template`, and what refers to them."""
    resources = template.get("Resources", {})
    gone = {id: one["Type"] for id, one in resources.items() if _lacking(one)}
    for id in gone:
        del resources[id]
    for one in resources.values():
        _cut_dependencies(one, {*gone})
    for id, output in list(template.get("Outputs", {}).items()):
        if {*_referred(output)} & {*gone}:
            del template["Outputs"][id]
    for id, one in resources.items():
        for name, value in list(one.get("Properties", {}).items()):
            if _refers(value, {*gone}):  # a property that is nothing but the reference
                del one["Properties"][name]
            elif needed := {*_referred(value)} & {*gone}:
                raise SystemExit(f"{id}.{name} needs {', '.join(needed)}, which cannot run here")
    return sorted(f"{id} ({kind})" for id, kind in gone.items())


def _lacking(resource: dict[str, Any]) -> bool:
    type = resource["Type"]
    refused = REFUSED_WITH.get(type) in resource.get("Properties", {})
    return refused or type.startswith(LACKING)


def _rehash(assembly: Path, file: Path) -> tuple[str, str]:
    """Give an edited file its new hash in the asset manifest that lists it: old hash, new one."""
    new = hashlib.sha256(file.read_bytes()).hexdigest()
    for manifest in assembly.glob("*.assets.json"):
        assets = json.loads(manifest.read_text())
        for old, asset in list(assets["files"].items()):
            if asset["source"].get("path") == file.name:
                text = json.dumps(assets["files"].pop(old)).replace(old, new)
                assets["files"][new] = json.loads(text)
                for one in assets["files"][new]["destinations"].values():
                    one["objectKey"] = f"{new}.json"
                manifest.write_text(json.dumps(assets, indent=1))
                key = next(iter(asset["destinations"].values()))["objectKey"]
                return str(key).removesuffix(".json"), new
    raise ValueError(f"no asset manifest lists {file.name}")


def _cut_dependencies(resource: dict[str, Any], gone: set[str]) -> None:
    listed = resource.get("DependsOn", [])
    kept = [id for id in ([listed] if isinstance(listed, str) else listed) if id not in gone]
    resource.pop("DependsOn", None)
    if kept:
        resource["DependsOn"] = kept


def _refers(value: object, gone: set[str]) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(_names(value), None) in gone


def _referred(value: object) -> Iterator[str]:
    """Every logical id that a part of a template refers to."""
    if isinstance(value, dict):
        yield from _names(value)
        for inner in value.values():
            yield from _referred(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _referred(inner)


def _names(value: dict[str, Any]) -> Iterator[str]:
    if isinstance(value.get("Ref"), str):
        yield value["Ref"]
    match value.get("Fn::GetAtt"):
        case [str(id), *_]:
            yield id
        case str(path):
            yield path.split(".")[0]
