"""A batch at work: it waits for its time, then each request is answered as it would be alone."""

import asyncio
import random
from typing import Any

from local.fake_claude import faults, prompt, validate
from local.fake_claude.answer import Answer
from local.fake_claude.answering import say
from local.fake_claude.batch import Batch, Item
from local.fake_claude.behaviours import BEHAVIOURS
from local.fake_claude.billing import Tab
from local.fake_claude.choose import choose
from local.fake_claude.errors import ApiError
from local.fake_claude.plan import MESSAGES
from local.fake_claude.script import Script
from local.fake_claude.state import State
from local.fake_claude.wire import encode

SLICE_S = 0.005
"""After so long at a time others have their turn, or every caller would wait for a large batch."""
ERRORED = {faults.refuse: faults.refusal, faults.stream_error: faults.gave_up}
"""Ways to deliver an answer that come to an error; without a connection, the others do not."""


class _Expired(Exception):
    """The request was not answered in time."""


async def run(fake: State, batch: Batch) -> None:
    """Process the batch when it is due."""
    await batch.due()
    clock = asyncio.get_running_loop().time
    until = clock() + SLICE_S
    for number, item in enumerate(batch.items):
        if clock() >= until:
            await asyncio.sleep(0)
            until = clock() + SLICE_S
        canceled = (
            batch.cancel_initiated_at is not None
            and number >= fake.batching.done_at_cancel * batch.total
        )
        result = {"type": "canceled"} if canceled else _result(fake, batch, item)
        batch.add(result["type"], encode({"custom_id": item.custom_id, "result": result}) + b"\n")
        fake.stats.batches.end(item.custom_id, result["type"])
    batch.end()
    fake.stats.batches.ended += 1
    fake.stats.notify()


def _result(fake: State, batch: Batch, item: Item) -> dict[str, Any]:
    outcome = _outcome(fake, item.custom_id)
    if isinstance(outcome, str):
        return {"type": outcome}
    try:
        answer = _answer(fake, item, outcome, beta=batch.beta)
    except _Expired:
        return {"type": "expired"}
    except ApiError as err:
        body = err.to_json(None)
        body["error"].setdefault("details", {})["error_visibility"] = "user_facing"
        return {"type": "errored", "error": body}
    Tab(fake.stats.ledger, answer.model, answer.usage(), half=True).in_full()
    return {"type": "succeeded", "message": answer.to_json()}


def _outcome(fake: State, custom_id: str) -> Script | str | None:
    """What was scripted for the request by its id, or befalls it by chance."""
    settings = fake.batching
    if custom_id in settings.outcomes:
        return settings.outcomes[custom_id]
    if settings.shares:
        times = fake.stats.batches.ends(custom_id)
        drawn = random.Random(f"{settings.seed} {times} {custom_id}").random()  # nosec B311
        for outcome, share in settings.shares:
            if drawn < share:
                return outcome
            drawn -= share
    return None


def _answer(fake: State, item: Item, script: Script | None, *, beta: bool) -> Answer:
    body = item.params
    checked = validate.in_batch(body, beta=beta)
    if script is None:  # a mark that is used up here is so for single messages too
        asked, model = prompt.last_user_text(body), checked.model.id
        script = choose(fake, route=MESSAGES, asked=asked, model=model, planned=False)
    deliver = BEHAVIOURS[script.name].deliver
    if deliver in ERRORED:
        raise ERRORED[deliver](script)
    if deliver is faults.hang:
        raise _Expired
    return say(fake, body, checked.segments, script, tier="batch")
