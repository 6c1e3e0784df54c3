"""What is refused about a batch when it is created; its requests are looked at much later."""

import re
from collections.abc import Mapping
from typing import Any

from local.fake_claude.batch import Item
from local.fake_claude.errors import ApiError, invalid

MOST_REQUESTS = 100_000
LONGEST_ID = 64
CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def items(body: Mapping[str, Any]) -> list[Item]:
    """The requests of a batch."""
    if "requests" not in body:
        raise invalid("requests: Field required")
    for name in body.keys() - {"requests"}:
        raise invalid(f"{name}: Extra inputs are not permitted")
    given = body["requests"]
    if not isinstance(given, list):
        raise invalid("requests: Input should be a valid list")
    for wrong, words in (
        (not given, "at least 1 item"),
        (len(given) > MOST_REQUESTS, f"at most {MOST_REQUESTS} items"),
    ):
        if wrong:
            raise invalid(f"requests: List should have {words} after validation, not {len(given)}")
    found: dict[str, Item] = {}
    for index, each in enumerate(given):
        item = _item(f"requests.{index}", each)
        if item.custom_id in found:
            raise invalid(
                "requests: custom_id's must be unique within a batch. "
                f"Duplicate custom_id found: {item.custom_id}"
            )
        found[item.custom_id] = item
    return list(found.values())


def _item(where: str, given: Any) -> Item:
    if not isinstance(given, dict):
        raise invalid(f"{where}: Input should be a valid dictionary")
    for name in ("custom_id", "params"):
        if name not in given:
            raise invalid(f"{where}.{name}: Field required")
    if len(given) > 2:
        extra = next(name for name in given if name not in ("custom_id", "params"))
        raise invalid(f"{where}.{extra}: Extra inputs are not permitted")
    custom_id, params = given["custom_id"], given["params"]
    if not isinstance(custom_id, str) or CUSTOM_ID.fullmatch(custom_id) is None:
        raise _wrong_id(f"{where}.custom_id", custom_id)
    if not isinstance(params, dict):
        raise invalid(f"{where}.params: Input should be a valid dictionary")
    return Item(custom_id, params)


def _wrong_id(where: str, given: object) -> ApiError:
    if not isinstance(given, str):
        return invalid(f"{where}: Input should be a valid string")
    if len(given) > LONGEST_ID:
        return invalid(f"{where}: String should have at most {LONGEST_ID} characters")
    return invalid(f"{where}: String should match pattern '^{CUSTOM_ID.pattern}$'")
