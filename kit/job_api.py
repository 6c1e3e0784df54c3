"""The jobs API as a client sees it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Self

import typer

from claude_core.clients import ClientKey
from claude_core.errors import NotAuthenticated
from claude_core.jobs.job import JOB_ID, PREFIX
from claude_core.wire import Json, to_bytes
from kit.deployment import Deployment
from kit.patience import Patience, Refusal, json_of
from kit.say import Stop

Key = Annotated[str | None, typer.Option(envvar="KIT_CLIENT_KEY", help="A client key.")]
Url = Annotated[
    str | None,
    typer.Option(envvar="KIT_JOBS_URL", help="QueueStack's ApiUrl; else AWS is asked for it."),
]
PAGE = 100
"""Jobs of one answer: the API's own limit."""


@dataclass(frozen=True, slots=True)
class Page:
    jobs: list[Json]
    next: str | None
    """Where the next page begins; None at the end."""


class JobApi:
    """One client's jobs. Every method raises Refusal, and Stop where nobody answers."""

    def __init__(self, url: str, key: str) -> None:
        try:
            self.client = ClientKey.parse(key).id
        except NotAuthenticated as err:
            raise Stop("that is no client key: it must be ck_ and 43 characters", code=2) from err
        self._url = url.rstrip("/")
        self.patience = Patience({"x-api-key": key})

    @classmethod
    def of(cls, deployment: Deployment, key: str | None, url: str | None) -> "JobApi":
        """The API of a deployment.

        Raises:
            Stop: no key, or nothing is deployed.
        """
        key = key or (deployment.here["Local"]["ClientKey"] if deployment.local else None)
        if not key:
            hint = "give --key or set KIT_CLIENT_KEY (kit clients add NAME)"
            raise Stop(f"no client key; {hint}", code=2)
        return cls(url or deployment.outputs("QueueStack")["ApiUrl"], key.strip())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.patience.close()

    async def submit(self, body: Json, idempotency_key: str) -> tuple[Json, bool]:
        """`{"job_id", "status"}` of the job that the key stands for, and whether it was there."""
        headers = {"idempotency-key": idempotency_key, "content-type": "application/json"}
        answer = await self.patience.ask(
            "POST", f"{self._url}/v1/jobs", content=to_bytes(body), headers=headers
        )
        return json_of(answer), answer.headers.get("idempotent-replayed") == "true"

    async def get(self, id: str) -> Json | None:
        """A job with its result; None: there is none."""
        try:
            return await self._ask("GET", _path(id))
        except Refusal as err:
            if err.status != 404:
                raise
            return None

    async def page(
        self, *, status: str | None = None, limit: int = PAGE, after: str | None = None
    ) -> Page:
        """Jobs without their results, the newest first."""
        asked = {"status": status, "after": after, "limit": limit}
        params = {name: value for name, value in asked.items() if value is not None}
        found = await self._ask("GET", "", params=params)
        return Page(found["data"], found["next"])

    async def pages(
        self, *, status: str | None = None, most: int | None = None
    ) -> AsyncIterator[Page]:
        """Page after page, `most` jobs together."""
        after, left = None, most
        while left is None or left > 0:
            page = await self.page(status=status, limit=min(PAGE, left or PAGE), after=after)
            yield page
            after, left = page.next, None if left is None else left - len(page.jobs)
            if after is None:
                return

    async def cancel(self, id: str) -> Json:
        return await self._ask("DELETE", _path(id))

    async def upload(self, data: bytes, content_type: str) -> str:
        """Put a document where a job can name it; what the job names."""
        asked = {"bytes": len(data), "content_type": content_type}
        put = json_of(await self.patience.ask("POST", f"{self._url}/v1/uploads", json=asked))
        await self.patience.ask(
            put["method"], put["url"], signed=True, content=data, headers=put["headers"]
        )
        return str(put["upload"])

    async def _ask(self, method: str, path: str, **asked: Any) -> Json:
        return json_of(await self.patience.ask(method, f"{self._url}/v1/jobs{path}", **asked))


def _path(id: str) -> str:
    if not JOB_ID.fullmatch(id):
        raise Stop(f"{id!r} is no job's id, such as {PREFIX}…; see: kit jobs list", code=2)
    return f"/{id}"
