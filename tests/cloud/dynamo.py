"""DynamoDB in memory, as strict as the real one.

What the real one would refuse, it refuses: keys, sizes and values that it does not take, names and
values that are not defined or not used, two parts of an update that touch one path, arithmetic on
what is not there. Every write is counted in write units, as it would be billed.
"""

from collections.abc import Callable
from typing import Any

from claude_core.aws import FAILED
from tests.cloud.conditions import Condition, condition
from tests.cloud.index import Projection
from tests.cloud.keys import Key, Keys
from tests.cloud.places import pick
from tests.cloud.query import projection, query
from tests.cloud.refusing import Mistake, Parameters, Payload, refused, typed
from tests.cloud.table import Table
from tests.cloud.tokens import Scope, check_used
from tests.cloud.updates import update
from tests.cloud.values import Item, clean, clean_item

_CONDITIONAL = (
    "ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValues "
    "ReturnValuesOnConditionCheckFailure"
)
UPDATE = Parameters("TableName Key", f"UpdateExpression {_CONDITIONAL}")
PUT = Parameters("TableName Item", _CONDITIONAL)
DELETE = Parameters("TableName Key", _CONDITIONAL)
_PROJECTED = "ConsistentRead ProjectionExpression ExpressionAttributeNames"
GET = Parameters("TableName Key", _PROJECTED)
BATCH = Parameters("RequestItems")
OF_A_TABLE = Parameters("Keys", _PROJECTED)
NOTHING: frozenset[str] = frozenset()
MOST_GOT, LARGEST_ANSWER = 100, 16 * 1_048_576


