"""The application: every route, and the one place where errors are written."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.fake_claude import batch_control, batch_routes, catalogue, control, messages
from local.fake_claude.errors import ApiError
from local.fake_claude.recording import RECORD, Recording
from local.fake_claude.state import State

ROUTES = [
    Route("/v1/messages", messages.create_message, methods=["POST"]),
    Route("/v1/messages/count_tokens", messages.count_tokens, methods=["POST"]),
    *batch_routes.ROUTES,
    Route("/v1/models", catalogue.list_models),
    Route("/v1/models/{model_id}", catalogue.retrieve_model),
    *control.ROUTES,
    *batch_control.ROUTES,
]


def build(fake: State) -> Starlette:
    """The fake Claude as an ASGI application."""
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(Recording, fake=fake)],
        exception_handlers={ApiError: _write, HTTPException: _write},
    )
    app.router.redirect_slashes = False
    app.state.fake = fake
    return app


async def _write(request: Request, err: Exception) -> Response:
    refusal = err if isinstance(err, ApiError) else _translated(err)
    record = request.scope.get(RECORD)
    body = refusal.to_json(record.id if record else "")
    return JSONResponse(body, refusal.status, headers=refusal.headers)


def _translated(err: Exception) -> ApiError:
    """Starlette's own refusals, in the API's words: no such route, not with this method."""
    if isinstance(err, HTTPException) and err.status_code == 405:
        return ApiError(405, "Method Not Allowed", headers=err.headers)
    return ApiError(404, "Not Found")
