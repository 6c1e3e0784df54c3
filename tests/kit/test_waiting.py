"""Waiting for many jobs is cheap: a request tells of a hundred, strangers are not read again."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from kit import waiting
from kit.board import Board
from kit.job_api import Page
from kit.waiting import Waiting


@dataclass
class Patient:
    limit: int | None = None


@dataclass
class Pages:
    """A listing of many jobs, the newest first; some end at every round."""

    ids: list[str]
    """The newest first."""
    ended: set[str] = field(default_factory=set)
    invisible: set[str] = field(default_factory=set)
    """Not in the index yet."""
    pages: int = 0
    singles: int = 0
    patience: Patient = field(default_factory=Patient)

    def job(self, id: str) -> dict[str, Any]:
        return {"job_id": id, "status": "done" if id in self.ended else "queued", "cost_usd": 0.5}

    async def page(self, *, after: str | None = None) -> Page:
        self.pages += 1
        at = 0 if after is None else self.ids.index(after) + 1
        some = self.ids[at : at + 100]
        more = some[-1] if at + 100 < len(self.ids) else None
        return Page([self.job(id) for id in some if id not in self.invisible], more)

    async def get(self, id: str) -> dict[str, Any]:
        self.singles += 1
        return self.job(id)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_S", "USUAL_S", "QUIET_S"):
        monkeypatch.setattr(waiting, name, 0.0)


def wait(
    api: Pages, ours: list[str], ends: list[list[str]], **more: Any
) -> tuple[Board, list[int]]:
    """Wait for `ours`, of which some end after each round; requests of each round."""
    board, cost, seen = Board(len(ours)), [], 0
    for id in ours:
        board.take(id, {"job_id": id, "status": "queued"}, before=False)
    turns = iter(ends)

    async def ended(jobs: list[dict[str, Any]]) -> None:
        nonlocal seen
        cost.append(api.pages + api.singles - seen)
        seen = api.pages + api.singles
        api.ended |= {*next(turns, [])}

    asyncio.run(Waiting(api, board, ended, **more).all())  # type: ignore[arg-type]
    return board, cost


def names(count: int, of: str = "job") -> list[str]:
    return [f"{of}{at}" for at in range(count)]


def test_a_thousand_jobs_cost_ten_requests_a_round_and_fewer_as_they_end() -> None:
    ours = names(1_000)
    oldest_first = [ours[-100 * at - 100 : len(ours) - 100 * at] for at in range(10)]
    board, cost = wait(Pages(ours), ours, oldest_first)
    assert board.states["done"] == 1_000
    assert board.cost_usd == 500
    assert cost == [10, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_the_last_few_of_many_are_asked_for_one_by_one() -> None:
    ours = names(1_000)
    late = ours[-2:]
    _, cost = wait(Pages(ours), ours, [ours[:-2], [], [], late])
    assert cost == [10, 10, 2, 2, 2]


def test_newer_jobs_of_others_are_not_read_again_once_ours_are_found() -> None:
    ours, others = names(200), names(3_000, "other")
    _, cost = wait(Pages([*others, *ours]), ours, [[], [], ours[100:], ours[:100]])
    assert cost[-2:] == [2, 1]
    assert sum(cost) < 100


def test_what_the_index_does_not_show_yet_is_asked_for() -> None:
    ours = names(150)
    api = Pages(ours, invisible={*ours[:5]})
    board, cost = wait(api, ours, [ours])
    assert board.states["done"] == 150
    assert max(cost) <= 2 + 5


def test_jobs_that_end_in_any_order_are_all_seen() -> None:
    ours, order = names(730), names(730)
    random.Random(1).shuffle(order)
    ends = [order[at : at + 90] for at in range(0, 730, 90)]
    board, cost = wait(Pages(ours), ours, ends)
    assert board.states["done"] == 730
    assert max(cost) <= 10


def test_asking_takes_a_fifth_of_the_clients_minute_at_most() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    ours = names(300)
    wait(Pages(ours, patience=Patient(limit=60)), ours, [[], ours], sleep=sleep)
    assert slept == [15.0, 15.0]
