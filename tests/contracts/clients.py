"""The clients table and the history of use: written by `kit` and by calls, read by both."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from functools import cached_property, partial
from typing import Any, TypeVar

from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.clients import ClientKey
from claude_core.connections import AwsHttp
from claude_core.errors import KitError
from claude_core.models import resolve
from claude_core.reservation import Reservation, Spent, new_id, taken_at
from claude_core.rolling import Want
from claude_core.row import Row, month_of
from claude_core.teller import Teller
from claude_core.usage import Usage
from kit.client import Client
from kit.deployment import Deployment
from kit.plan import Plan
from kit.rows import Clients
from kit.unsettled import unsettled
from kit.used import used
from local.fake_claude.inprocess import Fake
from tests.contracts.recording import Json, Recording, held_by, load
from tests.doubles import REGION, AwsDouble

T = TypeVar("T")
FAST = resolve("fast")
OCTOBER = dt.datetime(2026, 10, 31, 23, 50, tzinfo=dt.UTC)
YESTERDAY = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 24, 18, 6, 30, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)
"""When another version reads what was written."""
USD = 10**9
USAGE = Usage(input_tokens=900, output_tokens=200, cache_read_tokens=100)
PREFIX = "ck_"
"""Of a key; left out of what is recorded, which is no secret, and looks like none."""


class Here(Deployment):
    """The deployment that moto plays, for the code of `kit`."""

    def __init__(self, aws: AwsDouble) -> None:
        super().__init__(env="dev", region=None, profile=None, local=True)
        self._aws = aws

    @cached_property
    def here(self) -> dict[str, dict[str, str]]:
        return {
            "SharedStack": {
                "ClientsTableName": self._aws.table,
                "HistoryTableName": self._aws.history,
            },
            "Local": {
                "AwsEndpoint": self._aws.url,
                "Region": REGION,
                "AccessKeyId": "testing",
            },
        }


class Calls:
    """What calls do with the clients' money, at times that a test sets."""

    def __init__(self, aws: AwsDouble, http: AwsHttp, topic: str) -> None:
        self.now = NOW
        self.budget = Budget.build(
            Aws(http, aws.runtime),
            table=aws.table,
            history_table=aws.history,
            topic=topic,
            trouble=self._fail,
        )
        self.budget._now = lambda: self.now

    @staticmethod
    def _fail(what: str) -> None:
        raise AssertionError(what)

    async def call(
        self, key: str, cost: int | None, *, worst: int, unused: bool = False, **more: Any
    ) -> None:
        """Reserve, and settle unless there is no cost: then it stays open.

        Args:
            unused: it was a speculative answer that nobody got.
        """
        proof = ClientKey.parse(key)
        reserved = await self.budget.reserve(proof, FAST, worst, **more)
        if cost is not None:
            spent = Spent(FAST, cost, USAGE, cost if unused else 0)
            await self.budget.settle(reserved.held, spent, row=reserved.row)


def calling(aws: AwsDouble, topic: str, do: Callable[[Calls], Awaitable[T]]) -> T:
    async def inner() -> T:
        async with AwsHttp() as http:
            return await do(Calls(aws, http, topic))

    return asyncio.run(inner())


