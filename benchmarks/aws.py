"""`python -m benchmarks.aws PORT CLIENT_KEY`: AWS for what is measured, in a process of its own.

It is the strict double of DynamoDB, which answers in a fraction of a millisecond, as the real one
in some; moto takes ten, and would be what is measured. It keeps its connections, as AWS does.
"""

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

from claude_core.aws import AwsRefused
from claude_core.clients import ClientKey
from tests.cloud.dynamo import Dynamo
from tests.cloud.keys import Keys
from tests.cloud.values import Item
from tests.doubles import CLAUDE_KEY

BUDGET = 10**15


class Connection(asyncio.Protocol):
    """One connection; requests come one after the other, as from any HTTP/1.1 client."""

    def __init__(self, dynamo: Dynamo) -> None:
        self._dynamo, self._came = dynamo, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        while (end := self._came.find(b"\r\n\r\n")) >= 0:
            lines = self._came[:end].decode().lower().split("\r\n")[1:]
            headers = dict(line.split(": ", 1) for line in lines)
            size = int(headers.get("content-length", 0))
            if len(self._came) < end + 4 + size:
                return
            body, self._came = self._came[end + 4 : end + 4 + size], self._came[end + 4 + size :]
            self._answer(headers.get("x-amz-target", ""), body)

    def _answer(self, target: str, body: bytes) -> None:
        status, answer = "200 OK", json.dumps(self._done(target, body)).encode()
        if b'"__type"' in answer[:12]:
            status = "400 Bad Request"
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\n"
        self._transport.write(f"{head}content-length: {len(answer)}\r\n\r\n".encode() + answer)

    def _done(self, target: str, body: bytes) -> dict[str, Any]:
        if target.endswith("getsecretvalue"):
            return {"SecretString": CLAUDE_KEY}
        if not target.endswith("updateitem"):
            return {"Items": []}  # conversations: each is new, and what it keeps goes nowhere
        try:
            return self._dynamo.do("UpdateItem", json.loads(body))
        except AwsRefused as refused:
            return {"__type": refused.code, **refused.body}


async def main() -> None:
    port, key = int(sys.argv[1]), ClientKey.parse(sys.argv[2])
    dynamo = Dynamo(time.time)
    row: Item = {
        "id": {"S": key.id},
        "name": {"S": "bench"},
        "key_1": {"S": key.sha256},
        "budget": {"N": str(BUDGET)},
        "rpm": {"N": "1000000"},
        "models": {"SS": ["fast", "balanced"]},
        "disabled": {"BOOL": False},
        "open": {"M": {}},
    }
    dynamo.add("clients", Keys("id")).add(row)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(dynamo), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
