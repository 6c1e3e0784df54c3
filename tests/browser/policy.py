"""The Content-Security-Policy that the page is served with, around any application."""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def with_policy(app: ASGIApp) -> ASGIApp:
    async def within(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [(b"content-security-policy", POLICY.encode())]
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await app(scope, receive, sending)

    return within
