"""The bytes of a request as JSON, or the refusal that the Messages API gives."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from local.fake_claude.errors import ApiError, invalid

LARGEST_BYTES = 32 * 1024 * 1024
LARGEST_BATCH_BYTES = 256 * 1024 * 1024
BATCHES = "/v1/messages/batches"


def largest(path: str) -> int:
    """How many bytes a request to this path may have."""
    return LARGEST_BATCH_BYTES if path == BATCHES else LARGEST_BYTES


def parse(raw: bytes, size: int, most: int) -> Mapping[str, Any]:
    """The request body.

    Args:
        raw: the body, or nothing of it where it was larger than the API takes.
        size: how many bytes came.
        most: how many the API takes.
    """
    if size > most:
        raise ApiError(413, "Request exceeds the maximum size")
    try:
        body = json.loads(raw.decode(), parse_constant=_no_constant)
        if rb"\u" in raw:  # only an escape can carry half a character into the text
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as err:
        raise invalid(f"The request body is not valid JSON: {err}") from err
    if not isinstance(body, dict):
        raise invalid("The request body is not valid JSON: an object is needed")
    return body


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
