"""Claude's own errors as ours, told by their type before their status."""

from claude_core.errors import (
    AnswerLost,
    DeadlinePassed,
    KeyRejected,
    KitError,
    Overloaded,
    RateLimited,
    SpendCapReached,
    UpstreamBroken,
    UpstreamRefused,
)

SPEND_CAPS = "spend_limit"
"""In the error code of a 429 that ends with the month, not with a wait."""


def of_claude(
    message: str,
    *,
    type: str | None,
    status: int,
    code: str | None = None,
    retry_after_s: float | None = None,
) -> KitError:
    """Claude's own error as one of ours, told by its type before its status.

    An error inside a stream has status 200; nothing but its type says what it is.
    """
    if status in (401, 403) or type in ("authentication_error", "permission_error"):
        return KeyRejected(f"Claude refuses the kit's API key ({message}); run: kit key set")
    if SPEND_CAPS in (code or ""):
        return SpendCapReached(message)
    if type == "overloaded_error" or status == 529:
        return Overloaded(message, retry_after_s=retry_after_s)
    if type == "rate_limit_error" or status == 429:
        return RateLimited(message, retry_after_s=retry_after_s)
    if type in REFUSALS or 400 <= status < 500:
        type = type or "invalid_request_error"
        return UpstreamRefused(message, status=REFUSALS.get(type, status), type=type)
    if type == "timeout_error" or status == 504:
        return DeadlinePassed(f"Claude did not finish in time ({message}); ask for less, or stream")
    if status in CUT_BETWEEN:
        return AnswerLost(f"something before Claude gave up ({message}); try again")
    return UpstreamBroken(message, retry_after_s=retry_after_s)


CUT_BETWEEN = range(520, 528)
"""What proxies answer when the server behind them has begun and is gone: it may be billed."""
REFUSALS = {
    "invalid_request_error": 400,
    "billing_error": 402,
    "not_found_error": 404,
    "request_too_large": 413,
}
"""Types of https://platform.claude.com/docs/en/api/errors that no second attempt changes."""
