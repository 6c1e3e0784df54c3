"""The one place where what the libraries raise becomes an error of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from claude_core import errors
from claude_core.lazy import anthropic
from claude_core.retry import retry_after_s
from claude_core.upstream import of_claude

if TYPE_CHECKING:
    from anthropic import APIStatusError

CONNECTING = {
    *("httpcore2.ConnectError", "httpcore2.ConnectTimeout"),
    *("aiohttp.ClientConnectorError", "aiohttp.ConnectionTimeoutError"),
}
UNREACHABLE = "Claude could not be reached; nothing was sent"
BROKEN = "the connection to Claude broke before its answer was complete"


@contextmanager
def typed() -> Iterator[None]:
    """Nothing but a KitError gets out."""
    try:
        yield
    except anthropic.APIStatusError as err:
        raise _from_status(err) from err
    except Exception as err:
        # Of any class: aiohttp's are its own, and a reset after sending is a ConnectError there.
        if _never_sent(err):
            raise errors.ConnectFailed(UNREACHABLE) from err
        raise errors.AnswerLost(BROKEN) from err


def _never_sent(err: BaseException | None) -> bool:
    """Whether it failed while connecting, told by what the lowest library said."""
    while err is not None:
        kinds = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(err).__mro__}
        if kinds & CONNECTING:
            return True
        err = err.__cause__
    return False


def _from_status(err: "APIStatusError") -> errors.KitError:
    """Claude's error answer as one of ours."""
    headers = err.response.headers
    found = of_claude(
        err.api_message or f"Claude answered {err.status_code}",
        type=err.type,
        status=err.status_code,
        code=err.error_code,
        retry_after_s=retry_after_s(headers.get("retry-after"), headers.get("retry-after-ms")),
    )
    found.request_id, found.upstream_status = err.request_id, err.status_code
    return found
