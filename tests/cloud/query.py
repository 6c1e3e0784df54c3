"""Query: a partition of a table or an index, in order, page by page."""

import sys
from collections.abc import Callable
from typing import Any

from tests.cloud.conditions import condition
from tests.cloud.key_conditions import key_condition, range_of
from tests.cloud.places import pick
from tests.cloud.refusing import Mistake, Parameters, Payload, refused, typed
from tests.cloud.source import Source
from tests.cloud.table import Table
from tests.cloud.tokens import Path, Scope, Tokens, check_used
from tests.cloud.updates import check_overlaps
from tests.cloud.values import Item, clean, item_size

QUERY = Parameters(
    "TableName KeyConditionExpression",
    "IndexName ConsistentRead ExclusiveStartKey ExpressionAttributeNames Limit Select "
    "ExpressionAttributeValues FilterExpression ProjectionExpression ScanIndexForward",
)
PAGE_BYTES = 1_048_576
Seen = Callable[[Item], Item]


def projection(asked: Payload, *used: frozenset[str]) -> Seen:
    """What an answer shows of an item; `used` are the placeholders of other expressions."""
    text = asked.get("ProjectionExpression")
    if text is None:
        check_used(asked, *used)
        return dict
    tokens = Tokens(text)
    finds = [tokens.path()]
    while tokens.took(","):
        finds.append(tokens.path())
    tokens.end()
    check_used(asked, tokens.used, *used)
    scope = Scope({}, asked.get("ExpressionAttributeNames", {}), {})
    paths: list[Path] = [find(scope) for find in finds]
    check_overlaps(paths)
    return lambda item: pick(item, paths)


def query(table: Table, asked: Payload, now: float) -> dict[str, Any]:
    """One page; with a `LastEvaluatedKey`, if there may be more."""
    QUERY.check(asked)
    source = Source.of(table, asked, now)
    wanted = key_condition(asked["KeyConditionExpression"])
    text = asked.get("FilterExpression")
    kept = None if text is None else condition(text)
    seen = projection(asked, wanted.used, kept.used if kept else frozenset())
    names = asked.get("ExpressionAttributeNames", {})
    given = asked.get("ExpressionAttributeValues", {})
    scope = Scope({}, names, {name: clean(one)[0] for name, one in given.items()})
    if kept:
        kept.check(scope)
    if kept and {names.get(root, root) for root in kept.roots} & {*source.keys.names}:
        raise Mistake("ValidationException: Filter Expression can only contain non-key attributes")
    limit: int = typed(asked, "Limit", int, sys.maxsize)
    if limit < 1:
        raise refused("ValidationException", "Limit must be greater than or equal to 1")
    items: list[Item] = []
    scanned, room, last = 0, PAGE_BYTES, None
    for key in source.run(range_of(wanted, source.keys, scope), asked):
        item = source.item(key)
        room -= item_size(item)
        if scanned and room < 0:
            return _page(asked, items, scanned, last)
        scanned, last = scanned + 1, source.last_key(key)
        scope.item = item
        if kept is None or kept.holds(scope):
            items.append(seen(item))
        if scanned == limit:  # there may be more, or not: nobody has looked
            return _page(asked, items, scanned, last)
    return _page(asked, items, scanned, None)


def _page(asked: Payload, items: list[Item], scanned: int, last: Item | None) -> dict[str, Any]:
    page: dict[str, Any] = {"Count": len(items), "ScannedCount": scanned}
    if asked.get("Select") != "COUNT":
        page["Items"] = items
    return page if last is None else page | {"LastEvaluatedKey": last}
