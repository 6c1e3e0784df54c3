"""The control routes of message batches: how they fare, when they end, and what was paid."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.fake_claude.batch import Settings
from local.fake_claude.behaviours import checked
from local.fake_claude.script import Script, parse
from local.fake_claude.state import State

KNOWN = [each.name for each in fields(Settings)]


async def report(request: Request) -> Response:
    """Every batch, and how often each custom_id was submitted, ended in each way, and billed."""
    fake: State = request.app.state.fake
    base = str(request.base_url)
    shown = [batch.to_json(base) for batch in fake.batches.newest_first()]
    return JSONResponse({"batches": shown, "custom_ids": fake.stats.batches.by_custom_id()})


async def settings(request: Request) -> Response:
    """Set how batches fare from now on; what is not given is as at first."""
    try:
        request.app.state.fake.batching = read_settings(await request.json())
    except ValueError as err:
        return JSONResponse({"error": str(err)}, 400)
    return JSONResponse({})


async def end(request: Request) -> Response:
    """End the batches with these `ids` now, or all; answered when they have ended."""
    try:
        ids: Any = (await request.json())["ids"]
    except (ValueError, KeyError, TypeError):
        ids = ...
    if not (ids is None or isinstance(ids, list)):
        return JSONResponse({"error": '{"ids": [...]} is needed, or null for all'}, 400)
    return JSONResponse({"ended": await request.app.state.fake.batches.end(ids)})


def read_settings(given: Any) -> Settings:
    """Settings as they are posted, or what is wrong with them (ValueError)."""
    if not isinstance(given, Mapping) or not given.keys() <= set(KNOWN):
        raise ValueError(f"an object is needed, with some of {', '.join(KNOWN)}")
    read = dict(given)
    for name in read.keys() - {"outcomes", "shares"}:
        unlimited = name == "after_s" and read[name] is None
        if not unlimited and not _is_number(read[name]):
            raise ValueError(f"{name}: {read[name]!r} is not a number from 0 up")
    for name in read.keys() & {"outcomes", "shares"}:
        if not isinstance(read[name], Mapping):
            raise ValueError(f"{name}: an object is needed")
    if "outcomes" in read:
        read["outcomes"] = {key: _outcome(each) for key, each in read["outcomes"].items()}
    if "shares" in read:
        if not all(_is_number(share) for share in read["shares"].values()):
            raise ValueError("shares: a number from 0 up is needed for each")
        read["shares"] = [(_outcome(each), share) for each, share in read["shares"].items()]
    return Settings(**read)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _outcome(written: object) -> Script | str:
    """What shall become of a request: a result type, or any script."""
    if written in ("expired", "canceled"):
        return str(written)
    return checked(parse("server_error" if written == "errored" else written))


ROUTES = [
    Route("/_fake/batches", report),
    Route("/_fake/batches", settings, methods=["POST"]),
    Route("/_fake/batches/end", end, methods=["POST"]),
]
