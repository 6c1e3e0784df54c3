"""Everything that can go wrong, as one tree.

    KitError
    ├── Refused                 nothing was sent to Claude
    │   ├── InvalidRequest      400  the request cannot be served as it stands
    │   ├── NotAuthenticated    401  no client key was sent, or no client has it
    │   ├── NotAllowed          403  a disabled client, a model it may not use
    │   ├── NotFound            404  no such route, model or job
    │   ├── Conflict            409  not as things stand: a key used twice, a job that runs
    │   ├── TooLarge            413  more than the route can carry
    │   ├── OverBudget          429  the client's money for this month does not cover it
    │   └── TooMany             429  more requests a minute, or open at once, than it may have
    ├── Unavailable             503  the kit cannot serve anybody now
    │   ├── Stopped                  kit budget stop: nobody is served until kit budget resume
    │   ├── Replaced                 this process is going; another one serves
    │   ├── KeyMissing               no Claude key in the secret yet
    │   ├── KeyRejected              Claude does not accept the key in the secret
    │   └── AwsUnreachable           a table or the secret did not answer in time
    └── UpstreamFailed               Claude was asked, and did not answer well
        ├── UpstreamRefused     4xx  Claude's own word on the request, passed on as it came
        ├── RateLimited         429  Claude's rate limit
        ├── SpendCapReached     429  the Claude organisation's spend cap; waiting does not help
        ├── Overloaded          529
        ├── UpstreamBroken      502  another 5xx of Claude: it failed, and bills nothing
        ├── ConnectFailed       502  nothing was sent
        ├── AnswerLost          502  sent, and then reset, cut short or unreadable: may be billed
        └── DeadlinePassed      504  sent, and not answered in time, by Claude's own word or by
                                     ours: may be billed

Each class carries its HTTP status and its Messages API error type.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claude_core.limits import Limits

LONGEST_SLEEP_S = 60


class KitError(Exception):
    """A failure with a message that a caller can act on; no secret, no prompt in it."""

    status = 500
    type = "api_error"
    may_be_billed = False
    """Claude may have taken money: the reservation is kept, never handed back."""
    retry_helps = False
    """The caller's client library should try again by itself."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s
        self.request_id: str | None = None
        """Claude's own id of the call, where there was one."""
        self.upstream_status: int | None = None
        self.attempts = 0
        """Calls that were made to Claude."""
        self.client: str | None = None
        self.model: str | None = None
        self.limits: Limits | None = None
        """The client's own, once it is known who asks."""
        self.budget: dict[str, Any] | None = None
        """For programs: which budget refused, and how it stands."""

    def to_json(self, request_id: str) -> dict[str, Any]:
        """The error as the Messages API writes it; Claude's id of the call goes before ours."""
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.budget:
            error["budget"] = self.budget
        return {"type": "error", "error": error, "request_id": self.request_id or request_id}

    def to_headers(self, request_id: str) -> dict[str, str]:
        """What a client library needs to act on the error."""
        # The official SDKs obey x-should-retry, and then sleep for as long as retry-after says.
        soon = (self.retry_after_s or 0) <= LONGEST_SLEEP_S
        headers = {"x-should-retry": "true" if self.retry_helps and soon else "false"}
        if self.retry_after_s is not None:
            headers["retry-after"] = str(max(1, round(self.retry_after_s)))
        limits = self.limits.to_headers() if self.limits else {}
        return {**limits, **headers, "request-id": self.request_id or request_id}


class Refused(KitError): ...


class InvalidRequest(Refused):
    status, type = 400, "invalid_request_error"


class NotAuthenticated(Refused):
    status, type = 401, "authentication_error"


class NotAllowed(Refused):
    status, type = 403, "permission_error"


class NotFound(Refused):
    status, type = 404, "not_found_error"


class Conflict(Refused):
    status, type = 409, "invalid_request_error"


class TooLarge(Refused):
    status, type = 413, "request_too_large"


class OverBudget(Refused):
    status, type = 429, "rate_limit_error"


class TooMany(Refused):
    status, type, retry_helps = 429, "rate_limit_error", True


class Unavailable(KitError):
    status = 503


class Stopped(Unavailable): ...


class Replaced(Unavailable):
    retry_helps = True


class KeyMissing(Unavailable): ...


class KeyRejected(Unavailable): ...


class AwsUnreachable(Unavailable):
    type, retry_helps = "overloaded_error", True

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after_s=1)


class UpstreamFailed(KitError):
    status = 502


class UpstreamRefused(UpstreamFailed):
    """Claude refused this request (400, 404, 413, …); status, type and words are Claude's."""

    def __init__(self, message: str, *, status: int, type: str) -> None:
        super().__init__(message)
        self.status, self.type = status, type


class RateLimited(UpstreamFailed):
    status, type, retry_helps = 429, "rate_limit_error", True


class SpendCapReached(UpstreamFailed):
    status, type = 429, "rate_limit_error"


class Overloaded(UpstreamFailed):
    status, type, retry_helps = 529, "overloaded_error", True


class UpstreamBroken(UpstreamFailed):
    retry_helps = True


class ConnectFailed(UpstreamFailed):
    retry_helps = True


class AnswerLost(UpstreamFailed):
    may_be_billed = True


class DeadlinePassed(UpstreamFailed):
    status, type, may_be_billed = 504, "timeout_error", True
