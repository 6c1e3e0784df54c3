"""The pace of one model line, on a clock that the test sets."""

import pytest

from worker_src.governor import FIRST_RATE, LONGEST_SLEEP_S, RECENT_S, SLOWEST, Governor, Line

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


def test_the_first_answer_without_limits_frees_the_next_call_at_once() -> None:
    line = Governor(Clock()).line("model")
    for _ in range(5):
        line.take()
    assert line.wait_s() > 0
    line.answered({})
    assert line.wait_s() == 0


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


def test_refusals_slow_once_a_second() -> None:
    clock = Clock()
    line = Governor(clock).line("model")
    line.answered(headers(600, 599))
    line.refused(None)
    clock.now += 0.9
    line.refused(None)
    assert line.rate == pytest.approx(8)
    clock.now += 0.1
    line.refused(None)
    assert line.rate == pytest.approx(6.4)


def begin(line: Line, clock: Clock, *, calls: int, each_s: float) -> None:
    for _ in range(calls):
        clock.now += each_s
        assert line.take() == 0


def test_where_nothing_was_limited_a_refusal_slows_from_the_pace_of_the_last_seconds() -> None:
    clock = Clock()
    line = Governor(clock).line("model")
    line.answered({})
    begin(line, clock, calls=500, each_s=0.01)
    begin(line, clock, calls=100, each_s=RECENT_S / 100)
    line.refused(None)
    assert line.rate == pytest.approx(20 * 0.8, rel=0.02)


def test_what_has_not_begun_yet_is_no_part_of_that_pace() -> None:
    clock = Clock()
    line = Governor(clock).line("model")
    line.answered({})
    begin(line, clock, calls=50, each_s=0.01)
    line.pause(clock.now + 3)
    assert [line.take() for _ in range(50)] == pytest.approx([3] * 50)
    line.refused(None)
    assert line.rate == pytest.approx(50 / RECENT_S * 0.8)


def test_a_line_that_was_hardly_used_is_slowed_from_one_call_a_second() -> None:
    line = Governor(Clock()).line("model")
    line.answered({})
    line.take()
    line.refused(None)
    assert line.rate == pytest.approx(0.8)


def test_a_few_refusals_among_answers_pause_nobody() -> None:
    line = Governor(Clock()).line("model")
    for _ in range(20):
        assert [line.refused(None) for _ in range(3)] == [0, 0, 0]
        line.answered({})


def test_refusals_that_go_on_pause_the_line_ever_longer_up_to_a_minute() -> None:
    line = Governor(Clock()).line("model")
    pauses = [line.refused(None) for _ in range(70)]
    assert pauses[:4] == [0, 0, 0, 2]
    assert [pauses[at] for at in (8, 9, 18, 19, 29, 39)] == [2, 4, 4, 8, 16, 32]
    assert {*pauses[49:]} == {60}


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


def test_answers_of_one_moment_that_say_so_slow_once_and_again_a_second_later() -> None:
    clock = Clock()
    line = Governor(clock).line("model")
    line.answered(headers(600, 599))
    turns = line.turns
    for _ in range(3):
        line.answered(headers(600, 12))
    assert line.rate == pytest.approx(9)
    assert line.turns == turns + 1, "what was taken at the old pace is taken anew"
    clock.now += 1
    line.answered(headers(600, 12))
    assert line.rate == pytest.approx(8.1)


def test_limits_that_appear_later_are_kept_from_the_pace_of_the_last_seconds_on() -> None:
    clock = Clock()
    line = Governor(clock).line("model")
    line.answered({})
    begin(line, clock, calls=50, each_s=0.01)
    line.answered(headers(6_000, 12))
    assert line.rate == pytest.approx(50 / RECENT_S * 0.9)


def test_a_limit_that_rises_is_approached_little_by_little_and_one_that_falls_is_kept_at_once() -> (
    None
):
    line = Governor(Clock()).line("model")
    line.answered(headers(600, 599))
    line.answered(headers(6_000, 5_999))
    assert line.rate == pytest.approx(10.02)
    line.answered(headers(60, 59))
    assert line.rate == 1


def test_what_waits_starts_anew_at_each_longer_pause_and_not_at_one_that_is_known() -> None:
    clock = Clock()
    line = Governor(clock).line("model")
    turns = [line.turns]
    for until in (1_010.0, 1_020.0, 1_020.0, 1_005.0, 1_030.0):
        line.pause(until)
        turns.append(line.turns)
    assert len({*turns}) == 4
    assert turns[2] == turns[3] == turns[4]
    assert line.paused_until == 1_030


def test_a_client_rests_for_as_long_as_it_was_said_and_no_other_does() -> None:
    clock = Clock()
    governor = Governor(clock)
    governor.rest("one", 5.0)
    assert (governor.rests_s("one"), governor.rests_s("two")) == (5, 0)
    clock.now += 4.5
    assert [governor.rests_s("one") for _ in range(2)] == [0.5, 0.5]
    clock.now += 1
    assert governor.rests_s("one") == 0


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
