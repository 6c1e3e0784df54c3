"""Our signatures are botocore's, byte for byte."""

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from claude_core.aws_shapes import object_url
from claude_core.settings import Runtime
from claude_core.sigv4 import Credentials, presign, sign

NOW = dt.datetime(2026, 11, 23, 12, 30, 1, tzinfo=dt.UTC)
HEADERS = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB.UpdateItem"}


def by_botocore(
    monkeypatch: pytest.MonkeyPatch, url: str, body: bytes, token: str | None, service: str
) -> str:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: NOW)
    request = AWSRequest("POST", url, headers=HEADERS, data=body)
    SigV4Auth(BotoCredentials("AKID", "secret", token), service, "eu-west-1").add_auth(request)
    return str(request.headers["Authorization"])


@pytest.mark.parametrize("token", [None, "a-session-token"])
@pytest.mark.parametrize("service", ["dynamodb", "secretsmanager"])
@pytest.mark.parametrize(
    "url", ["https://dynamodb.eu-west-1.amazonaws.com/", "http://127.0.0.1:4566/"]
)
@given(body=st.binary(max_size=200))
def test_signatures_are_the_reference_implementations(
    url: str, service: str, token: str | None, body: bytes
) -> None:
    credentials = Credentials("AKID", "secret", token)
    ours = sign(url, HEADERS, body, credentials, "eu-west-1", service, now=NOW)
    with pytest.MonkeyPatch.context() as patch:
        assert ours["authorization"] == by_botocore(patch, url, body, token, service)


KEYS = ["uploads/c/1", "inbox/c/a b+c,d'e(f)%g&h=i;j:k@l!m*n$.txt", "inbox/c//\u00fc/\u65e5~-_.pdf"]
PLACES = [Runtime(region="eu-west-1"), Runtime(region="eu-west-1", endpoint_url="http://a:4566")]


def s3_request(
    monkeypatch: pytest.MonkeyPatch, method: str, url: str, headers: dict[str, str], body: bytes
) -> AWSRequest:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: NOW)
    request = AWSRequest(method, url, headers=headers, data=body)
    request.context["client_config"] = None
    # botocore would leave the payload unsigned over TLS; signed is what we ask of both.
    request.context["payload_signing_enabled"] = True
    return request


@pytest.mark.parametrize("runtime", PLACES, ids=["by name", "by path"])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("method", "headers", "version"),
    [
        ("PUT", {"content-type": "application/json"}, None),
        ("GET", {}, None),
        ("GET", {"range": "bytes=0-99"}, "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY_MTRCxf3v"),
    ],
)
@given(body=st.binary(max_size=50))
def test_an_object_is_asked_for_as_the_reference_implementation_would(
    method: str,
    headers: dict[str, str],
    version: str | None,
    key: str,
    runtime: Runtime,
    body: bytes,
) -> None:
    url, credentials = (
        object_url(runtime, "files", key, version),
        Credentials("AKID", "secret", "t"),
    )
    ours = sign(url, headers, body, credentials, "eu-west-1", "s3", method=method, now=NOW)
    with pytest.MonkeyPatch.context() as patch:
        request = s3_request(patch, method, url, headers, body)
        theirs = BotoCredentials("AKID", "secret", "t")
        S3SigV4Auth(theirs, "s3", "eu-west-1").add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-content-sha256"] == request.headers["X-Amz-Content-SHA256"]


@pytest.mark.parametrize("runtime", PLACES, ids=["by name", "by path"])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("token", [None, "a/session+token=="])
@given(size=st.integers(1, 20_000_000), expires_s=st.integers(1, 604_800))
def test_a_presigned_url_is_the_reference_implementations(
    token: str | None, key: str, runtime: Runtime, size: int, expires_s: int
) -> None:
    url, headers = object_url(runtime, "files", key), {"content-type": "text/html"}
    headers["content-length"] = str(size)
    credentials = Credentials("AKID", "secret", token)
    ours = presign(url, headers, credentials, "eu-west-1", expires_s=expires_s, now=NOW)
    with pytest.MonkeyPatch.context() as patch:
        request = s3_request(patch, "PUT", url, headers, b"")
        theirs = BotoCredentials("AKID", "secret", token)
        S3SigV4QueryAuth(theirs, "s3", "eu-west-1", expires=expires_s).add_auth(request)
    mine, reference = urlsplit(ours), urlsplit(request.url)
    assert (mine.netloc, mine.path) == (reference.netloc, reference.path)
    assert parse_qs(mine.query) == parse_qs(reference.query)
