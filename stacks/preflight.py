"""Can the CDK CLI that runs us read what we write? Said in one sentence, not a stack trace."""

import os

from aws_cdk.cloud_assembly_schema import Manifest


def check_cli() -> None:
    """Stop when the CLI is too old for the assembly; nothing to check without a CLI.

    Raises:
        SystemExit: names the command that brings the pinned CLI.
    """
    reads = os.environ.get("CDK_CLI_ASM_VERSION")
    if reads and int(reads.split(".")[0]) < int(Manifest.version().split(".")[0]):
        raise SystemExit(
            f"CDK CLI {os.environ.get('CDK_CLI_VERSION', '')} cannot read this app's output; "
            "run `npm ci` here and use `npx cdk`"
        )
