"""The few AWS requests that the kit makes itself: signed, bounded in time, at most two attempts."""

import asyncio
import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

import httpx2

from claude_core.errors import AwsUnreachable
from claude_core.settings import Runtime
from claude_core.sigv4 import Credentials, sign

CALL_TIMEOUT_S = 2.5
"""All attempts of one call together."""
TIMEOUT = httpx2.Timeout(2.0, connect=1.0)
ATTEMPTS = 2
RENEW_BEFORE = dt.timedelta(minutes=5)
FAILED = "ConditionalCheckFailedException"
RETRIED = {
    *("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"),
    "TransactionConflictException",  # the command line changes a client's row by a transaction
}


class AwsRefused(Exception):
    """AWS answered with an error that a second attempt would not change."""

    def __init__(self, code: str, message: str, body: dict[str, Any]) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.body = code, body


class Aws:
    """Calls AWS's JSON services as the role that this code runs under."""

    def __init__(self, http: httpx2.AsyncClient, runtime: Runtime) -> None:
        self._http, self._runtime = http, runtime
        self._credentials: Credentials | None = None

    async def call(self, service: str, target: str, payload: dict[str, Any]) -> dict[str, Any]:
        """One action, for example `call("dynamodb", "DynamoDB_20120810.UpdateItem", {...})`.

        Raises:
            AwsRefused: the service's own word; AwsUnreachable: no answer within 2.5 s.
        """
        version = "1.0" if service == "dynamodb" else "1.1"
        headers = {"content-type": f"application/x-amz-json-{version}", "x-amz-target": target}
        answer = await self._send(service, headers, json.dumps(payload).encode())
        try:
            return dict(answer.json())
        except ValueError as err:
            raise AwsUnreachable(f"{service} answered what is no JSON") from err

    async def publish(self, topic: str, *, subject: str, message: str) -> None:
        """Tell an SNS topic; its protocol is older than JSON.

        Raises:
            AwsRefused, AwsUnreachable: it was not told, as far as is known.
        """
        asked = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic}
        body = urlencode(asked | {"Subject": subject, "Message": message}).encode()
        await self._send("sns", {"content-type": "application/x-www-form-urlencoded"}, body)

    async def _send(self, service: str, headers: dict[str, str], body: bytes) -> httpx2.Response:
        url = (
            self._runtime.endpoint_url or f"https://{service}.{self._runtime.region}.amazonaws.com"
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await self._attempts(service, url.rstrip("/") + "/", headers, body)
        except (AwsRefused, AwsUnreachable):
            raise
        except Exception as err:  # of any class: what lies below httpx2 has its own
            raise AwsUnreachable(f"{service} did not answer in time") from err

    async def _attempts(
        self, service: str, url: str, headers: dict[str, str], body: bytes
    ) -> httpx2.Response:
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            credentials = await self._current_credentials()
            signed = sign(url, headers, body, credentials, self._runtime.region, service)
            try:
                answer = await self._http.send(_request(url, signed, body))
            except Exception:
                if last:
                    raise
                continue
            if answer.status_code == 200:
                return answer
            code, message, parsed = _error(answer)
            if answer.status_code < 500 and code not in RETRIED:
                raise AwsRefused(code, message, parsed)
            if last:
                break
            await asyncio.sleep(0.05)
        raise AwsUnreachable(f"{service} is throttled or down ({code})")

    async def _current_credentials(self) -> Credentials:
        if self._credentials is None or _stale(self._credentials):
            self._credentials = await self._fetch_credentials()
        return self._credentials

    async def _fetch_credentials(self) -> Credentials:
        runtime = self._runtime
        if not runtime.credentials_url:
            return Credentials(
                runtime.access_key_id or "", runtime.secret_access_key or "", runtime.session_token
            )
        headers = {"authorization": runtime.credentials_token} if runtime.credentials_token else {}
        answer = await self._http.get(runtime.credentials_url, headers=headers, timeout=TIMEOUT)
        answer.raise_for_status()
        found = answer.json()
        expires = dt.datetime.fromisoformat(found["Expiration"])
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["Token"], expires)


def _request(url: str, headers: dict[str, str], body: bytes) -> httpx2.Request:
    """Just what is signed: what the client would add costs a tenth of the call to put together."""
    timeouts = {"timeout": TIMEOUT.as_dict()}
    return httpx2.Request("POST", url, headers=headers, content=body, extensions=timeouts)


def _stale(credentials: Credentials) -> bool:
    expires = credentials.expires
    return expires is not None and dt.datetime.now(dt.UTC) > expires - RENEW_BEFORE


def _error(answer: httpx2.Response) -> tuple[str, str, dict[str, Any]]:
    try:
        body = answer.json()
    except ValueError:
        return f"HTTP {answer.status_code}", answer.text[:200], {}
    code = str(body.get("__type", "")).rsplit("#", 1)[-1]
    return code, str(body.get("message") or body.get("Message") or ""), body