class Dynamo:
    """The tables of an account.

    `lag` draws by how many seconds indexes are behind, and reads of a key that ask for no
    consistency.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.tables: dict[str, Table] = {}
        self.calls = 0
        self.lag: Callable[[], float] | None = None
        self._clock = clock
        self._actions: dict[str, Callable[[Payload], dict[str, Any]]] = {
            "UpdateItem": self._update,
            "PutItem": self._put,
            "DeleteItem": self._delete,
            "GetItem": self._get,
            "BatchGetItem": self._get_batch,
            "Query": self._query,
        }

    def add(self, name: str, keys: Keys, **indexes: tuple[Keys, Projection]) -> Table:
        """Make a table, with its global secondary indexes by name."""
        table = Table(keys, self._clock, lambda: self.lag, **indexes)
        self.tables[name] = table
        return table

    @property
    def units(self) -> int:
        """Write units of all tables."""
        return sum(table.units for table in self.tables.values())

    async def call(self, action: str, asked: Payload) -> dict[str, Any]:
        return self.do(action, asked)

    def do(self, action: str, asked: Payload) -> dict[str, Any]:
        """One action; nothing in it waits."""
        do = self._actions.get(action)
        if do is None:
            raise Mistake(f"this DynamoDB has no {action}")
        self.calls += 1
        return do(asked)

    def _update(self, asked: Payload) -> dict[str, Any]:
        UPDATE.check(asked)
        table = self._table(asked)
        named, key = table.keys.parsed(asked["Key"])
        text = asked.get("UpdateExpression")
        change = None if text is None else update(text)
        scope, condition = _expressions(table, key, asked, change.used if change else NOTHING)
        paths = change.paths(scope) if change else []
        if any(path[0] in named for path in paths):
            raise Mistake("ValidationException: a key cannot be updated: it is part of the key")
        _check(table, key, asked, scope, condition)
        before = table.items.get(key)
        if before is None and change and not change.adds:
            # https://github.com/scylladb/scylladb/issues/5862
            table.bill(key)
            return {}
        after = dict(named if before is None else before)
        size = table.size(key) or clean_item(named)[1]
        more = change.apply(scope, after, paths) if change else 0
        table.checked(after)
        table.store(key, after, size + more)
        wanted = asked.get("ReturnValues", "NONE")
        if wanted in ("UPDATED_NEW", "UPDATED_OLD"):
            item = (after if wanted == "UPDATED_NEW" else before) or {}
            return {"Attributes": picked} if (picked := pick(item, paths)) else {}
        return _returned(wanted, ALL_OLD=before, ALL_NEW=after)

    def _put(self, asked: Payload) -> dict[str, Any]:
        PUT.check(asked)
        table = self._table(asked)
        item, size = clean_item(asked["Item"])
        key = table.checked(item)
        _check(table, key, asked, *_expressions(table, key, asked))
        before = table.items.get(key)
        table.store(key, item, size)
        return _returned(asked.get("ReturnValues", "NONE"), ALL_OLD=before)

    def _delete(self, asked: Payload) -> dict[str, Any]:
        DELETE.check(asked)
        table = self._table(asked)
        _, key = table.keys.parsed(asked["Key"])
        _check(table, key, asked, *_expressions(table, key, asked))
        before = table.items.get(key)
        table.store(key, None)
        return _returned(asked.get("ReturnValues", "NONE"), ALL_OLD=before)

    def _get(self, asked: Payload) -> dict[str, Any]:
        GET.check(asked)
        table = self._table(asked)
        seen = projection(asked)
        _, key = table.keys.parsed(asked["Key"])
        item = table.get(key, consistent=typed(asked, "ConsistentRead", bool, False))
        return {} if item is None else {"Item": seen(item)}

    def _get_batch(self, asked: Payload) -> dict[str, Any]:
        """Up to 100 keys and 16 MiB; what is beyond that is left to be asked for again."""
        BATCH.check(asked)
        wanted: dict[str, Payload] = asked["RequestItems"]
        if not 1 <= sum(len(one["Keys"]) for one in wanted.values()) <= MOST_GOT:
            raise Mistake(f"ValidationException: 1 to {MOST_GOT} keys")
        found: dict[str, list[Item]] = {}
        left: dict[str, Payload] = {}
        room = LARGEST_ANSWER
        for name, one in wanted.items():
            OF_A_TABLE.check(one)
            table, seen = self._table({"TableName": name}), projection(one)
            keys = [table.keys.parsed(key)[1] for key in one["Keys"]]
            if len({*keys}) < len(keys):
                raise Mistake("ValidationException: Provided list of item keys has duplicates")
            consistent = typed(one, "ConsistentRead", bool, False)
            found[name] = []
            for given, key in zip(one["Keys"], keys, strict=True):
                item = table.get(key, consistent=consistent)
                room -= table.size(key)
                if room < 0:
                    left.setdefault(name, {**one, "Keys": []})["Keys"].append(given)
                elif item is not None:
                    found[name].append(seen(item))
        return {"Responses": found, "UnprocessedKeys": left}

    def _query(self, asked: Payload) -> dict[str, Any]:
        return query(self._table(asked), asked, self._clock())

    def _table(self, asked: Payload) -> Table:
        table = self.tables.get(asked["TableName"])
        if table is None:
            raise refused("ResourceNotFoundException", "Requested resource not found")
        return table


def _expressions(
    table: Table, key: Key, asked: Payload, used: frozenset[str] = NOTHING
) -> tuple[Scope, Condition | None]:
    """What the expressions of a write read, and its condition; `used` are the placeholders of its
    update."""
    text, before = asked.get("ConditionExpression"), table.items.get(key)
    given = asked.get("ExpressionAttributeValues", {})
    values = {name: clean(value)[0] for name, value in given.items()}
    names = asked.get("ExpressionAttributeNames", {})
    scope = Scope({} if before is None else before, names, values)
    wanted = None if text is None else condition(text)
    check_used(asked, used, wanted.used if wanted else NOTHING)
    if wanted:
        wanted.check(scope)
    return scope, wanted


def _check(table: Table, key: Key, asked: Payload, scope: Scope, wanted: Condition | None) -> None:
    """Raises: AwsRefused, when the condition does not hold."""
    if wanted is None or wanted.holds(scope):
        return
    table.bill(key)
    old = asked.get("ReturnValuesOnConditionCheckFailure", "NONE") == "ALL_OLD"
    body = {"Item": dict(scope.item)} if old and scope.item else {}
    raise refused(FAILED, "The conditional request failed", **body)


def _returned(wanted: str, **known: Item | None) -> dict[str, Any]:
    if wanted == "NONE":
        return {}
    if wanted not in known:
        raise Mistake(f"ValidationException: ReturnValues {wanted} is not of this action")
    item = known[wanted]
    return {"Attributes": dict(item)} if item else {}
