"""Whatever happens, in whatever order, and with whatever clock: no money appears or vanishes."""

import datetime as dt
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from claude_core.clients import ClientKey, new_key
from claude_core.errors import AwsUnreachable, NotAuthenticated, OverBudget, TooMany
from claude_core.reservation import Reservation, Spent, taken_at
from claude_core.row import Row, minute_of, month_of
from tests.cloud.faults import losing
from tests.core.purse import FAST, Purse

BUDGET, RPM = 1_000, 20
SKEW = st.integers(-90, 90)
"""Seconds that the clock of the process at hand is wrong by."""


class Money(RuleBasedStateMachine):
    """One client, several processes, and a ledger of what has really happened."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.purse = Purse(budget=BUDGET, rpm=RPM)
        self.time = self.purse.now
        self.keys = [self.purse.key]
        self.open: dict[str, int] = {}
        self.spent: Counter[str] = Counter()
        self.minutes: Counter[str] = Counter()
        self.rows: dict[str, Row] = {}

    def left(self, month: str) -> int:
        taken = sum(cost for id, cost in self.open.items() if month_of(taken_at(id)) == month)
        return BUDGET - self.spent[month] - taken

    def at(self, skew: int) -> dt.datetime:
        self.purse.now = self.time + dt.timedelta(seconds=skew)
        return self.purse.now

    @rule(target=held, cost=st.integers(0, 600), calls=st.integers(1, 8), skew=SKEW)
    def reserve(self, cost: int, calls: int, skew: int) -> Reservation | object:
        now = self.at(skew)
        fits = self.left(month_of(now)) >= cost and self.minutes[minute_of(now)] + calls <= RPM
        try:
            reserved = self.purse.admit(cost, calls=calls, key=self.keys[-1])
        except (OverBudget, TooMany):
            assert not fits
            return multiple()
        assert fits
        self.minutes[minute_of(now)] += calls
        held = reserved.held
        self.open[held.id], self.rows[held.id] = cost, reserved.row
        return held

    @rule(cost=st.integers(0, 600), skew=SKEW)
    def reserve_and_lose_the_answer(self, cost: int, skew: int) -> None:
        now = self.at(skew)
        before = set(self.purse.row.open)
        self.purse.cloud.around = losing(lambda action: "after")
        try:
            self.purse.reserve(cost, key=self.keys[-1])
        except AwsUnreachable:
            # Taken, and nobody knows: it stays charged.
            (id,) = set(self.purse.row.open) - before
            self.open[id] = cost
            self.minutes[minute_of(now)] += 1
        except (OverBudget, TooMany):
            pass
        finally:
            self.purse.cloud.around = None

    @rule(held=held, share=st.floats(0, 1), lost=st.sampled_from([None, "before", "after"]))
    def settle(self, held: Reservation, share: float, lost: str | None) -> None:
        """Also twice, also with an answer that is lost, also much later."""
        self.purse.now = self.time
        cost = int(held.cost * share)
        self.purse.cloud.around = losing(lambda action: lost)
        try:
            spent = Spent(FAST, cost)
            row = self.rows[held.id]  # as old as the reservation
            self.purse.run(self.purse.budget.settle(held, spent, row=row))
        except AwsUnreachable:
            assert lost
        finally:
            self.purse.cloud.around = None
        if lost != "before" and held.id in self.open:
            del self.open[held.id]
            self.spent[held.month] += cost

    @rule(minutes=st.integers(0, 3_000))
    def time_passes(self, minutes: int) -> None:
        self.time += dt.timedelta(minutes=minutes)

    @rule()
    def the_month_turns(self) -> None:
        turn = (self.time.replace(day=1) + dt.timedelta(days=32)).replace(day=1, hour=0, minute=0)
        self.time = turn - dt.timedelta(seconds=30)

    @rule()
    def rotate(self) -> None:
        """The newest two keys go on; the third ends."""
        new = ClientKey.parse(new_key(self.keys[0].id))
        self.purse.change(key_2={"S": self.keys[-1].sha256}, key_1={"S": new.sha256})
        self.keys.append(new)

    @rule()
    def an_old_key_is_worth_nothing(self) -> None:
        self.purse.now = self.time
        for key in self.keys[:-2]:
            try:
                self.purse.reserve(0, key=key)
            except NotAuthenticated:
                continue
            raise AssertionError("a key that was dropped still works")

    @invariant()
    def nothing_appears_and_nothing_vanishes(self) -> None:
        row = self.purse.row
        assert row.open == self.open
        for name in row.item:
            if name.startswith("left_"):
                month = name.removeprefix("left_")
                assert row.left(month) == self.left(month)
                assert row.left(month) >= 0
                assert row.spent(month) == self.spent[month]

    @invariant()
    def no_minute_has_more_than_its_requests(self) -> None:
        assert max(self.minutes.values(), default=0) <= RPM

    @invariant()
    def no_warning_is_given_twice(self) -> None:
        # Each message names its month.
        told = Counter((subject, text[text.index(" for 20") :][:12]) for subject, text in self.told)
        assert max(told.values(), default=0) <= 1

    @property
    def told(self) -> list[tuple[str, str]]:
        return self.purse.cloud.topic


Money.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestMoney = Money.TestCase
