"""The options that every command has which talks to a deployment."""

from typing import Annotated

import typer

from kit.deployment import Deployment

Env = Annotated[str, typer.Option("--env", help="Environment: dev or prod.")]
Region = Annotated[str | None, typer.Option("--region", help="AWS region.")]
Profile = Annotated[str | None, typer.Option("--profile", help="AWS profile.")]
Local = Annotated[bool, typer.Option("--local", help="The local cloud of this checkout.")]
Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]


def find(env: str, region: str | None, profile: str | None, local: bool) -> Deployment:
    return Deployment(env=env, region=region, profile=profile, local=local)
