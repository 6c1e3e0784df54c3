"""The only caller of Claude: a deadline in, a whole answer or a typed error out."""

import asyncio
from typing import Any

import httpx2

from claude_core import errors
from claude_core.lazy import anthropic
from claude_core.messages import Reply, Request
from claude_core.retry import RetryBudget, retry_after_s
from claude_core.secret import Secret

CONNECT_TIMEOUT_S = 5.0
SPEND_CAPS = "spend_limit"


class Claude:
    """Claude as one process sees it: one client, one pool of connections, one retry budget."""

    def __init__(
        self, *, url: str, secret: Secret, http: httpx2.AsyncClient, retries: RetryBudget
    ) -> None:
        # The SDK's own retries sleep as long as a retry-after says and know no deadline.
        self._sdk = anthropic.AsyncAnthropic(
            api_key="set per call",  # pragma: allowlist secret
            base_url=url,
            http_client=http,
            max_retries=0,
        )
        self._secret, self._retries = secret, retries

    async def ask(self, request: Request, *, deadline: float) -> Reply:
        """One answer.

        Args:
            deadline: when to give up, on the event loop's clock.

        Raises:
            Unavailable: no usable key. UpstreamFailed: Claude's refusal, or what broke.
        """
        answer = await self._post("/v1/messages", request, deadline)
        return Reply.from_bytes(answer.content, answer.headers.get("request-id"))

    async def count_tokens(self, request: Request, *, deadline: float) -> bytes:
        """Claude's own count of a request's tokens, as it came; raises as `ask` does."""
        return (await self._post("/v1/messages/count_tokens", request, deadline)).content

    async def _post(self, path: str, request: Request, deadline: float) -> httpx2.Response:
        self._retries.earn()
        try:
            async with asyncio.timeout_at(deadline):
                return await self._attempts(path, request, deadline)
        except TimeoutError as err:
            raise errors.DeadlinePassed(
                "Claude did not answer in the time that this route has; ask for less, or stream"
            ) from err

    async def _attempts(self, path: str, request: Request, deadline: float) -> httpx2.Response:
        key, attempt, renewed = await self._secret.get(), 0, False
        while True:
            attempt += 1
            try:
                return await self._send(path, request, key)
            except errors.KeyRejected:
                if renewed:
                    raise
                fresh = await self._secret.refresh(rejected=key)
                if fresh == key:
                    raise
                key, attempt, renewed = fresh, 0, True
            except errors.UpstreamFailed as err:
                left = deadline - asyncio.get_running_loop().time()
                wait = self._retries.delay(err, attempt, left)
                if wait is None:
                    raise
                await asyncio.sleep(wait)

    async def _send(self, path: str, request: Request, key: str) -> httpx2.Response:
        # The header that the SDK itself sends a key in; one of ours beside it would not replace it.
        headers = {"Authorization": f"Bearer {key}", "content-type": "application/json"}
        headers |= request.headers
        options: Any = {
            "headers": headers,
            "timeout": httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S),
        }
        try:
            return await self._sdk.post(
                path, cast_to=httpx2.Response, content=request.wire, options=options
            )
        except anthropic.APIStatusError as err:
            raise _from_status(err) from err
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as err:
            raise _connect_failed() from err
        except anthropic.APIConnectionError as err:
            cause = err.__cause__
            if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
                raise _connect_failed() from err
            raise _lost() from err
        except (anthropic.AnthropicError, httpx2.HTTPError, httpx2.StreamError, ValueError) as err:
            raise _lost() from err


def _connect_failed() -> errors.UpstreamFailed:
    return errors.ConnectFailed("Claude could not be reached; nothing was sent")


def _lost() -> errors.UpstreamFailed:
    return errors.AnswerLost("the connection to Claude broke before its answer was complete")


def _from_status(err: anthropic.APIStatusError) -> errors.KitError:
    """Claude's error answer as one of ours, told by its type before its status."""
    headers = err.response.headers
    wait = retry_after_s(headers.get("retry-after"), headers.get("retry-after-ms"))
    said = err.api_message or f"Claude answered {err.status_code}"
    kind, status = err.type, err.status_code
    found: errors.KitError
    if status in (401, 403) or kind in ("authentication_error", "permission_error"):
        found = errors.KeyRejected(f"Claude refuses the kit's API key ({said}); run: kit key set")
    elif SPEND_CAPS in (err.error_code or ""):
        found = errors.SpendCapReached(said)
    elif kind == "overloaded_error" or status == 529:
        found = errors.Overloaded(said, retry_after_s=wait)
    elif status == 429:
        found = errors.RateLimited(said, retry_after_s=wait)
    elif 400 <= status < 500:
        found = errors.UpstreamRefused(said, status=status, type=kind or "invalid_request_error")
    else:
        found = errors.UpstreamBroken(said, retry_after_s=wait)
    found.request_id = err.request_id
    return found
