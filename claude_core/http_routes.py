"""The HTTP routes of all patterns, as a table: a row a route.

API Gateway's resources, the firewalls' open paths and the OpenAPI documents are made from it. What
answers a route is one line in the module that its `Backend` names. Bodies, answers and parameters
have names of JSON schemas: `schemas.py` here, in `jobs`, in `routing`, or the backend's own.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from claude_core.messages import NON_STREAMING_MAX_TOKENS
from claude_core.wire import Json

NOTHING: Mapping[str, Json] = MappingProxyType({})


class Backend(StrEnum):
    """A program that serves routes, by the module that maps each route to its handler."""

    API = "lambda_src.api"
    """The serverless pattern's function for whole answers."""
    STREAM = "service_src.app"
    """The serverless pattern's function for streamed answers."""
    JOBS = "lambda_src.jobs"
    CHAT = "service_src.live"
    ORCHESTRATOR = "service_src.orchestrate"


class HttpAnswer(NamedTuple):
    """A route's own answer with one status."""

    schema: str
    description: str = "OK"
    events: bool = False
    """Whether it comes as server-sent events instead where the body's `stream` is true."""
    headers: Mapping[str, Json] = NOTHING
    """OpenAPI's header objects, beside those that all answers have."""


class Parameter(NamedTuple):
    """A parameter that a route takes in its path, its query string or a header."""

    name: str
    place: str
    """"path", "query" or "header"."""
    schema: str
    description: str = ""


