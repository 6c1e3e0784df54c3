"""Calls of the kit's own classes, in any order, on rows that are there and rows that are not: they
send to DynamoDB what the kit sends."""

import asyncio
import datetime as dt
import random
from contextlib import suppress
from typing import Any

from claude_core.aws import AwsRefused
from claude_core.errors import KitError
from claude_core.extras import EXTRAS
from claude_core.jobs.asking import MODEL as ROLE
from claude_core.jobs.batched import Batched
from claude_core.jobs.checkpoints import Checkpoint, Checkpoints
from claude_core.jobs.claims import Claims
from claude_core.jobs.drops import Drop
from claude_core.jobs.endings import Endings
from claude_core.jobs.job import Job, Status
from claude_core.jobs.rows import Rows
from claude_core.jobs.starter import Starter
from claude_core.models import resolve
from claude_core.reservation import Reservation, Spent, new_id
from claude_core.rolling import Roll, Want
from claude_core.routes import Table
from claude_core.routing.choice import Choice, Reason, Verdict
from claude_core.routing.conversations import Conversations as Routed
from claude_core.row import Row, month_of
from claude_core.usage import Usage
from lambda_src.batch_intents import Intent, Intents, Stage
from lambda_src.batch_line import Line, Lines
from lambda_src.batch_waiting import Waiting
from service_src.conversations import Conversations, Turn
from service_src.tickets import Tickets
from tests.cloud.cloud import Cloud
from tests.cloud.comparison import Comparison
from tests.cloud.index import Projection
from tests.cloud.keys import Keys
from tests.core.jobs_cloud import CLIENT, OTHER, JobsCloud, job
from tests.core.purse import DEEP, FAST, Purse
from tests.queueing import LISTED, WAITING
from worker_src.governor import Governor
from worker_src.pauses import Pauses

NEEDS = tuple(EXTRAS)[:3]
MODEL = resolve(ROLE).id
"""That jobs wait for, if they name none."""
UNKNOWN = "unknown"
ROUTES = Table.own()


class Requests:
    """Calls of methods by their names; each draws what it asks for."""

    cloud: Cloud
    names: tuple[str, ...]

    def run(self, seed: int, comparison: Comparison) -> None:
        """Call one; a refusal by the row is an outcome like others."""
        self.cloud.around, chance = comparison, random.Random(seed)
        with suppress(KitError, AwsRefused):
            asyncio.run(getattr(self, chance.choice(self.names))(chance))
        self.cloud.around = None


