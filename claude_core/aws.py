"""The few AWS requests that the kit makes itself: signed, bounded in time, at most two attempts."""

import asyncio
import datetime as dt
import json
from typing import Any
from urllib.parse import urlencode

from claude_core.aws_shapes import JSON_1_0, Answer, Found, error_of, object_url
from claude_core.connections import AwsHttp
from claude_core.errors import AwsUnreachable
from claude_core.settings import Runtime
from claude_core.sigv4 import Credentials, presign, sign

CALL_TIMEOUT_S = 2.5
"""All attempts of one call together."""
READ_S = 2.0
OBJECT_S = 20.0
"""More for an object, which may have megabytes."""
ATTEMPTS = 2
RENEW_BEFORE = dt.timedelta(minutes=5)
FAILED = "ConditionalCheckFailedException"
RETRIED = {
    *("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"),
    *("RequestThrottled", "OverLimit", "AWS.SimpleQueueService.OverLimit"),
    "TransactionConflictException",  # the command line changes a client's row by a transaction
}


class AwsRefused(Exception):
    """AWS answered with an error that a second attempt would not change."""

    def __init__(self, code: str, message: str, body: dict[str, Any]) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.body = code, body


class Aws:
    """Calls AWS's JSON services as the role that this code runs under."""

    def __init__(self, http: AwsHttp, runtime: Runtime) -> None:
        self._http, self._runtime = http, runtime
        self._credentials: Credentials | None = None

    async def close(self) -> None:
        """Close its connections."""
        await self._http.close()

    async def call(
        self, service: str, target: str, payload: dict[str, Any], *, wait_s: float = 0.0
    ) -> dict[str, Any]:
        """One action, for example `call("dynamodb", "DynamoDB_20120810.UpdateItem", {...})`.

        Args:
            wait_s: that the service may take before it begins to answer, as a long poll does.

        Raises:
            AwsRefused: the service's own word; AwsUnreachable: no answer within 2.5 s.
        """
        version = "1.0" if service in JSON_1_0 else "1.1"
        headers = {"content-type": f"application/x-amz-json-{version}", "x-amz-target": target}
        body = json.dumps(payload).encode()
        answer = await self._send(service, headers, body, wait_s=wait_s)
        try:
            return dict(json.loads(answer.body) if answer.body else {})
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

    async def get_object(self, bucket: str, key: str) -> bytes:
        """What S3 holds under a key; raises as `read_object` does."""
        return (await self.read_object(bucket, key)).body

    async def read_object(
        self, bucket: str, key: str, *, version: str | None = None, part: range | None = None
    ) -> Found:
        """An object with what S3 says of it.

        Args:
            part: of its bytes; beyond its end S3 refuses (InvalidRange).

        Raises:
            AwsRefused: not there (NoSuchKey), or not ours to read; AwsUnreachable.
        """
        url = object_url(self._runtime, bucket, key, version)
        headers = {"range": f"bytes={part[0]}-{part[-1]}"} if part else {}
        return Found.of(
            await self._send("s3", headers, b"", url=url, method="GET", wait_s=OBJECT_S)
        )

    async def put_object(
        self, bucket: str, key: str, body: bytes, *, content_type: str = "application/json"
    ) -> None:
        """Keep bytes in S3; raises as `get_object` does."""
        url, headers = object_url(self._runtime, bucket, key), {"content-type": content_type}
        await self._send("s3", headers, body, url=url, method="PUT", wait_s=OBJECT_S)

    async def presigned(
        self, bucket: str, key: str, headers: dict[str, str], *, expires_s: int
    ) -> str:
        """A URL that lets whoever holds it PUT one object, with just these headers."""
        url = object_url(self._runtime, bucket, key)
        credentials = await self._current_credentials()
        return presign(url, headers, credentials, self._runtime.region, expires_s=expires_s)

    async def _send(
        self,
        service: str,
        headers: dict[str, str],
        body: bytes,
        *,
        url: str | None = None,
        method: str = "POST",
        wait_s: float = 0.0,
    ) -> Answer:
        if url is None:
            own = f"https://{service}.{self._runtime.region}.amazonaws.com"
            url = (self._runtime.endpoint_url or own).rstrip("/") + "/"
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S + wait_s):
                return await self._attempts(service, method, url, headers, body, wait_s)
        except (AwsRefused, AwsUnreachable):
            raise
        except Exception as err:  # of any class: aiohttp has its own, and sockets theirs
            raise AwsUnreachable(f"{service} did not answer in time") from err

    async def _attempts(
        self,
        service: str,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes,
        wait_s: float,
    ) -> Answer:
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            credentials = await self._current_credentials()
            region = self._runtime.region
            signed = sign(url, headers, body, credentials, region, service, method=method)
            try:
                answer = await self._http.send(method, url, signed, body, read_s=READ_S + wait_s)
            except Exception:
                if last:
                    raise
                continue
            if answer.status in (200, 206):
                return answer
            code, message, parsed = error_of(answer)
            if answer.status < 500 and code not in RETRIED:
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
        answer = await self._http.send("GET", runtime.credentials_url, headers, b"", read_s=READ_S)
        if answer.status != 200:
            raise AwsUnreachable(f"the role's credentials are refused: HTTP {answer.status}")
        found = json.loads(answer.body)
        expires = dt.datetime.fromisoformat(found["Expiration"])
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["Token"], expires)


def _stale(credentials: Credentials) -> bool:
    expires = credentials.expires
    return expires is not None and dt.datetime.now(dt.UTC) > expires - RENEW_BEFORE
