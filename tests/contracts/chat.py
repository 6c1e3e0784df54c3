"""The chat: what was said in a conversation, and a ticket that was not redeemed yet."""

import asyncio
import datetime as dt
import random
from dataclasses import asdict
from typing import cast

from claude_core.aws import Aws
from claude_core.errors import KitError
from local.fake_claude.inprocess import Fake
from service_src.conversations import Conversations, Turn
from service_src.tickets import Tickets
from tests.chatting import Chatting, chatting
from tests.cloud.cloud import Cloud
from tests.cloud.keys import Keys
from tests.contracts.recording import Json, Recording, held_by
from tests.doubles import AwsDouble

TABLE = "conversations"
LATER_S = 30
"""After a ticket was issued; it lasts twice as long."""


def write(aws: AwsDouble, claude: Fake) -> Recording:
    """A whole turn, one with a picture, one that was cancelled after its first words; a ticket."""
    with chatting(aws, claude) as service:
        conversation = service.run(_talk(service))
        issued = dt.datetime.now(dt.UTC)
        ticket, client = service.ticket(), service.client.id
        moment = held_by(aws, TABLE)
    known = {
        "client": client,
        "conversation": conversation,
        "ticket": ticket,
        "at": (issued + dt.timedelta(seconds=LATER_S)).isoformat(),
    }
    names = {client: "{client}", conversation: "{conversation}"}
    return Recording({"said": moment}, known, names)


async def _talk(service: Chatting) -> str:
    async with service.person() as person:
        ready = await person.next()
        await person.ask("m1", "hello")
        await person.until("done")
        await person.ask("m2", [{"type": "text", "text": "and in blocks"}])
        await person.until("done")
        service.claude.plan([{"name": "hold", "after": 2}])
        await person.ask("m3", "go on for long")
        await person.until("delta")
        await person.send(type="cancel", id="m3")
        await person.until("done")
    return str(ready["conversation"])


def read(recording: Recording, _: AwsDouble) -> Json:
    """What today's code makes of the rows: the turns, what goes to Claude again, where the next
    turn stands, and whom the ticket admits, once."""
    return asyncio.run(_read(recording))


async def _read(recording: Recording) -> Json:
    known, cloud = recording.known, Cloud(chance=random.Random(1))
    table = cloud.dynamo.add(TABLE, Keys("id", "turn"))
    table.add(*recording.moments["said"].tables[TABLE])
    at, aws = dt.datetime.fromisoformat(known["at"]), cast(Aws, cloud)
    conversations = Conversations(aws, TABLE, days=30, now=lambda: at)
    conversation = conversations.of(known["client"], known["conversation"])
    turns, history = await conversation.turns(), await conversation.history()
    before = {*table.items}
    await conversation.add(Turn("m4", "and then?", "that"))
    ((_, place),) = {*table.items} - before
    tickets = Tickets(aws, TABLE, now=lambda: at)
    redeemed = await tickets.redeem(known["ticket"])
    try:
        await tickets.redeem(known["ticket"])
    except KitError as err:
        again = type(err).__name__
    return {
        "turns": [asdict(turn) for turn in turns],
        "history": history,
        "next place": place.partition("-")[0],
        "ticket": redeemed,
        "ticket, again": again,
    }
