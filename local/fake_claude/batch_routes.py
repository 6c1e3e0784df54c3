"""`/v1/messages/batches`: create, list, retrieve, cancel, delete, and the results."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from local.fake_claude import access, batch_check, batch_run, paging
from local.fake_claude.batch import Batch
from local.fake_claude.batch_results import Results
from local.fake_claude.batches import missing
from local.fake_claude.choose import choose
from local.fake_claude.errors import ApiError
from local.fake_claude.limits import BATCHES
from local.fake_claude.operation import Operation
from local.fake_claude.record import Record
from local.fake_claude.recording import RECORD
from local.fake_claude.request import BATCHES as PATH
from local.fake_claude.script import Script
from local.fake_claude.state import State

POLL_AFTER = {"retry-after": "10"}
"""What the API advises who looks for a batch that has not ended."""


async def create(request: Request) -> ASGIApp:
    """Create a batch; whether its requests can be answered shows when it has ended."""
    fake, record = _enter(request)
    items = batch_check.items(record.body())

    def act() -> dict[str, Any]:
        batch = Batch(items, fake.batching, beta="anthropic-beta" in request.headers)
        fake.stats.batches.submit(item.custom_id for item in items)
        fake.batches.start(batch, batch_run.run(fake, batch))
        fake.stats.notify()
        return batch.to_json(_base(request))

    return _operation(request, act)


async def list_all(request: Request) -> ASGIApp:
    """A page of the batches, newest first."""
    fake, _ = _enter(request)
    listed = [batch for batch in fake.batches.newest_first() if not batch.unseen("list")]
    base = _base(request)
    page = paging.page(listed, request.query_params, lambda batch: batch.to_json(base))
    return _operation(request, lambda: page)


async def retrieve(request: Request) -> ASGIApp:
    """One batch as it stands."""
    batch = _found(request, "retrieve")

    def headers() -> Mapping[str, str]:
        return POLL_AFTER if batch.ended_at is None else {}

    return _operation(request, lambda: batch.to_json(_base(request)), headers)


async def results(request: Request) -> ASGIApp:
    """The results as JSON lines, once the batch has ended."""
    batch = _found(request, "results")
    if batch.ended_at is None:
        raise ApiError(404, f"Message Batch {batch.id} has no available results.")
    fake: State = request.app.state.fake
    return Results(fake, request.scope[RECORD], _script(request), batch)


async def cancel(request: Request) -> ASGIApp:
    """Cancel a batch that has not ended."""
    batch = _found(request)

    def act() -> dict[str, Any]:
        batch.cancel()
        return batch.to_json(_base(request))

    return _operation(request, act)


async def delete(request: Request) -> ASGIApp:
    """Delete a batch that has ended."""
    batch, fake = _found(request), request.app.state.fake

    def act() -> dict[str, Any]:
        fake.batches.delete(batch)
        return {"id": batch.id, "type": "message_batch_deleted"}

    return _operation(request, act)


ROUTES = [
    Route(PATH, create, methods=["POST"]),
    Route(PATH, list_all),
    Route(f"{PATH}/{{batch_id}}", retrieve),
    Route(f"{PATH}/{{batch_id}}", delete, methods=["DELETE"]),
    Route(f"{PATH}/{{batch_id}}/results", results),
    Route(f"{PATH}/{{batch_id}}/cancel", cancel, methods=["POST"]),
]


def _enter(request: Request) -> tuple[State, Record]:
    fake: State = request.app.state.fake
    record: Record = request.scope[RECORD]
    access.check(request.headers, fake.keys)
    record.line = BATCHES
    fake.limits.admit(BATCHES, lambda: 0)
    return fake, record


def _found(request: Request, call: str | None = None) -> Batch:
    """The batch of the path, if this kind of call finds it already."""
    fake, _ = _enter(request)
    batch = fake.batches.find(request.path_params["batch_id"])
    if call is not None and batch.unseen(call):
        raise missing(batch.id)
    return batch


def _script(request: Request) -> Script:
    fake, record = request.app.state.fake, request.scope[RECORD]
    script = choose(fake, route=record.route, header=request.headers.get("x-fake"))
    record.behaviour = script.name
    return script


def _operation(
    request: Request,
    act: Callable[[], dict[str, Any]],
    headers: Callable[[], Mapping[str, str]] = dict,
) -> Operation:
    record = request.scope[RECORD]
    return Operation(request.app.state.fake, record, _script(request), act, headers=headers)


def _base(request: Request) -> str:
    """Where the caller found us, as the start of a URL."""
    return str(request.base_url)
