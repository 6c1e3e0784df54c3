"""Thousands of jobs of mixed fates, in batches as large as they may be."""

import random

from tests.faults.batch_checks import NOW
from tests.faults.batch_scenario import CANCELLED, DONE, FAILED, Expected, SubmitAll
from tests.faults.batch_world import BatchWorld

FATES: tuple[tuple[float, tuple[str, ...], str], ...] = (
    (0.80, (), DONE),
    (0.05, ("invalid",), FAILED),
    (0.05, ("overloaded",), NOW),
    (0.03, ("canceled",), CANCELLED),
    (0.05, ("expired", "succeeded"), DONE),
    (0.02, ("expired", "expired"), FAILED),
)
"""Shares; what comes of a job each time that it is in a batch; how it must end."""


def mixed(items: int, seed: int = 1) -> SubmitAll:
    """So many jobs of four clients and two models."""

    async def submit(world: BatchWorld) -> Expected:
        rand = random.Random(f"mixed {seed}")
        clients = [world.client() for _ in range(4)]
        expected: Expected = {}
        shares = [share for share, _, _ in FATES]
        for _, fates, wanted in rand.choices(FATES, shares, k=items):
            model = rand.choice(("balanced", "balanced", "fast"))
            expected[await world.submit(rand.choice(clients), fates, model=model)] = wanted
        return expected

    return submit
