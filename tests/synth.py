"""Templates as the tests see them: synthesized in this process, without bundling or validation."""

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

os.environ["CDK_VALIDATION"] = "false"  # before jsii starts; `make check` validates

from aws_cdk import App
from aws_cdk.cx_api import CloudAssembly

from app import build

ROOT = Path(__file__).parents[1]
FLAGS = json.loads((ROOT / "cdk.json").read_text())["context"]

PROD_GIVEN = {
    "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0",
    "domain_name": "chat.example.com",
    "base_image": "python:3.13-slim@sha256:" + "0" * 64,
}
"""What prod asks for before WebsocketStack may be deployed."""


@dataclass(frozen=True)
class Template:
    """One stack of one environment."""

    env: str
    stack: str
    name: str
    body: dict[str, Any]

    def of_type(self, *types: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id, of all resources of these types."""
        return {
            id: resource.get("Properties", {})
            for id, resource in self.body["Resources"].items()
            if resource["Type"] in types
        }

    def __str__(self) -> str:
        return f"{self.env}-{self.stack}"


def make_app(**context: Any) -> App:
    return App(context={**FLAGS, "aws:cdk:bundling-stacks": [], **context})


@cache
def assembly(env: str) -> CloudAssembly:
    return build(make_app(env=env, **(PROD_GIVEN if env == "prod" else {}))).synth()


@cache
def templates(env: str) -> tuple[Template, ...]:
    return tuple(
        Template(env, artifact.hierarchical_id, artifact.stack_name, dict(artifact.template))
        for artifact in assembly(env).stacks
    )


def template(env: str, stack: str) -> Template:
    return next(found for found in templates(env) if found.stack == stack)
