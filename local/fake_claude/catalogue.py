"""`GET /v1/models` and `GET /v1/models/{id}`."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from local.fake_claude import access, models
from local.fake_claude.errors import invalid

PAGE = 20
LARGEST_PAGE = 1_000
LIFECYCLES = ("active", "deprecated", "retired")


async def list_models(request: Request) -> JSONResponse:
    """The models, newest first; retired ones only when `lifecycle` asks for them."""
    access.check(request.headers, request.app.state.fake.keys)
    query = request.query_params
    written = query.getlist("lifecycle[]") + query.getlist("lifecycle")
    lifecycle = [each for value in written for each in value.split(",")]
    for each in lifecycle:
        if each not in LIFECYCLES:
            raise invalid(f"lifecycle: Input should be one of {', '.join(LIFECYCLES)}")
    limit = query.get("limit", str(PAGE))
    if not limit.isdecimal() or not 1 <= int(limit) <= LARGEST_PAGE:
        raise invalid(f"limit: Input should be a number from 1 to {LARGEST_PAGE}")
    page = models.page(
        lifecycle=lifecycle,
        limit=int(limit),
        after_id=query.get("after_id"),
        before_id=query.get("before_id"),
    )
    return JSONResponse(page)


async def retrieve_model(request: Request) -> JSONResponse:
    """One model, retired or not."""
    access.check(request.headers, request.app.state.fake.keys)
    return JSONResponse(models.find(request.path_params["model_id"]).to_json())
