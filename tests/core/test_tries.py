"""A call of Claude within its deadline: tried again where that helps, and it says how often."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from claude_core import errors
from claude_core.retry import SAVED, RetryBudget
from claude_core.secret import Secret
from claude_core.tries import Tries
from tests.cloud.virtual import VirtualLoop

OLD, NEW, NEWEST = "old", "new", "newest"


class Vault:
    """The secret: what it holds now, and after each time that it is read again."""

    def __init__(self, *keys: str) -> None:
        self.keys, self.reads, self.takes_s = list(keys), 0, 0.0

    async def get(self) -> str:
        if self.takes_s:
            await asyncio.sleep(self.takes_s)
        if not self.keys:
            raise errors.KeyMissing("no key")
        return self.keys[0]

    async def refresh(self, rejected: str) -> str:
        self.reads += 1
        if len(self.keys) > 1 and self.keys[0] == rejected:
            self.keys.pop(0)
        return self.keys[0]


class Asked:
    """Claude, as one call meets it: an outcome for each attempt, the last one for all others."""

    def __init__(self, *outcomes: str | Exception, keys: tuple[str, ...] = (OLD,)) -> None:
        self._outcomes, self.keys = list(outcomes), list[str]()
        self.vault = Vault(*keys)
        self.budget = RetryBudget(rand=lambda: 0.5)
        self.tries = Tries(cast(Secret, self.vault), self.budget)
        self.took_s = 0.0

    async def once(self, key: str) -> str:
        self.keys.append(key)
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def within(
        self,
        seconds: float = 100.0,
        once: Callable[[str], Awaitable[str]] | None = None,
        **more: Any,
    ) -> tuple[str, int]:
        loop = VirtualLoop()
        try:
            return cast(
                tuple[str, int], loop.run(self.tries.within(seconds, once or self.once, **more))
            )
        finally:
            self.took_s = loop.time()
            loop.close()


def failure(asked: Asked, seconds: float = 100.0, **more: Any) -> errors.KitError:
    with pytest.raises(errors.KitError) as raised:
        asked.within(seconds, **more)
    return raised.value


def test_an_answer_comes_with_how_often_it_was_asked_for() -> None:
    asked = Asked("hello")
    assert asked.within() == ("hello", 1)
    assert (asked.keys, asked.vault.reads, asked.took_s) == ([OLD], 0, 0)


def test_what_failed_for_a_while_is_asked_again_after_ever_longer_waits() -> None:
    asked = Asked(errors.Overloaded("529"), errors.Overloaded("529"), "hello")
    assert asked.within() == ("hello", 3)
    assert asked.took_s == pytest.approx(0.5 + 1.0)


def test_a_failure_says_how_often_it_was_tried() -> None:
    failed = failure(Asked(errors.Overloaded("529")))
    assert (type(failed), failed.attempts) == (errors.Overloaded, 3)


def test_what_the_caller_wants_tried_once_is_tried_once() -> None:
    asked = Asked(errors.Overloaded("529"))
    assert failure(asked, retried=False).attempts == 1
    assert asked.took_s == 0


def test_a_wait_that_would_outlast_the_deadline_is_handed_on_at_once() -> None:
    asked = Asked(errors.RateLimited("429", retry_after_s=5.0), "hello")
    assert asked.within(5.1) == ("hello", 2)
    asked = Asked(errors.RateLimited("429", retry_after_s=5.0), "hello")
    assert isinstance(failure(asked, 5.0), errors.RateLimited)
    assert asked.took_s == 0


def test_time_that_was_used_up_leaves_no_room_for_a_wait() -> None:
    asked = Asked("hello")

    async def slowly(key: str) -> str:
        await asyncio.sleep(6.0)
        raise errors.RateLimited("429", retry_after_s=5.0)

    assert isinstance(failure(asked, 10.0, once=slowly), errors.RateLimited)
    assert asked.took_s == 6


def test_a_call_that_does_not_end_is_cut_off_at_its_deadline_with_words_that_help() -> None:
    asked, begun = Asked("hello"), list[str]()

    async def never(key: str) -> str:
        begun.append(key)
        if len(begun) == 1:
            raise errors.Overloaded("529")
        await asyncio.Event().wait()
        return ""

    failed = failure(asked, 30.0, once=never)
    assert isinstance(failed, errors.DeadlinePassed)
    assert "ask for less, or stream" in failed.message
    assert (failed.attempts, failed.may_be_billed) == (2, True)
    assert asked.took_s == 30


def test_what_was_never_sent_may_not_be_billed() -> None:
    """As on a cold start, where the key alone took all the time that a classifier has."""
    asked = Asked("hello")
    asked.vault.takes_s = 60.0
    failed = failure(asked, 1.5)
    assert isinstance(failed, errors.DeadlinePassed)
    assert (failed.attempts, failed.may_be_billed) == (0, False)
    assert "its key was not read in time" in failed.message


def test_a_key_that_was_rotated_is_read_again_and_the_call_begins_anew() -> None:
    outcomes: list[str | Exception] = [
        errors.Overloaded("529"),
        errors.KeyRejected("401"),
        errors.Overloaded("529"),
        errors.Overloaded("529"),
        "hello",
    ]
    asked = Asked(*outcomes, keys=(OLD, NEW))
    assert asked.within() == ("hello", 5)
    assert asked.keys == [OLD, OLD, NEW, NEW, NEW]


def test_with_the_new_key_there_are_no_more_attempts_than_with_any() -> None:
    asked = Asked(errors.KeyRejected("401"), errors.Overloaded("529"), keys=(OLD, NEW))
    assert failure(asked).attempts == 1 + 3


def test_a_key_that_is_rejected_and_still_the_one_in_the_secret_is_not_tried_twice() -> None:
    asked = Asked(errors.KeyRejected("401"))
    failed = failure(asked)
    assert (type(failed), failed.attempts) == (errors.KeyRejected, 1)
    assert asked.vault.reads == 1


def test_a_second_key_that_is_rejected_is_the_end() -> None:
    asked = Asked(errors.KeyRejected("401"), keys=(OLD, NEW, NEWEST))
    assert failure(asked).attempts == 2
    assert (asked.keys, asked.vault.reads) == ([OLD, NEW], 1)


def test_without_a_key_nothing_is_tried() -> None:
    failed = failure(Asked("hello", keys=()))
    assert (type(failed), failed.attempts) == (errors.KeyMissing, 0)


def test_what_is_refused_for_good_is_tried_once() -> None:
    refusal = errors.UpstreamRefused("bad", status=400, type="invalid_request_error")
    assert failure(Asked(refusal)).attempts == 1


def test_calls_that_end_well_earn_the_retries_of_those_that_do_not() -> None:
    asked = Asked("hello")
    for _ in range(int(SAVED)):
        assert asked.budget.delay(errors.Overloaded("529"), 1, left_s=100) is not None
    for _ in range(11):
        asked.within()
    assert asked.budget.delay(errors.Overloaded("529"), 1, left_s=100) is not None
