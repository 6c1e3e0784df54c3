"""Findings of cdk-nag that this design lives with, each with its reason."""

from collections.abc import Mapping
from typing import cast

from aws_cdk import Acknowledgment, CfnElement, Stack, Validations
from constructs import IConstruct


def acknowledge(node: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings of AwsSolutions on one node: `{"SMG4": why}`, granular ids in full."""
    for rule, reason in reasons.items():
        Validations.of(node).acknowledge(
            Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
        )


def logical_id(node: IConstruct) -> str:
    """The id by which cdk-nag names the resource of a construct."""
    return Stack.of(node).get_logical_id(cast(CfnElement, node.node.default_child))
