"""Lists a page at a time, as every list of the API is read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from local.fake_claude.errors import invalid

PAGE = 20
LARGEST_PAGE = 1_000


class Listed(Protocol):
    """Something with an id, by which a page begins or ends."""

    @property
    def id(self) -> str: ...


One = TypeVar("One", bound=Listed)


def page(
    listed: Sequence[One], query: Mapping[str, str], to_json: Callable[[One], dict[str, Any]]
) -> dict[str, Any]:
    """The page that the query asks for by `limit`, `after_id` and `before_id`."""
    limit = _limit(query.get("limit", str(PAGE)))
    after_id, before_id = query.get("after_id"), query.get("before_id")
    ids = [one.id for one in listed]
    start, end = 0, len(listed)
    if after_id in ids:
        start = ids.index(after_id) + 1
    if before_id in ids:
        end = ids.index(before_id)
        start = max(start, end - limit)
    shown = listed[start : min(end, start + limit)]
    more = bool(shown) and (shown[0] is not listed[0] if before_id else shown[-1] is not listed[-1])
    return {
        "data": [to_json(one) for one in shown],
        "has_more": more,
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
    }


def _limit(written: str) -> int:
    if not written.isdecimal() or not 1 <= int(written) <= LARGEST_PAGE:
        raise invalid(f"limit: Input should be a number from 1 to {LARGEST_PAGE}")
    return int(written)
