"""Where a deployment is: told by its stacks' outputs, or, locally, by what `make local` wrote."""

import json
from functools import cached_property
from typing import Any

from kit.say import Stop
from local.paths import OUTPUTS

PREFIX = {"dev": "", "prod": "prod-"}


class NotDeployed(Stop):
    """A stack is not there."""


class Deployment:
    """One deployment: its outputs, and AWS clients that do not wait for ever."""

    def __init__(self, *, env: str, region: str | None, profile: str | None, local: bool) -> None:
        if env not in PREFIX:
            raise Stop(f"--env {env}: use one of {', '.join(PREFIX)}, or --local", code=2)
        self.env, self.local = env, local
        self._region, self._profile = region, profile

    @property
    def options(self) -> str:
        """What to say to the next command, so that it means this deployment."""
        if self.local:
            return " --local"
        said = {"env": self.env, "region": self._region, "profile": self._profile}
        return "".join(f" --{name} {value}" for name, value in said.items() if value)

    @cached_property
    def here(self) -> dict[str, dict[str, str]]:
        """Everything that `make local` wrote."""
        try:
            found: dict[str, dict[str, str]] = json.loads(OUTPUTS.read_text())
        except OSError as err:
            raise Stop("no local cloud is up; run: make local") from err
        return found

    def outputs(self, stack: str) -> dict[str, str]:
        """A stack's outputs, by name.

        Raises:
            NotDeployed; Stop: AWS cannot be asked.
        """
        if self.local:
            if stack not in self.here:
                raise NotDeployed(f"{stack} is not part of the local cloud")
            return self.here[stack]
        from botocore.exceptions import ClientError

        name = PREFIX[self.env] + stack
        try:
            (found,) = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as err:
            if err.response["Error"]["Code"] != "ValidationError":
                raise
            option = "" if self.env == "dev" else f" -c env={self.env}"
            wanted = "ServerlessStack" if stack == "SharedStack" else stack  # which brings it along
            raise NotDeployed(
                f"{name} is not deployed; run: npx cdk deploy {wanted}{option}"
            ) from err
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def client(self, service: str, *, read_timeout_s: float = 5) -> Any:
        """A boto3 client with deadlines: 2 s to connect, 5 s to read, 2 attempts."""
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=2, read_timeout=read_timeout_s, retries={"total_max_attempts": 2}
        )
        if self.local:
            at = self.here["Local"]
            return boto3.client(
                service,
                endpoint_url=at["AwsEndpoint"],
                region_name=at["Region"],
                aws_access_key_id=at["AccessKeyId"],
                aws_secret_access_key=at["AccessKeyId"],
                config=config,
            )
        session = boto3.Session(profile_name=self._profile, region_name=self._region)
        return session.client(service, config=config)
