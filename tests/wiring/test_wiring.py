"""Each handler runs with the environment, and under the role, that its template really gives it."""

import asyncio
import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from claude_core.settings import ChatSettings, RouterSettings, Runtime, Settings
from lambda_src import api
from local.fake_claude.inprocess import Fake
from service_src.app import AFTER_RESTORE, BEFORE_SNAPSHOT, create
from service_src.server import configured
from stacks import PATTERNS
from stacks.config import ENVIRONMENTS
from tests.doubles import CLAUDE_KEY, REGION, AwsDouble
from tests.events import event, parsed
from tests.serving import serving
from tests.synth import assembly, template
from tests.wiring.deploy import Deployed, covers
from tests.wiring.feeding import use_batch, use_inbox
from tests.wiring.jobs import use_jobs, use_worker

BY_AWS_ITSELF = {
    "logs:CreateLogStream": "Lambda's own agent writes the logs",
    "logs:PutLogEvents": "Lambda's own agent writes the logs",
    "ecs:GetTaskProtection": "ECS's agent, with the task's role",
    "ecs:UpdateTaskProtection": "ECS's agent, asked by the task, with its role",
}
"""Granted actions that no code of ours calls, each with the reason."""
BY_LAMBDA = {
    f"sqs:{action}": "Lambda empties the queue that feeds a function"
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
}
"""The same, of functions alone."""
SERVICES = {"amazonsqs": "sqs", "awsevents": "events", "amazonec2containerservicev20141113": "ecs"}
"""As IAM names them."""

MODEL = {"model": "fast", "messages": [{"role": "user", "content": "hi"}]}
Use = Callable[[str, AwsDouble], None]


def use_api(key: str, aws: AwsDouble) -> None:
    """Every route that answers at once, as Lambda calls the handler."""
    runner = asyncio.Runner()
    with patched(api, "_runner", runner), patched(api, "_api", None):
        try:
            for route, body in (
                ("POST /prompt", {"prompt": "hi"}),
                ("POST /v1/messages/count_tokens", MODEL),
                ("GET /v1/models", None),
                ("GET /health", None),
                ("GET /openapi.json", None),
            ):
                status, answer = parsed(api.handler(event(route, body, key=key), None))
                assert status == 200, (route, answer)
        finally:
            if api._api:
                runner.run(api._api.close())
            runner.close()


def use_stream(key: str, aws: AwsDouble) -> None:
    """The streaming service as the adapter drives it: the snapshot's hooks, then the route."""
    app = create(Settings.from_env(), Runtime.from_env())
    asking = MODEL | {"max_tokens": 20}
    with serving(app) as url, httpx2.Client(base_url=url, timeout=20) as http:
        for hook in (BEFORE_SNAPSHOT, AFTER_RESTORE):
            http.post(hook).raise_for_status()
        for more in ({}, {"stream": True}):
            answer = http.post("/v1/messages", json=asking | more, headers={"x-api-key": key})
            assert answer.status_code == 200, answer.text
            assert "end_turn" in answer.text


LOOK = {"name": "look", "input_schema": {"type": "object"}}


def use_orchestrator(key: str, aws: AwsDouble) -> None:
    """The same service where its stack says that it chooses the model, for a conversation too."""
    app = create(Settings.from_env(), Runtime.from_env(), router=RouterSettings.from_env())
    with serving(app) as url, httpx2.Client(base_url=url, timeout=20) as http:
        for hook in (BEFORE_SNAPSHOT, AFTER_RESTORE):
            http.post(hook).raise_for_status()
        http.headers["x-api-key"] = key
        answer = http.post("/v1/orchestrate", json={"input": "Who are you?", "stream": True})
        assert "end_turn" in answer.text
        question = {"role": "user", "content": "use tool look"}
        asking: dict[str, Any] = {"messages": [question], "tools": [LOOK]}
        call = http.post("/v1/orchestrate", json=asking).json()["content"]
        result = {"type": "tool_result", "tool_use_id": call[0]["id"], "content": "rain"}
        for role, content in (("assistant", call), ("user", [result])):
            asking["messages"].append({"role": role, "content": content})
        told = http.post("/v1/orchestrate", json=asking).json()["route"]
        assert told["reason"] == "the conversation is on it"
        for path in ("/health", "/openapi.json"):
            http.get(path).raise_for_status()


def use_service(key: str, aws: AwsDouble) -> None:
    """The service as a task runs it: its routes, then a chat by ticket, in which a message is
    replaced."""
    chat = ChatSettings.from_env()
    app = create(Settings.from_env(), Runtime.from_env(), chat)
    config = configured(app, chat, host="127.0.0.1", port=0)
    with serving(app, config) as url, httpx2.Client(base_url=url, timeout=20) as http:
        http.headers["x-api-key"] = key
        answer = http.post("/v1/messages", json=MODEL | {"max_tokens": 20, "stream": True})
        assert "end_turn" in answer.text
        ticket = http.post("/v1/tickets").json()["ticket"]
        protocols = [Subprotocol("claude.v1"), Subprotocol(f"ticket.{ticket}")]
        address = url.replace("http", "ws", 1) + "/chat?conversation=c1"
        with connect(address, subprotocols=protocols, proxy=None) as socket:
            for more in ({}, {"replaces": "m1"}):
                socket.send(json.dumps({"type": "message", "id": "m1", "content": "hi"} | more))
                kinds = []
                while "done" not in kinds:
                    kinds.append(json.loads(socket.recv(20))["type"])
                    assert "error" not in kinds


