"""Each handler runs with the environment, and under the role, that its template really gives it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lambda_src import api
from local.fake_claude.inprocess import Fake
from stacks import PATTERNS
from stacks.config import ENVIRONMENTS
from tests.doubles import CLAUDE_KEY, REGION, AwsDouble
from tests.events import event, parsed
from tests.synth import assembly, template
from tests.wiring.deploy import Deployed, covers

BY_AWS_ITSELF = {
    "logs:CreateLogStream": "Lambda's own agent writes the logs",
    "logs:PutLogEvents": "Lambda's own agent writes the logs",
}
"""Granted actions that no code of ours calls, each with the reason."""

MODEL = {"model": "fast", "messages": [{"role": "user", "content": "hi"}]}


def use_serverless(function: str, key: str) -> None:
    """Every route of the function, and the way to Claude."""
    for route, body in (
        ("POST /prompt", {"prompt": "hi"}),
        ("POST /v1/messages", MODEL | {"max_tokens": 20}),
        ("POST /v1/messages/count_tokens", MODEL),
        ("GET /v1/models", None),
        ("GET /health", None),
        ("GET /openapi.json", None),
    ):
        status, answer = parsed(api.handler(event(route, body, key=key), None))
        assert status == 200, (route, answer)


USES: dict[str, Callable[[str, str], None]] = {"ServerlessStack": use_serverless}
"""How each pattern is used here; a pattern without a line fails."""


@pytest.mark.parametrize("env", ["dev", "prod"])
@pytest.mark.parametrize("stack", [pattern.__name__ for pattern in PATTERNS])
def test_handlers_do_what_their_role_allows_and_use_all_that_it_allows(
    aws: AwsDouble, claude: Fake, monkeypatch: pytest.MonkeyPatch, env: str, stack: str
) -> None:
    shared_template = template(env, "SharedStack")
    shared = Deployed(aws, shared_template, {})
    deployed = Deployed(aws, template(env, stack), {shared_template.name: shared.outputs})
    secret = shared.outputs["ClaudeSecretArn"]
    aws.boto("secretsmanager").put_secret_value(SecretId=secret, SecretString=CLAUDE_KEY)
    for function in deployed.functions():
        for name, value in deployed.environment(function).items():
            monkeypatch.setenv(name, value)
        for name, value in what_lambda_sets(aws).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CLAUDE_URL", claude.url)  # the one value that is not the template's
        runner = asyncio.Runner()
        monkeypatch.setattr(api, "_runner", runner)
        monkeypatch.setattr(api, "_api", None)
        aws.table = shared.outputs["ClientsTableName"]
        key, _ = aws.add_client()
        aws.calls.clear()

        try:
            USES[stack](function, key)
        finally:
            if api._api:
                runner.run(api._api.close())
            runner.close()

        used = [resource_of(call) for call in aws.calls]
        grants = deployed.grants(function)
        for action, resource in used:
            assert any(covers(grant, action, resource) for grant in grants), (
                f"{function} calls {action} on {resource}, which its role does not allow"
            )
        unused = {action for action, _ in grants} - {action for action, _ in used}
        assert unused <= set(BY_AWS_ITSELF), f"{function} may {unused}, which nothing uses"


def resource_of(call: tuple[str, str, dict[str, Any]]) -> tuple[str, str]:
    service, action, payload = call
    if service == "dynamodb":
        arn = f"arn:aws:dynamodb:{REGION}:123456789012:table/{payload['TableName']}"
    else:
        assert service == "secretsmanager", f"say here which resource {service} is called on"
        arn = payload["SecretId"]
    return f"{service}:{action}", arn


def what_lambda_sets(aws: AwsDouble) -> dict[str, str]:
    """The variables of https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
    return {
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",  # pragma: allowlist secret
        "AWS_SESSION_TOKEN": "testing",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_ENDPOINT_URL": aws.url,
    }


def test_every_environment_has_its_templates_wired() -> None:
    assert {env for env in ENVIRONMENTS if assembly(env).stacks} == {"dev", "prod", "local"}
