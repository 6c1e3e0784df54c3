"""`GET /v1/models` and `GET /v1/models/{id}`."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from local.fake_claude import access, models, paging
from local.fake_claude.errors import invalid

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
    return JSONResponse(paging.page(models.listed(lifecycle), query, models.Model.to_json))


async def retrieve_model(request: Request) -> JSONResponse:
    """One model, retired or not."""
    access.check(request.headers, request.app.state.fake.keys)
    return JSONResponse(models.find(request.path_params["model_id"]).to_json())