USES: dict[str, dict[str, Use]] = {
    "ServerlessStack": {"ApiFunction": use_api, "StreamFunction": use_stream},
    "WebsocketStack": {"TaskDefinition": use_service},
    "OrchestratorStack": {"Function": use_orchestrator},
    "QueueStack": {
        "JobsFunction": use_jobs,
        "InboxFunction": use_inbox,
        "BatchFunction": use_batch,
        "WorkersNowTaskDefinition": use_worker,
        "WorkersLongTaskDefinition": use_worker,
    },
}
"""How each function or task of a pattern is used here, by the start of its id; one without a line
fails."""


@contextmanager
def patched(module: ModuleType, name: str, value: object) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, value)
        yield


@pytest.mark.parametrize("env", ["dev", "prod"])
@pytest.mark.parametrize("stack", [pattern.__name__ for pattern in PATTERNS])
def test_handlers_do_what_their_role_allows_and_use_all_that_it_allows(
    aws: AwsDouble, claude: Fake, monkeypatch: pytest.MonkeyPatch, env: str, stack: str
) -> None:
    shared_template, network = template(env, "SharedStack"), template(env, "NetworkStack")
    shared = Deployed(aws, shared_template, {})
    outputs: dict[str, Mapping[str, str]] = {
        shared_template.name: shared.outputs,
        # What refers to the network is left out: moto need not make one.
        network.name: defaultdict(lambda: "left-out"),
    }
    deployed = Deployed(aws, template(env, stack), outputs)
    secret = shared.outputs["ClaudeSecretArn"]
    aws.boto("secretsmanager").put_secret_value(SecretId=secret, SecretString=CLAUDE_KEY)
    aws.table = shared.outputs["ClientsTableName"]
    runs = [
        (id, deployed.environment(id) | what_lambda_sets(aws), deployed.grants(id))
        for id in deployed.functions()
    ] + [
        (id, deployed.task_environment(id) | what_ecs_sets(aws), deployed.task_grants(id))
        for id in deployed.tasks()
    ]
    assert runs
    for runner, environment, grants in runs:
        key = client_with_chores(aws)
        (use,) = (use for id, use in USES[stack].items() if runner.startswith(id))
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setenv("CLAUDE_URL", claude.url)  # the one value that is not the template's
            aws.calls.clear()
            use(key, aws)

        used = [resource_of(call) for call in aws.calls]
        for action, resource in used:
            assert any(covers(grant, action, resource) for grant in grants), (
                f"{runner} calls {action} on {resource}, which its role does not allow"
            )
        excused = {*BY_AWS_ITSELF, *(BY_LAMBDA if runner in deployed.functions() else ())}
        unused = {
            grant
            for grant in grants
            if grant[0] not in excused and not any(covers(grant, *one) for one in used)
        }
        assert not unused, f"{runner} may {unused}, which nothing uses"


def client_with_chores(aws: AwsDouble) -> str:
    """One for whom everything has to be done: a day to be moved, a warning to be given."""
    now = dt.datetime.now(dt.UTC)
    spent: dict[str, Any] = {
        f"spent_{now:%Y_%m}": {"N": str(6 * 10**8)},
        f"left_{now:%Y_%m}": {"N": str(4 * 10**8)},
    }
    old: dict[str, Any] = {
        f"use.{now - dt.timedelta(days=3):%Y%m%d}.claude-haiku-5-5.cost": {"N": "1"}
    }
    key, _ = aws.add_client(budget=10**9, **spent, **old)
    return key


def resource_of(call: tuple[str, str, dict[str, Any]]) -> tuple[str, str]:
    """What of IAM a call needs: an action, and what it is done to."""
    service, action, asked = call
    service, here = SERVICES.get(service, service), f"{REGION}:123456789012"
    match service:
        case "dynamodb":
            index = f"/index/{asked['IndexName']}" if "IndexName" in asked else ""
            arn = f"arn:aws:dynamodb:{here}:table/{asked['TableName']}{index}"
        case "sns":
            arn = asked["TopicArn"]
        case "secretsmanager":
            arn = asked["SecretId"]
        case "s3":
            version = "Version" if "versionId=" in asked["query"] else ""
            action = {"GET": f"GetObject{version}", "PUT": "PutObject"}[action]
            arn = f"arn:aws:s3::{asked['path']}".replace("::/", ":::", 1)
        case "sqs":
            action = action.removesuffix("Batch")
            arn = f"arn:aws:sqs:{here}:{asked['QueueUrl'].rsplit('/', 1)[-1]}"
        case "events":
            arn = f"arn:aws:events:{here}:event-bus/{asked['Entries'][0]['EventBusName']}"
        case "ecs":
            (name,) = asked["services"] if "services" in asked else (asked["service"],)
            arn = f"arn:aws:ecs:{here}:service/{asked['cluster']}/{name}"
        case _:
            raise AssertionError(f"say here which resource {service} is called on")
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


def what_ecs_sets(aws: AwsDouble) -> dict[str, str]:
    """Instead of the address of the role's credentials, which only a task can reach."""
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",  # pragma: allowlist secret
        "AWS_SESSION_TOKEN": "testing",
        "AWS_ENDPOINT_URL": aws.url,
    }


def test_every_environment_has_its_templates_wired() -> None:
    assert {env for env in ENVIRONMENTS if assembly(env).stacks} == {"dev", "prod", "local"}
