"""The service as an ASGI application, on Lambda and on Fargate."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException

from claude_core.errors import Unavailable
from claude_core.settings import ChatSettings, RouterSettings, Runtime, Settings
from service_src.api import Api

BEFORE_SNAPSHOT, AFTER_RESTORE = "/snapshot/before", "/snapshot/after"
"""Called by the Lambda Web Adapter, which refuses them to everybody else."""


def create(
    settings: Settings,
    runtime: Runtime,
    chat: ChatSettings | None = None,
    router: RouterSettings | None = None,
) -> FastAPI:
    """The application; without `chat` it is a function's: `POST /v1/messages` alone, or, with
    `router`, `POST /v1/orchestrate` alone.

    `app.state.live` is what a server has to drain, or None.
    """
    api = Api(settings, runtime)
    live = None
    if chat:
        from service_src.live import Live

        live = Live(api, settings, chat)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if live:
            live.start()
        yield
        if live:
            await live.stop()
        await api.close()

    app = FastAPI(openapi_url=None, lifespan=lifespan)
    app.state.live = live
    app.add_exception_handler(HTTPException, api.no_route)
    app.add_api_route("/health", api.health)
    if router:
        from service_src.orchestrate import Orchestrate

        Orchestrate(api, router).add_to(app)
    else:
        app.add_api_route("/v1/messages", api.messages, methods=["POST"], response_model=None)
    if live:
        live.add_to(app)
    if runtime.function_name:
        _hooks(app, api)
    return app


def _hooks(app: FastAPI, api: Api) -> None:
    """SnapStart's."""

    async def before_snapshot() -> Response:
        """Leave nothing for the collector to do, or to touch, in what is restored."""
        gc.collect()
        gc.freeze()
        return Response(status_code=204)

    async def after_restore() -> Response:
        """Open the way to AWS and read the key while no request waits yet."""
        with suppress(Unavailable):  # the first request will say so, to somebody who reads it
            await api.kit.warm()
        return Response(status_code=204)

    app.add_api_route(BEFORE_SNAPSHOT, before_snapshot, methods=["POST"])
    app.add_api_route(AFTER_RESTORE, after_restore, methods=["POST"])
