"""`python -m benchmarks.aws PORT CLIENT_KEY`: AWS for what is measured, in a process of its own.

It is the strict double of DynamoDB, which answers in a fraction of a millisecond, as the real one
in some; moto takes ten, and would be what is measured. It keeps its connections, as AWS does.
"""

import json
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from claude_core.aws import AwsRefused
from claude_core.clients import ClientKey
from tests.doubles import CLAUDE_KEY
from tests.dynamo import Dynamo

BUDGET = 10**15


def main() -> None:
    port, key = int(sys.argv[1]), ClientKey.parse(sys.argv[2])
    dynamo, one_at_a_time = Dynamo(), threading.Lock()
    dynamo.items[key.id] = {
        "id": {"S": key.id},
        "name": {"S": "bench"},
        "key_1": {"S": key.sha256},
        "budget": {"N": str(BUDGET)},
        "rpm": {"N": "1000000"},
        "models": {"SS": ["fast", "balanced"]},
        "disabled": {"BOOL": False},
        "open": {"M": {}},
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_POST(self) -> None:
            payload = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, answer = 200, self.answer(payload)
            if isinstance(answer, AwsRefused):
                status, answer = 400, {"__type": answer.code, **answer.body}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def answer(self, payload: dict[str, Any]) -> Any:
            action = self.headers["x-amz-target"].partition(".")[2]
            if action == "GetSecretValue":
                return {"SecretString": CLAUDE_KEY}
            if action != "UpdateItem":
                return {"Items": []}  # conversations: each is new, and what it keeps goes nowhere
            try:
                with one_at_a_time:
                    return dynamo._update(payload)
            except AwsRefused as refused:
                return refused

        def handle(self) -> None:
            with suppress(ConnectionError):  # the service was killed; nobody waits
                super().handle()

        def log_message(self, format: str, *args: object) -> None:
            pass

    ThreadingHTTPServer.request_queue_size = 512
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
