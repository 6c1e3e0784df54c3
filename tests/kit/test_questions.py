"""The starter set measures honestly: balanced, hard ones included, and nothing in both halves."""

import json
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import pytest

STARTER = Path(__file__).parents[2] / "kit" / "questions" / "starter.jsonl"
LABELS = {"question": 95, "task": 95, "creative": 95, "code": 95, "unknown": 20}
LEAST = {
    "two_intents": 40,
    "language": 60,
    "no_fences": 30,
    "injection": 40,
    "long": 12,
    "short": 20,
    "typos": 20,
}
TOO_ALIKE = 0.85


@dataclass(frozen=True, kw_only=True)
class Row:
    id: str
    text: str
    intent: str
    split: str
    tags: list[str]

    @property
    def plain(self) -> str:
        return " ".join(self.text.casefold().split())


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [Row(**json.loads(line)) for line in STARTER.read_text("utf-8").splitlines()]


def test_labels_are_balanced_in_the_set_and_in_each_half(rows: list[Row]) -> None:
    assert Counter(row.intent for row in rows) == LABELS
    assert Counter(row.split for row in rows) == {"tune": 200, "held_out": 200}
    halves = Counter((row.intent, row.split) for row in rows)
    for label in LABELS:
        assert abs(halves[label, "tune"] - halves[label, "held_out"]) <= 1


def test_hard_rows_are_there_and_shared_between_the_halves(rows: list[Row]) -> None:
    tags = Counter(tag for row in rows for tag in row.tags)
    halves = Counter((tag, row.split) for row in rows for tag in row.tags)
    assert set(tags) == set(LEAST)
    for tag, least in LEAST.items():
        assert tags[tag] >= least, tag
        assert abs(halves[tag, "tune"] - halves[tag, "held_out"]) <= 2, tag


def test_a_tag_that_can_be_counted_is_true(rows: list[Row]) -> None:
    for row in rows:
        assert ("long" in row.tags) == (len(row.text) > 1500), row.id
        assert ("short" in row.tags) == (len(row.text) < 25), row.id
        fenceless = row.intent == "code" and "`" not in row.text
        assert ("no_fences" in row.tags) == fenceless, row.id


def test_each_row_is_one_of_a_kind_and_can_be_sent(rows: list[Row]) -> None:
    assert [row.id for row in rows] == [f"q{n:03}" for n in range(1, len(rows) + 1)]
    assert len({row.plain for row in rows}) == len(rows)
    for row in rows:
        assert row.plain, row.id
        row.text.encode()  # a lone surrogate would be a 400 at the door
        assert len(set(row.tags)) == len(row.tags), row.id


def test_no_text_is_nearly_another_or_the_held_out_half_would_be_known(rows: list[Row]) -> None:
    by_length = sorted(rows, key=lambda row: len(row.plain))
    threes = {row.id: {row.plain[n : n + 3] for n in range(len(row.plain))} for row in rows}
    for n, one in enumerate(by_length):
        for other in by_length[n + 1 :]:
            if 2 * len(one.plain) < TOO_ALIKE * (len(one.plain) + len(other.plain)):
                break  # too long to be alike, and so is the rest
            # An unlike letter spoils three threes at most: texts so alike share half of them.
            if 2 * len(threes[one.id] & threes[other.id]) >= len(threes[one.id]):
                alike = SequenceMatcher(None, one.plain, other.plain, autojunk=False).ratio()
                assert alike < TOO_ALIKE, (one.id, other.id)
