"""AWS Signature Version 4 for a POST, and the credentials it needs.

botocore would cost a cold start 0.09 s of CPU and cannot be awaited; see
docs/decisions/0002-own-sigv4.md. The tests hold these signatures against botocore's.
"""

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    expires: dt.datetime | None = None


def sign(
    url: str,
    headers: dict[str, str],
    body: bytes,
    credentials: Credentials,
    region: str,
    service: str,
    *,
    method: str = "POST",
    now: dt.datetime | None = None,
) -> dict[str, str]:
    """The headers of a request with AWS Signature Version 4 added; the path is escaped already.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    stamp = (now or dt.datetime.now(dt.UTC)).strftime("%Y%m%dT%H%M%SZ")
    parts, digest = urlsplit(url), hashlib.sha256(body).hexdigest()
    signed = {**headers, "host": parts.netloc, "x-amz-date": stamp}
    if service == "s3":
        signed["x-amz-content-sha256"] = digest
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    names, lines = _canonical(signed)
    canonical = f"{method}\n{parts.path or '/'}\n{parts.query}\n{lines}\n{names}\n{digest}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    signature = _signature(canonical, stamp, scope, credentials)
    signed["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key_id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return signed


def presign(
    url: str,
    headers: dict[str, str],
    credentials: Credentials,
    region: str,
    *,
    expires_s: int,
    now: dt.datetime | None = None,
) -> str:
    """A URL of S3 that allows one PUT with just these headers, whatever the body.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    stamp = (now or dt.datetime.now(dt.UTC)).strftime("%Y%m%dT%H%M%SZ")
    parts, scope = urlsplit(url), f"{stamp[:8]}/{region}/s3/aws4_request"
    names, lines = _canonical({**headers, "host": parts.netloc})
    asked = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(expires_s),
        "X-Amz-SignedHeaders": names,
    }
    if credentials.session_token:
        asked["X-Amz-Security-Token"] = credentials.session_token
    query = urlencode(sorted(asked.items()), quote_via=quote, safe="-_.~")
    canonical = f"PUT\n{parts.path}\n{query}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
    signature = _signature(canonical, stamp, scope, credentials)
    return f"{url}?{query}&X-Amz-Signature={signature}"


def _canonical(headers: dict[str, str]) -> tuple[str, str]:
    """The names of the headers that are signed, and their lines."""
    names = sorted(headers)
    return ";".join(names), "".join(f"{name}:{headers[name].strip()}\n" for name in names)


def _signature(canonical: str, stamp: str, scope: str, credentials: Credentials) -> str:
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = b"AWS4" + credentials.secret_access_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"{ALGORITHM}\n{stamp}\n{scope}\n{hashed}"
    return hmac.digest(key, text.encode(), "sha256").hex()
