"""Findings of cdk-nag that this design lives with, each with its reason."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(node: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept findings of AwsSolutions on one node: `{"SMG4": why}`, granular ids in full."""
    for rule, reason in reasons.items():
        Validations.of(node).acknowledge(
            Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
        )
