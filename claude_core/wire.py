"""JSON bodies, in and out: what no UTF-8 and no JSON can carry is refused here."""

import json
from typing import Any

from claude_core.errors import InvalidRequest, TooLarge

Json = dict[str, Any]
MAX_BODY_BYTES = 4_500_000
"""API Gateway takes 10 MB and Lambda 6, base64 and escapes included; this leaves room for both."""


def to_bytes(body: Json) -> bytes:
    """JSON as it goes over the wire.

    Raises:
        InvalidRequest: a lone surrogate, which no UTF-8 can carry; 1e999, which no JSON can.
    """
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as err:
        raise InvalidRequest("the text holds a lone surrogate, which is not valid Unicode") from err
    except ValueError as err:
        raise InvalidRequest("the body holds a number that is too large for JSON") from err
    except RecursionError as err:
        raise InvalidRequest("the body is nested too deeply") from err


def from_bytes(body: bytes) -> Json:
    """A JSON object out of a request body.

    Raises:
        TooLarge: above MAX_BODY_BYTES.
        InvalidRequest: not UTF-8, not JSON, not an object, or text that is not Unicode.
    """

    def refuse(constant: str) -> float:
        raise InvalidRequest(f"the body is not valid JSON: {constant} is not a number in JSON")

    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"the body has {len(body)} bytes; the limit is {MAX_BODY_BYTES}")
    try:
        parsed = json.loads(body.decode(), parse_constant=refuse)
    except UnicodeDecodeError as err:
        raise InvalidRequest("the body is not valid UTF-8") from err
    except RecursionError as err:
        raise InvalidRequest("the body is nested too deeply") from err
    except ValueError as err:
        raise InvalidRequest(f"the body is not valid JSON: {err}") from err
    if not isinstance(parsed, dict):
        raise InvalidRequest("the body must be a JSON object")
    to_bytes(parsed)
    return parsed