class HttpRoute(NamedTuple):
    """An HTTP route: its name, what it takes and how it answers."""

    name: str
    """Method and path, for example `GET /v1/jobs/{id}`."""
    id: str
    """OpenAPI's operationId: what generated clients call their method."""
    summary: str
    backends: tuple[Backend, ...]
    answers: Mapping[int, HttpAnswer]
    errors: Mapping[int, str]
    """Status and meaning, in the Messages API's shape."""
    key: bool = True
    """Whether a client key is needed."""
    body: str | None = None
    """The schema of the request's body."""
    parameters: tuple[Parameter, ...] = ()
    description: str = ""

    @property
    def method(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.name.partition(" ")[2]

    @property
    def query(self) -> list[str]:
        """Names of the parameters that its query may have."""
        return [one.name for one in self.parameters if one.place == "query"]


NO_KEY = {500: "Something broke."}
KEY = {
    **NO_KEY,
    400: "The request cannot be served as it stands; the message names the field and the rule.",
    401: "No client key was sent, or no client has it.",
    403: "The client is disabled, or may not use the model.",
    429: "Over budget, or above a rate limit; see retry-after.",
    503: "No usable Claude key yet, or a table did not answer.",
}
CLAUDE = {
    **KEY,
    404: "No such model.",
    413: "The body is too large.",
    502: "Claude could not be reached, or its answer was lost.",
    504: "Claude did not answer in time.",
    529: "Claude is overloaded.",
}
JOBS = {
    **KEY,
    429: "Above a rate limit; see retry-after.",
    503: "A table, the bucket or a queue did not answer; the same Idempotency-Key makes no second "
    "job.",
}
NO_JOB = {
    404: "No such job of this client, no such model, or nothing under the upload's URL yet.",
}
CONFLICT = {
    409: "Not as things stand: the Idempotency-Key has made another job, or the job is not queued "
    "any more.",
}
TOO_LARGE = {413: "The body, or the document, is too large."}
JOB_ID = Parameter("id", "path", "JobId")

ROUTES = (
    HttpRoute(
        name="POST /prompt",
        id="prompt",
        summary="Ask one question; the shortest way in",
        backends=(Backend.API,),
        body="Prompt",
        answers={200: HttpAnswer("PromptAnswer")},
        errors=CLAUDE,
    ),
    HttpRoute(
        name="POST /v1/messages",
        id="messages",
        summary="The Messages API of Claude",
        description="Answers as it is written, in server-sent events, if `stream` is true: the "
        "events of the Messages API, a `ping` where nothing came for 15 seconds, and an `error` "
        "event where the answer could not be whole. Else answers at once; max_tokens may then be "
        f"{NON_STREAMING_MAX_TOKENS} at most.",
        backends=(Backend.STREAM, Backend.CHAT),
        body="Messages",
        answers={200: HttpAnswer("Message", events=True)},
        errors=CLAUDE,
    ),
    HttpRoute(
        name="POST /v1/messages/count_tokens",
        id="countTokens",
        summary="How many tokens a request has",
        backends=(Backend.API, Backend.CHAT),
        body="CountTokens",
        answers={200: HttpAnswer("TokenCount")},
        errors=CLAUDE,
    ),
    HttpRoute(
        name="GET /v1/models",
        id="models",
        summary="The models that this client may use",
        backends=(Backend.API, Backend.CHAT),
        answers={200: HttpAnswer("Models")},
        errors=KEY,
    ),
    HttpRoute(
        name="POST /v1/orchestrate",
        id="orchestrate",
        summary="An answer of the model that fits the question",
        description="A request of the Messages API whose model is chosen by its question, or the "
        "question alone as `input`. Answered as `POST /v1/messages` answers, streamed if `stream` "
        "is true; `route` says who answers, why, and what choosing has cost: in the message, of a "
        "stream in that of `message_start`, and whole in the last `message_delta`.",
        backends=(Backend.ORCHESTRATOR,),
        body="Question",
        answers={200: HttpAnswer("RoutedMessage", events=True)},
        errors=CLAUDE,
    ),
    HttpRoute(
        name="POST /v1/tickets",
        id="ticket",
        summary="A ticket that opens one websocket, good once and for a minute",
        backends=(Backend.CHAT,),
        answers={
            201: HttpAnswer(
                "Ticket", "Made", headers={"cache-control": {"schema": {"const": "no-store"}}}
            )
        },
        errors=KEY,
    ),
    HttpRoute(
        name="POST /v1/jobs",
        id="submit",
        summary="Have something done later",
        description="A document with an instruction, or a whole request of the Messages API. The "
        "budget is charged when it runs. With an Idempotency-Key the same request is the same job, "
        "however often it is made.",
        backends=(Backend.JOBS,),
        parameters=(Parameter("Idempotency-Key", "header", "IdempotencyKey"),),
        body="NewJob",
        answers={
            202: HttpAnswer(
                "Accepted",
                "Kept and sent: it will be done, or fail with a reason.",
                headers={
                    "idempotent-replayed": {
                        "description": "true: the Idempotency-Key had made this job before.",
                        "schema": {"const": "true"},
                    }
                },
            )
        },
        errors=JOBS | NO_JOB | CONFLICT | TOO_LARGE,
    ),
    HttpRoute(
        name="GET /v1/jobs",
        id="jobs",
        summary="This client's jobs, the newest first",
        backends=(Backend.JOBS,),
        parameters=(
            Parameter("status", "query", "JobStatus"),
            Parameter("limit", "query", "PageLimit"),
            Parameter("after", "query", "PlaceInList", "The `next` of the page before."),
        ),
        answers={200: HttpAnswer("Jobs", "A page of them.")},
        errors=JOBS,
    ),
    HttpRoute(
        name="GET /v1/jobs/{id}",
        id="job",
        summary="One job, with its result",
        backends=(Backend.JOBS,),
        parameters=(JOB_ID,),
        answers={200: HttpAnswer("Job", "The job as it stands.")},
        errors=JOBS | NO_JOB,
    ),
    HttpRoute(
        name="DELETE /v1/jobs/{id}",
        id="cancel",
        summary="Cancel a job that is queued",
        backends=(Backend.JOBS,),
        parameters=(JOB_ID,),
        answers={200: HttpAnswer("Job", "Cancelled.")},
        errors=JOBS | NO_JOB | CONFLICT,
    ),
    HttpRoute(
        name="POST /v1/uploads",
        id="upload",
        summary="Where to put a document that is too long for a request",
        description="PUT the document to the URL with the headers given; then name the upload in a "
        "job.",
        backends=(Backend.JOBS,),
        body="NewUpload",
        answers={201: HttpAnswer("Upload", "A URL that takes one PUT of just this size and type.")},
        errors=JOBS | TOO_LARGE,
    ),
    HttpRoute(
        name="GET /health",
        id="health",
        summary="Is the function up? Asks neither for a key nor Claude",
        backends=(Backend.API, Backend.JOBS, Backend.CHAT, Backend.ORCHESTRATOR),
        key=False,
        answers={200: HttpAnswer("Health")},
        errors=NO_KEY,
    ),
    HttpRoute(
        name="GET /ready",
        id="ready",
        summary="May new callers come? Not while the server is being replaced",
        backends=(Backend.CHAT,),
        key=False,
        answers={200: HttpAnswer("Ready", "Yes"), 503: HttpAnswer("Draining", "No")},
        errors={},
    ),
    HttpRoute(
        name="GET /openapi.json",
        id="openapi",
        summary="This document",
        backends=(Backend.API, Backend.JOBS, Backend.CHAT, Backend.ORCHESTRATOR),
        key=False,
        answers={200: HttpAnswer("OpenApi")},
        errors=NO_KEY,
    ),
)


def served_by(*backends: Backend) -> list[HttpRoute]:
    """The routes that one of these answers."""
    return [route for route in ROUTES if not set(backends).isdisjoint(route.backends)]


def route_names(*backends: Backend) -> list[str]:
    """Methods and paths of the routes that one of these answers."""
    return [route.name for route in served_by(*backends)]


def open_paths(*backends: Backend) -> list[str]:
    """Paths of the routes that need no key, of those that one of these answers."""
    return [route.path for route in served_by(*backends) if not route.key]


def http_route(name: str) -> HttpRoute:
    """The row of a route, for example of `GET /v1/jobs`."""
    return next(route for route in ROUTES if route.name == name)
