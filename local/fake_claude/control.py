"""The control routes under `/_fake/`: what happened, and what shall happen. No key is needed."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.fake_claude.access import Keys
from local.fake_claude.behaviours import BEHAVIOURS, checked
from local.fake_claude.limits import read_rule
from local.fake_claude.plan import Plan, read_plan
from local.fake_claude.script import parse
from local.fake_claude.state import State
from local.fake_claude.stats import WAITABLE

WAIT_S = 10.0


async def stats(request: Request) -> Response:
    """Every count, and the last 1,000 requests."""
    fake = _fake(request)
    planned = sum(len(plan) for plan in fake.plans.values())
    return JSONResponse({**fake.stats.to_json(), "planned": planned})


async def wait(request: Request) -> Response:
    """The counts, as soon as each is what the query asks for; 408 if that takes too long."""
    wanted = {name: value for name, value in request.query_params.items() if name != "timeout_s"}
    if not wanted or not wanted.keys() <= set(WAITABLE):
        return _refused(f"wait for one or more of {', '.join(WAITABLE)}")
    try:
        numbers = {name: int(value) for name, value in wanted.items()}
        timeout_s = float(request.query_params.get("timeout_s", WAIT_S))
    except ValueError as err:
        return _refused(str(err))
    counted = _fake(request).stats
    try:
        await asyncio.wait_for(counted.until(numbers), timeout_s)
    except TimeoutError:
        return JSONResponse(counted.counts(), 408)
    return JSONResponse(counted.counts())


async def raw_body(request: Request) -> Response:
    """A request's body, byte for byte, by its request id."""
    for record in _fake(request).stats.records:
        if record.id == request.path_params["request_id"]:
            return Response(record.raw, media_type="application/octet-stream")
    return _refused("no such request, or too long ago", 404)


async def plan(request: Request) -> Response:
    """Plan what the next requests of a route get, in place of what was planned for it before."""
    try:
        route, behaviours, options = read_plan(await request.json())
        planned = Plan([checked(parse(each)) for each in behaviours], **options)
    except ValueError as err:
        return _refused(str(err))
    _fake(request).plans[route] = planned
    return JSONResponse({"planned": len(planned)})


async def keys(request: Request) -> Response:
    """Set which API keys are accepted from now on; null accepts any that looks like one."""
    try:
        live: Any = (await request.json())["live"]
    except (ValueError, KeyError, TypeError):
        return _refused('{"live": [...]} is needed')
    if live is not None and not (isinstance(live, list) and all(isinstance(k, str) for k in live)):
        return _refused("live: a list of keys, or null")
    _fake(request).keys = Keys(live)
    return JSONResponse({"live": None if live is None else len(live)})


async def limits(request: Request) -> Response:
    """Enforce these rate limits from now on, for one model line or for all."""
    try:
        rule = read_rule(await request.json())
    except ValueError as err:
        return _refused(str(err))
    _fake(request).limits.set(rule)
    return JSONResponse({})


async def release(request: Request) -> Response:
    """Let go of every request that is held."""
    _fake(request).release()
    return JSONResponse({})


async def reset(request: Request) -> Response:
    """Forget everything: counts, plans, batches, keys, prompt cache, rate limits."""
    _fake(request).reset()
    return JSONResponse({})


async def behaviours(request: Request) -> Response:
    """What can be planned, with the parameters and their defaults."""
    rows = {name: {"about": row.about, "params": row.params} for name, row in BEHAVIOURS.items()}
    return JSONResponse(rows)


ROUTES = [
    Route("/_fake/stats", stats),
    Route("/_fake/wait", wait),
    Route("/_fake/requests/{request_id}/body", raw_body),
    Route("/_fake/behaviours", behaviours),
    Route("/_fake/plan", plan, methods=["POST"]),
    Route("/_fake/keys", keys, methods=["POST"]),
    Route("/_fake/limits", limits, methods=["POST"]),
    Route("/_fake/release", release, methods=["POST"]),
    Route("/_fake/reset", reset, methods=["POST"]),
]


def _fake(request: Request) -> State:
    found: State = request.app.state.fake
    return found


def _refused(why: str, status: int = 400) -> Response:
    return JSONResponse({"error": why}, status)
