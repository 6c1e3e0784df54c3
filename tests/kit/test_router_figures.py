"""The arithmetic of `kit router eval`, against numbers worked out by hand."""

import pytest

from claude_core.models import resolve
from claude_core.routing.choice import Reason
from kit.router.compare import compare
from kit.router.figures import (
    NO_VERDICT,
    Share,
    accuracy,
    by_intent,
    by_tag,
    confusion,
    failures,
    mistakes,
)
from kit.router.strategies import strategies
from kit.router.sweep import STEPS, step, sweep
from kit.router.timing import TOGETHER, latencies, quantile
from tests.kit.router_rows import TABLE, outcome

NAMES = list(TABLE.routes)
LATE = outcome("unknown", reason=Reason.LATE, seconds=1.5)
OUTCOMES = [
    outcome("question", "question", 0.9),
    outcome("question", "question", 0.7),
    outcome("question", "task", 0.8),
    outcome("code", "code", 0.4),  # unsure: takes the default route
    outcome("code", "code", 1.0),
    outcome("unknown", "code", 0.5),  # unsure, and the default route is its own
    LATE,  # takes the default route, too, and is wrong all the same
    outcome("task", "task", 0.6),  # as sure as the table wants
]


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (9, 10, 0.5958, 0.9821),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (186, 200, 0.8859, 0.9578),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_is_wilsons(count: int, of: int, low: float, high: float) -> None:
    assert Share(count, of).interval == pytest.approx((low, high), abs=5e-5)


def test_a_question_is_right_if_it_takes_the_route_of_its_label() -> None:
    assert [one.right for one in OUTCOMES] == [
        *(True, True, False, False),
        *(True, True, False, True),
    ]
    assert accuracy(OUTCOMES) == Share(5, 8)


def test_rows_are_labels_and_columns_are_routes_and_no_verdict_stands_apart() -> None:
    matrix = confusion(OUTCOMES, NAMES)
    nonzero = {(label, to): n for label, row in matrix.items() for to, n in row.items() if n}
    assert nonzero == {
        ("question", "question"): 2,
        ("question", "task"): 1,
        ("code", "unknown"): 1,
        ("code", "code"): 1,
        ("unknown", "unknown"): 1,
        ("unknown", NO_VERDICT): 1,
        ("task", "task"): 1,
    }


def test_precision_is_of_a_route_and_recall_of_a_label() -> None:
    found = {one.name: one for one in by_intent(confusion(OUTCOMES, NAMES))}
    assert (found["question"].precision, found["question"].recall) == (1.0, 2 / 3)
    assert (found["task"].precision, found["task"].recall) == (0.5, 1.0)
    assert (found["unknown"].precision, found["unknown"].recall) == (0.5, 0.5)
    assert (found["creative"].precision, found["creative"].recall) == (None, None)


def test_a_threshold_keeps_routes_and_sends_the_rest_to_the_default_one() -> None:
    none, own, high = (step(OUTCOMES, "unknown", at) for at in (0.0, 0.6, 0.95))
    assert (none.keeps, none.right, none.overall) == (Share(7, 8), Share(5, 7), Share(5, 8))
    assert (own.keeps, own.right, own.overall) == (Share(5, 8), Share(4, 5), Share(5, 8))
    assert (high.keeps, high.right, high.overall) == (Share(1, 8), Share(1, 1), Share(2, 8))


def test_at_the_tables_own_threshold_the_sweep_says_what_the_accuracy_says() -> None:
    steps = sweep(OUTCOMES, "unknown", 0.62)
    assert [one.confidence for one in steps] == sorted([*STEPS, 0.62])
    at_own = sweep(OUTCOMES, TABLE.default.intent, TABLE.confidence)
    (own,) = [one for one in at_own if one.confidence == TABLE.confidence]
    assert own.overall == accuracy(OUTCOMES)
    assert (STEPS[0], STEPS[-1], len(STEPS)) == (0.0, 0.95, 20)


def test_quantiles_are_values_that_were_measured() -> None:
    twenty = [float(at) for at in range(20, 0, -1)]
    assert (quantile(twenty, 0.5), quantile(twenty, 0.95)) == (10.0, 19.0)
    assert (quantile([3.0], 0.5), quantile([3.0], 0.95)) == (3.0, 3.0)
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0


def test_a_late_classification_counts_as_long_as_it_was_waited_for_and_a_refusal_not_at_all() -> (
    None
):
    refused = outcome("task", reason=Reason.FAILED, seconds=0.001)
    found = latencies([*OUTCOMES, refused], NAMES)
    assert {name: one.count for name, one in found.items()} == {
        "question": 2,
        "task": 2,
        "code": 1,
        "unknown": 2,
        TOGETHER: 8,
    }
    assert (found[TOGETHER].p50, found[TOGETHER].p95) == (0.1, 1.5)


def test_one_model_for_all_is_held_against_the_models_of_the_labels() -> None:
    label, routed, fast, balanced, deep = strategies(OUTCOMES, TABLE, "as routed")
    # 3 of 8 labels are questions, which fast answers: (3 * 0.10 + 5 * 2.00) / 8
    assert (label.same, label.input_usd, label.output_usd) == (8, 1.2875, 6.4375)
    # One question goes to balanced; the late one has its label's model.
    assert (routed.same, routed.cheaper, routed.dearer) == (7, 0, 1)
    assert routed.input_usd == pytest.approx((2 * 0.1 + 6 * 2.0) / 8)
    assert (fast.same, fast.cheaper, fast.dearer, fast.output_usd) == (3, 5, 0, 0.5)
    assert (balanced.same, balanced.cheaper, balanced.dearer) == (5, 0, 3)
    assert (deep.same, deep.dearer, deep.input_usd) == (0, 8, 4.0)
    assert routed.share == {resolve("fast").id: 0.25, resolve("balanced").id: 0.75}


def test_tags_are_listed_from_the_worst_on_and_count_a_question_once_each() -> None:
    found = by_tag(
        [
            outcome("code", "code", tags=("plain", "short", "plain")),
            outcome("code", "task", tags=("plain", "hard")),
        ]
    )
    assert list(found.items()) == [
        ("hard", Share(0, 1)),
        ("plain", Share(1, 2)),
        ("short", Share(1, 1)),
    ]


def test_the_surest_mistake_comes_first_and_failures_are_none() -> None:
    assert [one.question.intent for one in mistakes(OUTCOMES)] == ["question", "code"]
    assert failures(OUTCOMES) == {Reason.LATE.value: 1}


def test_two_runs_are_compared_by_the_questions_that_both_have() -> None:
    runs = [outcome("task", "task" if at < 6 else "code", line=at) for at in range(8)]
    before = {one.question.key: at in (5, 6) for at, one in enumerate(runs) if at < 7}
    found = compare([*runs, LATE], before)
    assert found is not None
    assert (found.before, found.now) == (Share(2, 7), Share(6, 7))
    assert found.mended == tuple(f"line {at}" for at in range(5))
    assert found.broken == ("line 6",)
    # 6 changed, 1 against: 2 * (C(6, 0) + C(6, 1)) / 2 ** 6
    assert found.chance == 14 / 64
    assert compare(runs, {}) is None


def test_where_nothing_changed_there_is_nothing_but_chance() -> None:
    runs = [outcome("task", "task")]
    found = compare(runs, {runs[0].question.key: True})
    assert found is not None
    assert found.chance == 1.0
