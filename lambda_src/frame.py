"""What every function behind API Gateway does around its routes: find one, and dress errors."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from claude_core.errors import AwsUnreachable, KitError, NotFound
from claude_core.incoming import Incoming
from claude_core.telemetry import Telemetry
from lambda_src.gateway import Answered, Call

T = TypeVar("T")
Routes = Mapping[str, Callable[[T, Call], Awaitable[Answered]]]
"""Method and resource, for example `GET /health`, and what of a `T` answers it."""


async def respond(
    edge: T,
    routes: Routes[T],
    event: dict[str, Any],
    telemetry: Telemetry,
    *,
    within_s: float | None = None,
) -> dict[str, Any]:
    """Answer one API Gateway event; every failure becomes a Messages API error.

    Args:
        within_s: of the request's arrival at API Gateway, for routes without a deadline of their
            own: then it is a 503.
    """
    started, request_id = time.perf_counter(), event["requestContext"]["requestId"]
    incoming = Incoming(request_id)
    try:
        call = Call.from_event(event)
        incoming = call.incoming
        if call.route not in routes:
            raise NotFound(f"no such route: {call.route}")
        async with asyncio.timeout(within_s and max(0.0, within_s - call.late_s)):
            answered = await routes[call.route](edge, call)
    except (KitError, TimeoutError) as err:
        told = err if isinstance(err, KitError) else AwsUnreachable("AWS was too slow; try again")
        telemetry.failed(incoming, told, (time.perf_counter() - started) * 1_000)
        answered = Answered.failed(told, request_id)
    except Exception as err:
        # Lambda would write its words into the log, and they may hold a prompt.
        telemetry.crashed(incoming, err)
        answered = Answered.failed(KitError("the request failed; try again"), request_id)
    return answered.to_event(request_id)
