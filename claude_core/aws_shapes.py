"""How AWS wants to be asked, and how it says no: what differs from service to service."""

import re
from typing import Any
from urllib.parse import quote

import httpx2

from claude_core.settings import Runtime

JSON_1_0 = ("dynamodb", "sqs")
"""Services whose requests are application/x-amz-json-1.0; those of the others are 1.1."""


def object_url(runtime: Runtime, bucket: str, key: str) -> str:
    """Where an object is: by path where AWS is an emulator, else by the bucket's own name."""
    path = quote(key, safe="/-_.~")
    if runtime.endpoint_url:
        return f"{runtime.endpoint_url.rstrip('/')}/{bucket}/{path}"
    return f"https://{bucket}.s3.{runtime.region}.amazonaws.com/{path}"


def error_of(answer: httpx2.Response) -> tuple[str, str, dict[str, Any]]:
    """An error answer's code, its words, and all of it."""
    try:
        body = answer.json()
    except ValueError:
        # S3 speaks XML.
        found = re.search(r"<Code>(\w+)</Code>", answer.text)
        return found[1] if found else f"HTTP {answer.status_code}", answer.text[:200], {}
    code = str(body.get("__type", "")).rsplit("#", 1)[-1]
    return code, str(body.get("message") or body.get("Message") or ""), body
