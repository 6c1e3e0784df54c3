"""`python -m benchmarks.jobs_aws PORT JOBS`: AWS with so many queued jobs, for a worker to do.

The strict doubles of SQS and DynamoDB, in a process of their own. `Bench.Done` says how many jobs
are done, in the protocol of all the others.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any

import uvloop

from benchmarks.aws import BUDGET
from claude_core.aws import AwsRefused
from claude_core.clients import ClientKey, new_key
from claude_core.jobs.job import new_job_id
from claude_core.jobs.queue_message import Pointer
from claude_core.models import resolve
from tests.cloud.dynamo import Dynamo
from tests.cloud.keys import Keys
from tests.cloud.sqs import Sqs
from tests.cloud.values import Item
from tests.doubles import CLAUDE_KEY

CONTENT = "The harbour was quiet that morning, and the ferry had not come in yet. " * 28
"""Two kilobytes."""
CREATED = "2026-11-24T12:00:00.000000Z"


class JobsAws:
    """Everything that a worker asks."""

    def __init__(self, jobs: int) -> None:
        rand = random.Random(1)
        self._dynamo, self._sqs = Dynamo(time.time), Sqs(time.time, rand)
        self._jobs = self._dynamo.add("jobs", Keys("id"))
        self._done = 0
        client = self._client()
        dlq = self._sqs.add("dlq")
        letters = self._sqs.queues[dlq]
        url = self._sqs.add("now", visibility_s=120, dead_letters=letters, max_receives=1_000)
        queue, model = self._sqs.queues[url], resolve("balanced").id
        body = json.dumps({"doc": {"content": CONTENT}})
        for at in range(jobs):
            id = new_job_id(client, str(at))
            self._jobs.add(_row(id, client, model, body))
            queue.send(Pointer(id, client, model, len(body)).to_text(), client, {}, 0)

    async def answer(self, target: str, payload: dict[str, Any]) -> dict[str, Any]:
        """One call; AwsRefused where AWS would refuse it."""
        service, _, action = target.partition(".")
        if service == "secretsmanager":
            return {"SecretString": CLAUDE_KEY}
        if service == "AmazonSQS":
            return await self._sqs.call(action, payload)
        if service == "AWSEvents":
            return {"FailedEntryCount": 0}
        if service == "Bench":
            return {"done": self._done}
        answer = self._dynamo.do(action, payload)
        if payload.get("ExpressionAttributeValues", {}).get(":status", {}).get("S") == "done":
            self._done += 1
        return answer

    def _client(self) -> str:
        key = ClientKey.parse(new_key())
        self._dynamo.add("history", Keys("client", "day"))
        self._dynamo.add("clients", Keys("id")).add(
            {
                "id": {"S": key.id},
                "name": {"S": "bench"},
                "key_1": {"S": key.sha256},
                "budget": {"N": str(BUDGET)},
                "rpm": {"N": "10000000"},
                "models": {"SS": ["balanced"]},
                "disabled": {"BOOL": False},
                "open": {"M": {}},
            }
        )
        return key.id


def _row(id: str, client: str, model: str, body: str) -> Item:
    texts = {
        "id": id,
        "client": client,
        "created": CREATED,
        "lane": "now",
        "model": model,
        "status": "queued",
        "listed": f"open#{CREATED}#{id[-6:]}",
        "doc_id": id,
        "body": body,
    }
    numbers = {"v": 1, "bytes": len(body), "fence": 0, "attempts": 0, "crashes": 0}
    row: Item = {name: {"S": text} for name, text in texts.items()}
    return row | {name: {"N": str(number)} for name, number in numbers.items()}


class Connection(asyncio.Protocol):
    """One connection of HTTP/1.1."""

    def __init__(self, aws: JobsAws) -> None:
        self._aws, self._came = aws, b""
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        end = self._came.find(b"\r\n\r\n")
        if end < 0:
            return
        lines = self._came[:end].decode().split("\r\n")[1:]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        size = int(headers.get("content-length", 0))
        if len(self._came) < end + 4 + size:
            return
        body, self._came = self._came[end + 4 : end + 4 + size], self._came[end + 4 + size :]
        target = headers.get("x-amz-target", "")
        self._answering = asyncio.create_task(self._answer(target, json.loads(body or b"{}")))

    async def _answer(self, target: str, payload: dict[str, Any]) -> None:
        status = "200 OK"
        try:
            answer = await self._aws.answer(target, payload)
        except AwsRefused as refused:
            status, answer = "400 Bad Request", {"__type": refused.code, **refused.body}
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\n"
        self._transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


async def main() -> None:
    aws, loop = JobsAws(int(sys.argv[2])), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(aws), "127.0.0.1", int(sys.argv[1]), backlog=512
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
