"""Our signatures are botocore's, byte for byte."""

import datetime as dt

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from claude_core.sigv4 import Credentials, sign

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
