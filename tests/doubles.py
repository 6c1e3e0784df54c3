"""AWS as moto plays it, behind a socket, with a record of every call and a switch to break it."""

import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer
from werkzeug.test import create_environ, run_wsgi_app

from claude_core.clients import ClientKey, new_key
from claude_core.settings import Runtime, Settings

REGION = "us-east-1"
CLAUDE_KEY = "sk-ant-" + "a-key-for-tests-only"

StartResponse = Callable[..., Any]


class AwsDouble:
    """One moto server on a free loopback port. `calls` holds (service, action, payload)."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.broken: Callable[[str], tuple[int, dict[str, Any]] | None] = lambda action: None
        self.table, self.history = "clients", "history"
        self._clients: dict[str, Any] = {}  # one of boto3's costs 50 ms
        self._one_at_a_time = threading.Lock()
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def __enter__(self) -> Self:
        self._server.start()
        server: Any = self._server._server
        inner = server.app
        # Without it each request lists moto's folder and tries 200 patterns: a quarter of its time.
        inner.get_backend_for_host = cache(inner.get_backend_for_host)

        def recorded(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
            target = environ.get("HTTP_X_AMZ_TARGET", "")
            if target:
                size = int(environ.get("CONTENT_LENGTH") or 0)
                body = environ["wsgi.input"].read(size)
                environ["wsgi.input"] = _Replay(body)
                service, action = _action(target)
                self.calls.append((service, action, json.loads(body or b"{}")))
                if refused := self.broken(f"{service}:{action}"):
                    status, answer = refused
                    start(f"{status} refused", [("content-type", "application/x-amz-json-1.0")])
                    return [json.dumps(answer).encode()]
            elif "/s3/" in environ.get("HTTP_AUTHORIZATION", "") or _presigned(environ):
                method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
                query = environ["QUERY_STRING"]
                self.calls.append(("s3", method, {"path": path, "query": query}))
                if refused := self.broken(f"s3:{method}"):
                    status, answer = refused
                    start(f"{status} refused", [("content-type", "application/xml")])
                    return [f"<Error><Code>{answer.get('code')}</Code></Error>".encode()]
            elif environ["REQUEST_METHOD"] == "POST" and "/sns/" in environ.get(
                "HTTP_AUTHORIZATION", ""
            ):
                self._record_form(environ)
            if target == "AmazonSQS.ReceiveMessage":  # which waits for one, as long as it is asked
                return list(inner(environ, start))
            # DynamoDB changes an item atomically; moto alone does not when two threads do.
            with self._one_at_a_time:
                return list(inner(environ, start))

        server.app = recorded
        return self

    def _record_form(self, environ: dict[str, Any]) -> None:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = _Replay(body)
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.calls.append(("sns", form["Action"], form))

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    @property
    def runtime(self) -> Runtime:
        return Runtime(
            region=REGION,
            endpoint_url=self.url,
            access_key_id="testing",
            secret_access_key="testing",  # pragma: allowlist secret
        )

    def reset(self) -> None:
        moto_api_backend.reset()
        self.table, self.history = "clients", "history"
        self.calls.clear()
        self.broken = lambda action: None

    def boto(self, service: str) -> Any:
        """A client of boto3 for the tests' own use; what it asks reaches moto without the socket,
        which takes half of the time."""
        if service not in self._clients:
            self._clients[service] = client = boto3.client(
                service,
                endpoint_url=self.url,
                region_name=REGION,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",  # pragma: allowlist secret
            )
            client.meta.events.register("before-send", self._answered)
        return self._clients[service]

    def _answered(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """What moto's server answers; botocore sends nothing where this returns something."""
        url, body = urlsplit(request.url), request.body or b""
        environ = create_environ(
            f"{url.path}?{url.query}",
            f"{url.scheme}://{url.netloc}",
            method=request.method,
            headers=[(name, _text(value)) for name, value in request.headers.items()],
            data=body if isinstance(body, bytes | str) else body.read(),
        )
        server: Any = self._server._server
        content, status, headers = run_wsgi_app(server.app, environ, buffered=True)
        return AWSResponse(request.url, int(status[:3]), headers, _Raw(b"".join(content)))

    def count(self, action: str) -> int:
        return sum(f"{service}:{name}" == action for service, name, _ in self.calls)

    def clients_table(self) -> str:
        self.boto("dynamodb").create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        return self.table

    def history_table(self) -> str:
        self.boto("dynamodb").create_table(
            TableName=self.history,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "client", "KeyType": "HASH"},
                {"AttributeName": "day", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "client", "AttributeType": "S"},
                {"AttributeName": "day", "AttributeType": "S"},
            ],
        )
        return self.history

    def conversations_table(self) -> str:
        self.boto("dynamodb").create_table(
            TableName="conversations",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "turn", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "turn", "AttributeType": "S"},
            ],
        )
        return "conversations"

    def routed_table(self) -> str:
        """Of the models that conversations are on; made where it is not there."""
        name = "routed"
        if name not in self.boto("dynamodb").list_tables()["TableNames"]:
            self.boto("dynamodb").create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            )
        return name

    def alarm_topic(self) -> str:
        return str(self.boto("sns").create_topic(Name="alarms")["TopicArn"])

    def published(self) -> list[str]:
        """Subjects that the alarm topic was told."""
        return [form["Subject"] for service, _, form in self.calls if service == "sns"]

    def claude_secret(self, key: str | None = CLAUDE_KEY) -> str:
        """The secret's ARN; `None` leaves it as a deploy does: there, and empty."""
        made = self.boto("secretsmanager").create_secret(
            Name="claude", **({"SecretString": key} if key else {})
        )
        return str(made["ARN"])

    def add_client(
        self, *, budget: int = 10**9, models: tuple[str, ...] = ("fast", "balanced"), **more: Any
    ) -> tuple[str, ClientKey]:
        """A client's row as `kit clients add` writes it; the key, and what it proves."""
        key = new_key()
        proof = ClientKey.parse(key)
        row = {
            "id": {"S": proof.id},
            "name": {"S": "tests"},
            "key_1": {"S": proof.sha256},
            "budget": {"N": str(budget)},
            "rpm": {"N": "10000"},
            "models": {"SS": list(models)},
            "disabled": {"BOOL": False},
            "open": {"M": {}},
        }
        self.boto("dynamodb").put_item(TableName=self.table, Item=row | more)
        return key, proof

    def row(self, client: ClientKey) -> dict[str, Any]:
        """A client's row, as numbers and text."""
        key = {"id": {"S": client.id}}
        item = self.boto("dynamodb").get_item(TableName=self.table, Key=key)["Item"]
        return {name: next(iter(value.values())) for name, value in item.items()}

    def settings(self, claude_url: str, key: str | None = CLAUDE_KEY) -> Settings:
        """A whole deployment's settings: table made, secret filled."""
        return Settings(
            service="tests",
            clients_table=self.clients_table(),
            history_table=self.history_table(),
            alarm_topic=self.alarm_topic(),
            claude_secret=self.claude_secret(key),
            claude_url=claude_url,
            answer_timeout_s="25",
            request_timeout_s="26",
        )


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class _Replay:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        size = len(self._body) if size < 0 else size
        out, self._body = self._body[:size], self._body[size:]
        return out


def _presigned(environ: dict[str, Any]) -> bool:
    return "X-Amz-Signature=" in environ["QUERY_STRING"]


def _action(target: str) -> tuple[str, str]:
    prefix, _, action = target.partition(".")
    return prefix.split("_")[0].lower(), action