def write(aws: AwsDouble, _: Fake) -> Recording:
    """Three clients with everything that a row can hold, a cap, and a day that is over."""
    aws.clients_table()
    aws.history_table()
    topic, clients = aws.alarm_topic(), Clients(Here(aws))
    plan = Plan(20.0, 60, ["fast", "balanced"])
    old = clients.add("shop", plan, cache_prompts=True)
    new = clients.rotate("shop")
    clients.set_extra("shop", "web_search", True)
    poor = clients.add("poor", Plan(0.5, 2, ["fast"]))
    closed = clients.add("closed", Plan(1.0, 1, [FAST.id]))
    clients.set_disabled("closed", True)
    clients.ledger.change(lambda whole: [], cap={"N": str(500 * USD)})

    async def spend(calls: Calls) -> None:
        calls.now = OCTOBER
        await calls.call(old, 2 * USD, worst=3 * USD)
        await calls.call(old, None, worst=USD)  # a crash left it behind
        calls.now = YESTERDAY
        await calls.call(old, USD, worst=USD)  # and October's day becomes history
        calls.now = NOW
        await calls.call(old, 10 * USD, worst=11 * USD)  # warned of: more than half
        await calls.call(old, USD // 2, worst=USD, unused=True)
        await calls.call(new, None, worst=USD // 4)  # on its way
        await calls.call(new, None, worst=USD // 8, id=new_id(NOW, batch=True))
        teller = Teller(calls.budget, now=lambda: calls.now)
        await teller.reserve(ClientKey.parse(new).id, Want(FAST, USD // 16))
        await teller.close()
        await calls.call(poor, 3 * USD // 10, worst=USD // 2)

    calling(aws, topic, spend)
    serving = held_by(aws, "clients", "history")
    clients.ledger.stop(True)
    keys = {"shop, old": old, "shop": new, "poor": poor, "closed": closed}
    ids = {ClientKey.parse(key).id: "{client}" for key in keys.values()}
    return Recording(
        {"serving": serving, "stopped": held_by(aws, "clients")},
        {name: key.removeprefix(PREFIX) for name, key in keys.items()},
        names=ids,
    )


def read(recording: Recording, aws: AwsDouble) -> Json:
    """What today's code makes of the rows: shown, admitted, settled, listed, stopped."""
    found: Json = {}
    keys = {name: PREFIX + end for name, end in recording.known.items()}
    for name, moment in recording.moments.items():
        aws.reset()
        aws.clients_table()
        aws.history_table()
        load(aws, moment)
        topic, deployment = aws.alarm_topic(), Here(aws)
        whole = Clients(deployment).ledger.read()
        found[name] = {
            "stopped": whole.stopped,
            "admitted": calling(aws, topic, partial(_admitted, keys=keys)),
        }
        if not whole.stopped:
            found[name] |= {
                "cap": whole.cap,
                "versions": {row.name: row.version for row in whole.rows},
                "shown": {row.name: asdict(Client.of(row, NOW)) for row in whole.rows},
                "unsettled": {
                    one.id: {"of": one.name, "cost": one.cost, "left behind": one.left_behind}
                    for one in unsettled(whole.rows, NOW)
                },
                "used": [asdict(one) for one in used(deployment, since=OCTOBER.date())],
                "settled": calling(aws, topic, partial(_settled, rows=whole.rows)),
            }
    return found


async def _admitted(calls: Calls, keys: dict[str, str]) -> Json:
    """By key: what is left after a call that takes a tenth of a dollar, or why it is refused."""
    calls.now, found = LATER, dict[str, Any]()
    for name, key in keys.items():
        try:
            reserved = await calls.budget.reserve(ClientKey.parse(key), FAST, USD // 10)
        except KitError as err:
            found[name] = type(err).__name__
        else:
            await calls.budget.give_back(reserved.held.client, reserved.held.id)
            found[name] = reserved.row.left(reserved.held.month)
    return found


async def _settled(calls: Calls, rows: Iterable[Row]) -> Json:
    """By client: what is left and spent of each month when all that was open is settled, each at
    a cent."""
    calls.now, found = LATER, dict[str, Any]()
    for row in rows:
        for id in sorted(row.open):
            month = month_of(taken_at(id))
            held = Reservation(id, row.id, month, row.open[id])
            await calls.budget.settle(held, Spent(FAST, USD // 100), row=row)
        after = await calls.budget.look(row.id)
        assert after is not None
        months = sorted(name[-7:] for name in after.item if name.startswith("left_"))
        found[row.name] = {
            month: {"left": after.left(month), "spent": after.spent(month)} for month in months
        } | {"open": len(after.open)}
    return found
