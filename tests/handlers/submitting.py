"""The function of jobs, with one client, against moto."""

import asyncio
import json
from typing import Any

import httpx2

from lambda_src.jobs import JobsApi
from tests.doubles import AwsDouble
from tests.events import event, parsed
from tests.queueing import Queueing

DOC: dict[str, Any] = {"doc_id": "a.txt", "content": "a text"}
MESSAGE: dict[str, Any] = {
    "model": "fast",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hello"}],
}


class Submitting:
    """One process of the function: settings fixed, events in, answers out."""

    def __init__(self, aws: AwsDouble, **settings: str) -> None:
        self.aws = aws
        self.settings = aws.settings("http://127.0.0.1:9")  # nobody is there, or asked
        self.key, self.client = aws.add_client()
        self.cloud = Queueing(aws)
        self._jobs = self.cloud.settings(**settings)
        self.runner = asyncio.Runner()
        self._api: JobsApi | None = None
        aws.calls.clear()

    def __call__(self, route: str, body: Any = None, **headers: Any) -> tuple[int, dict[str, Any]]:
        """`served(route, body)`: status and parsed body, with the client's key."""
        return parsed(self.raw(self.event(route, body, **headers)))

    def event(self, route: str, body: Any = None, **headers: Any) -> dict[str, Any]:
        """As API Gateway hands over `GET /v1/jobs/job_…?a=b`."""
        route, _, query = route.partition("?")
        path = route.split(" ")[1]
        sent = event(route, body, **{"key": self.key, **headers})
        if path.startswith("/v1/jobs/"):
            sent["resource"] = "/v1/jobs/{id}"
            sent["pathParameters"] = {"id": path.removeprefix("/v1/jobs/")}
        if query:
            sent["queryStringParameters"] = dict(httpx2.QueryParams(query))
        return sent

    def raw(self, sent: dict[str, Any]) -> dict[str, Any]:
        return self.runner.run(self._handle(sent))

    async def _handle(self, sent: dict[str, Any]) -> dict[str, Any]:
        if self._api is None:
            told = self._jobs, self.cloud.starting(), self.aws.runtime
            self._api = JobsApi(self.settings, *told)
        return await self._api.handle(sent)

    def submit(self, body: Any = None, **headers: Any) -> str:
        """A job that is accepted; its id."""
        status, answer = self("POST /v1/jobs", body or DOC, **headers)
        assert status == 202, answer
        return str(answer["job_id"])

    def upload(self, body: bytes, content_type: str = "text/plain") -> str:
        """A document that is put where the function says; the upload's name."""
        asked = {"bytes": len(body), "content_type": content_type}
        status, offered = self("POST /v1/uploads", asked)
        assert status == 201, offered
        put = httpx2.put(offered["url"], content=body, headers=offered["headers"])
        assert put.status_code == 200, put.text
        return str(offered["upload"])

    def asked(self, id: str) -> dict[str, Any]:
        """What a job asks, wherever that is."""
        job = self.cloud.job(id)
        body: dict[str, Any] = job.body_json or json.loads(self.cloud.text(job.body_at))
        return body

    def close(self) -> None:
        if self._api:
            self.runner.run(self._api.close())
        self.runner.close()