class MoneyRequests(Requests):
    """Calls about the clients table: money is taken, settled and given back."""

    names = (
        *("reserve", "reserve", "reserve", "settle", "settle", "give_back", "prove", "look"),
        *("roll", "roll", "roll", "warn", "change", "wait"),
    )

    def __init__(self) -> None:
        self.purse = Purse(budget=3_000, rpm=20, extras={"SS": [NEEDS[0]]})
        self.cloud, self.budget = self.purse.cloud, self.purse.budget
        self.first = self.purse.row.item
        self.reserved: list[Reservation] = []
        self.rolled: str | None = None

    async def reserve(self, chance: random.Random) -> None:
        key = self.purse.key
        reserved = await self.budget.reserve(
            chance.choice((key, key, key, key.id, key.id, UNKNOWN)),
            chance.choice((*(FAST,) * 6, DEEP)),
            chance.choice((0, 10, 300, 800)),
            calls=chance.choice((1, 1, 4)),
            needs=frozenset(chance.sample(NEEDS, chance.choice((0, 0, 0, 1)))),
            id=None if chance.random() < 0.7 else self._any(chance).id,
            counted=chance.random() < 0.3,
        )
        self.reserved.append(reserved.held)

    async def settle(self, chance: random.Random) -> None:
        held = self._any(chance)
        usage = Usage(input_tokens=chance.randrange(3), output_tokens=chance.randrange(9))
        cost = chance.choice((0, held.cost, held.cost // 2))
        spent = Spent(FAST, cost, usage, chance.choice((0, 0, cost)))
        row = self.purse.row if chance.random() < 0.7 else None
        await self.budget.settle(held, spent, row=row)

    async def give_back(self, chance: random.Random) -> None:
        client = chance.choice((self.purse.key.id, UNKNOWN))
        await self.budget.give_back(client, self._any(chance).id)

    async def prove(self, chance: random.Random) -> None:
        model = chance.choice((None, FAST, DEEP))
        await self.budget.prove(self.purse.key, model, frozenset(chance.sample(NEEDS, 1)))

    async def look(self, chance: random.Random) -> None:
        await self.budget.look(chance.choice((self.purse.key.id, UNKNOWN)))

    async def roll(self, chance: random.Random) -> None:
        now = self.purse.now
        wants = [
            Want(chance.choice((*(FAST,) * 9, DEEP)), chance.choice((0, 50, 400)))
            for _ in range(chance.randrange(3))
        ]
        spent = Spent(FAST, chance.choice((0, 40)), Usage(output_tokens=5))
        old = self.rolled if chance.random() < 0.9 else self._any(chance).id
        roll = Roll(
            now,
            month_of(now),
            old,
            new_id(now) if wants or old is None or chance.random() < 0.5 else None,
            open=chance.choice((0, 100)),
            wants=wants,
            given_back=chance.choice((0, 100)),
            spent=[spent][: chance.randrange(2)],
            gone=self.purse.row.outdated(now)[:3],
        )
        await self.budget.write(self.purse.key.id, roll.expressions())
        self.rolled = roll.new

    async def warn(self, chance: random.Random) -> None:
        """Warn of a row as it is, or as it was before the last warning."""
        now, row = self.purse.now, self.purse.row
        if chance.random() < 0.7:
            spent = {"N": chance.choice(("1500", "2400", "3000"))}
            row = Row(self.first | {f"spent_{month_of(now)}": spent})
        await self.budget.after(row, month_of(now), now)

    async def change(self, chance: random.Random) -> None:
        """Write the row as an operator does."""
        minutes = {f"minute_2026{at:08}": {"N": "1"} for at in range(25)}
        changes: tuple[dict[str, Any], ...] = (
            {"disabled": {"BOOL": chance.random() < 0.2}},
            {"stopped": chance.choice((None, None, None, {"BOOL": True}))},
            {"models": {"SS": chance.choice((["fast"], ["fast", DEEP.id], ["deep"]))}},
            {"budget": {"N": "2000"}},
            minutes,
        )
        row = self.purse.row.item | chance.choice(changes)
        item = {name: value for name, value in row.items() if value is not None}
        target = "DynamoDB_20120810.PutItem"
        await self.cloud.call("dynamodb", target, {"TableName": "clients", "Item": item})

    async def wait(self, chance: random.Random) -> None:
        minutes = chance.choice((1, 1, 30, 1_440, 44_640))
        self.purse.now += dt.timedelta(minutes=minutes)

    def _any(self, chance: random.Random) -> Reservation:
        """A reservation that was made, or never was."""
        now = self.purse.now
        unknown = Reservation(new_id(now), self.purse.key.id, month_of(now), 10)
        return chance.choice([unknown, *self.reserved[-3:]])


class JobRequests(Requests):
    """Calls about the jobs table and those of conversations: every kind of row that they have."""

    names = (
        *("keep", "keep", "keep", "cancel", "claim", "claim", "renew", "release", "end", "end"),
        *("list_jobs", "batch", "batch", "batch", "unbatch", "unbatch", "tell_of", "choose"),
        *("intend", "move", "move"),
        *("take_line", "leave_line", "pause", "start", "note_checkpoint", "say", "forget"),
        *("ticket", "ticket", "route", "wait"),
    )

    def __init__(self) -> None:
        self.cloud = self.jobs = JobsCloud()
        dynamo, aws = self.jobs.dynamo, self.jobs.aws
        dynamo.add(
            "jobs",
            Keys("id"),
            by_client=(Keys("client", "listed"), Projection(include=frozenset(LISTED))),
            waiting=(Keys("waiting", "created"), Projection(include=frozenset(WAITING))),
        )
        dynamo.add("conversations", Keys("id", "turn"))
        dynamo.add("routed", Keys("id"))
        self.rows = Rows(aws, "jobs")
        self.batched, self.waiting = Batched(self.rows), Waiting(aws, "jobs", self.seconds)
        self.intents, self.lines = Intents(self.rows, self.seconds), Lines(self.rows, self.seconds)
        self.conversations = Conversations(aws, "conversations", days=30, now=self.now)
        self.tickets = Tickets(aws, "conversations", self.now)
        self.ids, self.claimed = ["job_none"], list[Job]()
        self.intended, self.taken = [Intent("none", FAST.id, 0)], list[Line]()
        self.tokens = ["x" * 43]

    def now(self) -> dt.datetime:
        return self.jobs.now

    def seconds(self) -> float:
        return self.jobs.now.timestamp()

    async def keep(self, chance: random.Random) -> None:
        lane, key = chance.choice(("now", "batch", "batch")), chance.choice((None, "one", "two"))
        new = job(chance.choice("ab"), chance.choice((CLIENT, OTHER)), lane=lane)
        self.ids.append((await self.jobs.jobs.keep(new, key)).job.id)

    async def cancel(self, chance: random.Random) -> None:
        await self.jobs.jobs.cancel(chance.choice((CLIENT, OTHER)), chance.choice(self.ids[-3:]))

    async def claim(self, chance: random.Random) -> None:
        claimed = await self._claims(chance).claim(chance.choice(self.ids[-3:]))
        if isinstance(claimed, Job):
            self.claimed.append(claimed)

    async def renew(self, chance: random.Random) -> None:
        await self._claims(chance).renew(self._claimed(chance))

    async def release(self, chance: random.Random) -> None:
        counts, failed = chance.random() < 0.5, chance.random() < 0.5
        await self._claims(chance).release(self._claimed(chance), counts=counts, failed=failed)

    async def end(self, chance: random.Random) -> None:
        endings, ends = Endings(self.rows, keep_days=30, now=self.seconds), self._claimed(chance)
        if chance.random() < 0.5:
            at = chance.choice((None, "results/x"))
            await endings.done(ends, result="{}", usage={}, cost=7, stop_reason="end_turn", at=at)
        else:
            status = chance.choice((Status.FAILED, Status.DEAD))
            listed = chance.random() < 0.5
            await endings.failed(ends, type="x", message="é", status=status, listed=listed)

    async def list_jobs(self, chance: random.Random) -> None:
        status = chance.choice((None, *(status.value for status in Status)))
        limit = chance.choice((1, 2, 20))
        page = await self.jobs.listing.page(CLIENT, status=status, limit=limit)
        if page.next:
            await self.jobs.listing.page(CLIENT, status=status, limit=limit, after=page.next)

    async def batch(self, chance: random.Random) -> None:
        intent = chance.choice(self.intended[-2:])
        model = chance.choice((MODEL, MODEL, DEEP.id))
        id = chance.choice(self.ids[-3:])
        if batched := await self.batched.claim(id, model=model, intent=intent.id):
            self.claimed.append(batched)

    async def unbatch(self, chance: random.Random) -> None:
        batched = self._claimed(chance, batched=chance.random() < 0.8)
        intent = batched.batch or chance.choice(self.intended[-2:]).id
        match chance.randrange(3):
            case 0:
                await self.batched.back(batched, intent, model=MODEL)
            case 1:
                await self.batched.expired(batched, intent, model=MODEL)
            case _:
                await self.batched.onward(batched, intent, long=chance.random() < 0.5)

    async def tell_of(self, chance: random.Random) -> None:
        told = self._claimed(chance, batched=True)
        await self.batched.told(told, told.batch or chance.choice(self.intended).id)

    async def choose(self, chance: random.Random) -> None:
        resting = {CLIENT: self.seconds() + 9} if chance.random() < 0.3 else {}
        await self.waiting.choose(Line(MODEL, "a", most=2, resting=resting))
        await self.waiting.held(chance.choice(self.intended).id)

    async def intend(self, chance: random.Random) -> None:
        begun = await self.intents.begin(chance.choice("xyz"), FAST.id, lease_s=60)
        self.intended.append(begun)
        await self.intents.own(begun, "batch")
        await self.intents.owner(chance.choice(("batch", UNKNOWN)))

    async def move(self, chance: random.Random) -> None:
        intent = chance.choice(self.intended[-2:])
        if chance.random() < 0.3:
            await self.intents.rest(intent, intent.turn + 1)
        if chance.random() < 0.5:
            taken = await self.intents.take(intent.id, chance.choice((1, 2, 3)), lease_s=60)
            self.intended += [taken] if isinstance(taken, Intent) else []
            return
        noted: dict[str, Any] = {"held": {"M": {CLIENT: {"N": "7"}}}, "sent_at": {"N": "1.5"}}
        stage = chance.choice([*Stage])
        moved = await self.intents.move(intent, stage, **(noted if chance.random() < 0.5 else {}))
        self.intended += [moved] if moved else []

    async def take_line(self, chance: random.Random) -> None:
        taken = await self.lines.take(FAST.id, chance.choice("ab"), lease_s=60)
        self.taken += [taken] if isinstance(taken, Line) else []

    async def leave_line(self, chance: random.Random) -> None:
        await self.lines.expect(FAST.id, self.seconds() + chance.randrange(100))
        line = chance.choice([*self.taken, Line(FAST.id, UNKNOWN)])
        line.resting[CLIENT] = self.seconds()
        due = chance.choice((None, self.seconds() + 60))
        await self.lines.leave(line, free_at=self.seconds(), due=due)

    async def pause(self, chance: random.Random) -> None:
        pauses = Pauses(self.rows, Governor(self.seconds), self.seconds)
        await pauses.tell(FAST.id, chance.choice((1.5, 30.25)))

    async def start(self, chance: random.Random) -> None:
        starter = Starter(
            self.jobs.aws, table="jobs", cluster="x", trouble=lambda told: None, now=self.seconds
        )
        await starter._first_to_look("now-service")  # what comes after is of ECS

    async def note_checkpoint(self, chance: random.Random) -> None:
        checkpoints = Checkpoints(self.jobs.aws, "jobs", self.seconds)
        drop = Drop.of(f"inbox/{CLIENT}/{chance.choice('ab')}.jsonl", None, "mark")
        read_to, over = chance.choice((0, 10, 20)), chance.random() < 0.5
        await checkpoints.keep(drop, Checkpoint(read_to, said=("é",), over=over))
        await checkpoints.find(drop)

    async def say(self, chance: random.Random) -> None:
        conversation = self.conversations.of(CLIENT, chance.choice("ab"))
        await conversation.add(Turn(chance.choice("12"), "question", "answer"))
        await conversation.history()

    async def forget(self, chance: random.Random) -> None:
        await self.conversations.of(CLIENT, chance.choice("ab")).forget_from(chance.choice("12"))

    async def ticket(self, chance: random.Random) -> None:
        self.tokens.append(await self.tickets.issue(CLIENT))
        await self.tickets.redeem(chance.choice(self.tokens[-2:]))

    async def route(self, chance: random.Random) -> None:
        routed = Routed(self.jobs.aws, "routed", trouble=lambda told: None, now=self.seconds)
        verdict = chance.choice((None, Verdict("code", 0.75)))
        choice = Choice(
            route=ROUTES.routes["code"], model=DEEP, reason=Reason.CLASSIFIED, verdict=verdict
        )
        asked: dict[str, Any] = {"messages": [{"role": "user", "content": chance.choice("ab")}]}
        await routed.note(CLIENT, asked, choice, "answer", warm=True, waits=False)
        said = {"role": "assistant", "content": chance.choice(("answer", "other"))}
        await routed.last(CLIENT, {"messages": [*asked["messages"], said]}, ROUTES)

    async def wait(self, chance: random.Random) -> None:
        self.jobs.now += dt.timedelta(seconds=chance.choice((1, 61, 130, 4_000)))

    def _claims(self, chance: random.Random) -> Claims:
        return Claims(self.rows, holder=chance.choice("ab"), lease_s=120, now=self.seconds)

    def _claimed(self, chance: random.Random, *, batched: bool = False) -> Job:
        """A job as it was claimed, now or before, or one that there is not."""
        unknown = Job({"id": {"S": "job_none"}, "fence": {"N": "1"}, "created": {"S": "x"}})
        claimed = [job for job in self.claimed if job.batch or not batched]
        return chance.choice([unknown, *claimed[-2:], *claimed[-1:]])
