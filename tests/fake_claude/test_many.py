"""It must hold a thousand requests at once, or load tests of the kit would measure the fake."""

import asyncio

import anthropic
import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from tests.fake_claude.conftest import HEADERS, KEY, ask
from tests.sweep import sizes

MANY = pytest.mark.parametrize("many", sizes(100, 1_000))


@MANY
def test_very_many_requests_are_held_at_once_and_all_are_answered(fake: Fake, many: int) -> None:
    async def run() -> list[str]:
        async with anthropic.AsyncAnthropic(base_url=fake.url, api_key=KEY) as client:
            calls = [asyncio.create_task(client.messages.create(**ask())) for _ in range(many)]
            await asyncio.to_thread(fake.wait, held=many, timeout_s=20)
            fake.release()
            return [message.id for message in await asyncio.gather(*calls)]

    fake.plan(["hold"], repeat=True)
    ids = asyncio.run(run())
    counts = fake.stats()
    assert len(set(ids)) == many
    assert counts["in_flight"] == {"now": 0, "max": many}
    assert counts["billed"]["completions"] == many


@MANY
def test_very_many_callers_who_hang_up_are_all_noticed(fake: Fake, many: int) -> None:
    async def run() -> None:
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(
            base_url=fake.url, headers=HEADERS, limits=limits, trust_env=False, timeout=30
        ) as http:
            calls = [
                asyncio.create_task(http.post("/v1/messages", json=ask())) for _ in range(many)
            ]
            await asyncio.to_thread(fake.wait, in_flight=many, timeout_s=20)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    fake.plan(["hang"], repeat=True)
    asyncio.run(run())
    counts = fake.wait(left=many)
    assert counts["in_flight"] == {"now": 0, "max": many}
    assert counts["billed"]["completions"] == 0
