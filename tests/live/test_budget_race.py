"""200 callers race for the money of ten calls, against the deployment, again and again."""

import asyncio
import os
import uuid
from collections import Counter

import httpx2
import pytest

from claude_core import messages
from claude_core.models import NANO
from kit import deployment as kit_deployment
from kit.plan import Plan
from kit.rows import Clients
from local.fake_claude.remote import Fake
from tests.live.conftest import Deployment

pytestmark = pytest.mark.live
ROUNDS, CALLERS, ADMITTED = int(os.environ.get("RACES", "10")), 200, 10
"""`RACES=50 make test-live` for more rounds."""
AT_ONCE = 60
"""Calls that are open together. The emulator serves DynamoDB from one process: for 200 at once it
takes a second, and on a busy machine the 2.5 s after which the kit gives up on a table."""
BODY = {
    "model": "balanced",
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "[[fake: hold]]"}],
}
WORST = messages.request(BODY).worst_cost


async def race(url: str, key: str, fake: Fake) -> Counter[int]:
    """How each caller was answered; those that are admitted wait at Claude for all others, so that
    nothing is given back meanwhile."""
    limits = httpx2.Limits(max_connections=AT_ONCE)
    async with httpx2.AsyncClient(timeout=60, limits=limits, headers={"x-api-key": key}) as http:
        callers = [
            asyncio.create_task(http.post(f"{url}/v1/messages", json=BODY)) for _ in range(CALLERS)
        ]
        for answered, done in enumerate(asyncio.as_completed(callers), 1):
            await done
            if answered == CALLERS - ADMITTED:
                await asyncio.to_thread(fake.release)
        return Counter(caller.result().status_code for caller in callers)


def asked(fake: Fake) -> int:
    """Calls for an answer that Claude has seen."""
    return int(fake.stats()["calls"].get("POST /v1/messages", {}).get("total", 0))


def test_two_hundred_callers_race_for_the_money_of_ten_calls_and_ten_are_answered(
    only_local: Deployment,
) -> None:
    fake = Fake(only_local.outputs["Local"]["ClaudeUrl"])
    clients = Clients(kit_deployment.Deployment(env="dev", region=None, profile=None, local=True))
    for at in range(ROUNDS):
        name = f"race-{uuid.uuid4().hex[:8]}"
        key = clients.add(name, Plan(ADMITTED * WORST / NANO, 10_000, ["balanced"]))
        before = asked(fake)
        statuses = asyncio.run(race(only_local.url, key, fake))
        assert statuses == {200: ADMITTED, 429: CALLERS - ADMITTED}, f"round {at}"
        assert asked(fake) - before == ADMITTED
        row = clients.find(name)
        assert row.open == {}
        (month,) = [one.removeprefix("spent_") for one in row.item if one.startswith("spent_")]
        assert 0 < row.spent(month) <= row.budget
