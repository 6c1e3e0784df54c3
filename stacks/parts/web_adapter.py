"""The Lambda Web Adapter: an ordinary HTTP service, streamed from a function."""

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.config import Config

HANDLER = "service_src/run.sh"
ENV = {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap",
    "AWS_LWA_INVOKE_MODE": "response_stream",
    "AWS_LWA_PORT": "8080",
    "AWS_LWA_READINESS_CHECK_PATH": "/health",
    # A service that does not come up fails the deploy, not the first callers.
    "AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS": "9",
}
SNAP_START_ENV = {
    "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH": "/snapshot/before",
    "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/snapshot/after",
}


def web_adapter(scope: Construct, id: str, *, config: Config) -> lambda_.ILayerVersion:
    """The adapter's layer, for the processor that the bundles are made for."""
    architecture = "Arm64" if config.lambda_target.platform.startswith("aarch64") else "X86"
    stack = Stack.of(scope)
    layer = config.web_adapter.format(architecture=architecture)
    arn = f"arn:{stack.partition}:lambda:{stack.region}:{layer}"
    return lambda_.LayerVersion.from_layer_version_arn(scope, id, arn)


def adapter_env(config: Config) -> dict[str, str]:
    """What the adapter reads from the function's environment."""
    return {**ENV, **(SNAP_START_ENV if config.snap_start else {})}
