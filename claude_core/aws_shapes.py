"""How AWS wants to be asked, and how it says no: what differs from service to service."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from claude_core.settings import Runtime

JSON_1_0 = ("dynamodb", "sqs")
"""Services whose requests are application/x-amz-json-1.0; those of the others are 1.1."""


META = "x-amz-meta-"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever it is."""

    status: int
    headers: Mapping[str, str]
    """Found by their names in any case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """An object, or a part of one, as S3 answers with it."""

    body: bytes
    size: int
    """Of the whole object."""
    content_type: str
    metadata: dict[str, str]
    """What whoever put it there has said about it; names in lower case."""

    @classmethod
    def of(cls, answer: Answer) -> "Found":
        headers = {name.lower(): value for name, value in answer.headers.items()}
        whole = headers.get("content-range", "").rpartition("/")[2]
        said = [name for name in headers if name.startswith(META)]
        return cls(
            body=answer.body,
            size=int(whole) if whole.isdecimal() else len(answer.body),
            content_type=headers.get("content-type", ""),
            metadata={name.removeprefix(META): headers[name] for name in said},
        )


def object_url(runtime: Runtime, bucket: str, key: str, version: str | None = None) -> str:
    """Where an object is: by path where AWS is an emulator, else by the bucket's own name."""
    path = quote(key, safe="/-_.~")
    if version:
        path += f"?versionId={quote(version, safe='-_.~')}"
    if runtime.endpoint_url:
        return f"{runtime.endpoint_url.rstrip('/')}/{bucket}/{path}"
    return f"https://{bucket}.s3.{runtime.region}.amazonaws.com/{path}"


def error_of(answer: Answer) -> tuple[str, str, dict[str, Any]]:
    """An error answer's code, its words, and all of it."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        # S3 speaks XML.
        text = answer.body.decode(errors="replace")
        found = re.search(r"<Code>(\w+)</Code>", text)
        return found[1] if found else f"HTTP {answer.status}", text[:200], {}
    code = str(body.get("__type", "")).rsplit("#", 1)[-1]
    return code, str(body.get("message") or body.get("Message") or ""), body
