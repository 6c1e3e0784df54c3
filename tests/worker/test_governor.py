"""The pace of one model line, on a clock that the test sets."""

import pytest

from worker_src.governor import FIRST_RATE, LONGEST_SLEEP_S, SLOWEST, Governor

NAME = "anthropic-ratelimit-requests"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def headers(limit: int, left: int) -> dict[str, str]:
    return {f"{NAME}-limit": str(limit), f"{NAME}-remaining": str(left)}


def test_calls_begin_slowly_until_claude_has_said_anything() -> None:
    line = Governor(Clock()).line("model")
    waits = [line.take() for _ in range(3)]
    assert waits == pytest.approx([0, 1 / FIRST_RATE, 2 / FIRST_RATE])


def test_without_limits_in_its_headers_nothing_is_held_back() -> None:
    line = Governor(Clock()).line("model")
    line.answered({})
    assert {line.take() for _ in range(500)} == {0.0}


def test_with_limits_no_more_start_than_a_minute_has() -> None:
    line = Governor(Clock()).line("model")
    line.answered(headers(600, 599))
    assert line.rate == 10


def test_who_would_sleep_for_long_takes_nothing() -> None:
    line = Governor(Clock()).line("model")
    line.answered(headers(60, 59))
    waits = [line.take() for _ in range(20)]
    assert max(wait for wait in waits if wait is not None) <= LONGEST_SLEEP_S
    assert waits[-1] is None
    assert line.wait_s() > LONGEST_SLEEP_S


def test_a_refusal_slows_and_an_answer_quickens() -> None:
    clock = Clock()
    line = Governor(clock).line("model")
    line.answered(headers(600, 599))
    line.refused(None)
    assert line.rate == pytest.approx(8)
    clock.now += 2
    line.answered(headers(600, 300))
    assert line.rate == pytest.approx(8.02)


def test_refusals_of_one_moment_slow_once() -> None:
    line = Governor(Clock()).line("model")
    line.answered(headers(600, 599))
    for _ in range(100):
        line.refused(None)
    assert line.rate == pytest.approx(8)


def test_it_never_stops_for_good() -> None:
    clock = Clock()
    line = Governor(clock).line("model")
    for _ in range(200):
        clock.now += 2
        line.refused(None)
    assert line.rate == SLOWEST
    assert 0 < line.paused_until - clock.now <= 60


def test_little_left_of_the_minute_slows_before_anything_is_refused() -> None:
    line = Governor(Clock()).line("model")
    line.answered(headers(600, 599))
    line.answered(headers(600, 12))
    assert line.rate == pytest.approx(9)


def test_retry_after_pauses_the_line_and_what_was_taken_is_taken_anew() -> None:
    clock = Clock()
    line = Governor(clock).line("model")
    line.take()
    turns = line.turns
    assert line.refused(7.0) == 7
    assert line.turns > turns
    assert line.take() is None
    clock.now += 7.1
    assert line.take() == 0


def test_one_line_says_nothing_of_another() -> None:
    governor = Governor(Clock())
    governor.line("one").refused(60.0)
    assert governor.line("two").take() == 0
    assert governor.all_paused_s == pytest.approx(1 / FIRST_RATE)
