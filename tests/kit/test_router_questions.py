"""Labelled questions: what is taken, and how each line that is not is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from kit.router import last
from kit.router.questions import read, routes
from kit.say import Stop
from tests.kit.router_rows import TABLE, row, write

GOOD = {"text": "Why?", "intent": "question"}


def refused(path: Path, split: str = "all") -> str:
    with pytest.raises(Stop) as stop:
        read(path, TABLE, split)
    assert stop.value.code == 2
    return str(stop.value)


def test_text_and_intent_are_enough_and_blank_lines_count_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(f"\ufeff{json.dumps(GOOD)}\n\n" + json.dumps(GOOD | {"text": "How?", "x": 1}))
    first, second = read(path, TABLE)
    assert (first.line, first.text, first.name) == (1, "Why?", "line 1")
    assert (second.line, second.text) == (3, "How?")


def test_a_text_may_have_separators_that_only_look_like_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps(GOOD | {"text": "a\u2028b\x85c"}, ensure_ascii=False))
    assert [one.text for one in read(path, TABLE)] == ["a\u2028b\x85c"]


def test_a_split_is_chosen(tmp_path: Path) -> None:
    rows = [row("task", "", at, split="tune" if at < 3 else "held_out") for at in range(5)]
    path = write(tmp_path / "q.jsonl", rows)
    assert [len(read(path, TABLE, split)) for split in ("tune", "held_out", "all")] == [3, 2, 5]
    assert "none of its 1 rows has split tune" in refused(write(path, [GOOD]), "tune")
    assert "has no rows" in refused(write(path, []))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: is no JSON"),
        ("[" * 100_000, "line 2: is no JSON"),
        ("[]", "line 2: is no JSON object"),
        ({"intent": "task"}, "line 2: text: is missing"),
        ({"text": "x"}, "line 2: intent: is missing"),
        (GOOD | {"text": " "}, "line 2: text: must be text, and not empty"),
        (GOOD | {"text": 1}, "line 2: text: must be text, and not empty"),
        ('{"text": "\\ud800", "intent": "task"}', "line 2: text: must be text"),
        (GOOD | {"text": "x", "intent": "cod"}, 'line 2: intent: "cod" has no route that is on'),
        (GOOD | {"text": "x", "intent": "deep"}, "there are question, task, creative, code"),
        (GOOD | {"text": "x", "intent": ["task"]}, "line 2: intent:"),
        (GOOD | {"text": "x", "split": "test"}, "line 2: split: must be one of tune, held_out"),
        (GOOD | {"text": "x", "tags": "hard"}, "line 2: tags: must be a list of words"),
        (GOOD | {"text": "x", "id": 7}, "line 2: id: must be text"),
        (GOOD | {"intent": "task"}, "line 2: text: stands in line 1 already"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(
    tmp_path: Path, line: Any, says: str
) -> None:
    path = tmp_path / "q.jsonl"
    second = line if isinstance(line, str) else json.dumps(line)
    path.write_text(f"{json.dumps(GOOD)}\n{second}\n")
    assert says in refused(path)


def test_all_bad_rows_are_told_at_once_and_of_many_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "q.jsonl", [{"text": "x"}] * 14)
    told = refused(path)
    assert ("line 1:" in told, "line 10:" in told, "line 11:" in told) == (True, True, False)
    assert "and 4 more" in told


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "none.jsonl")
    (tmp_path / "q.jsonl").write_bytes(b"\xff")
    assert "is not UTF-8" in refused(tmp_path / "q.jsonl")


def test_a_teams_own_table_brings_its_own_intents(tmp_path: Path) -> None:
    rows = [
        {"intent": name, "about": "it", "model": "fast", "max_tokens": 100}
        for name in ("yes", "no")
    ]
    path = tmp_path / "routes.json"
    path.write_text(json.dumps({"routes": rows, "default": "no"}))
    questions = write(tmp_path / "q.jsonl", [{"text": "x", "intent": "yes"}])
    assert [one.intent for one in read(questions, routes(path))] == ["yes"]
    for wrong, says in (("{", "not JSON"), ('{"routes": []}', "0 are on")):
        path.write_text(wrong)
        with pytest.raises(Stop, match=says):
            routes(path)
    with pytest.raises(Stop, match="No such file"):
        routes(tmp_path / "none.json")


def test_a_question_has_the_same_key_in_every_run_until_it_is_labelled_anew(tmp_path: Path) -> None:
    rows = [GOOD, GOOD | {"text": "How?"}]
    first = [one.key for one in read(write(tmp_path / "a.jsonl", rows), TABLE)]
    moved = [one.key for one in read(write(tmp_path / "b.jsonl", rows[::-1]), TABLE)]
    (anew,) = read(write(tmp_path / "c.jsonl", [GOOD | {"intent": "task"}]), TABLE)
    assert first == moved[::-1]
    assert anew.key not in first


def test_runs_are_kept_apart_by_file_and_by_what_else_makes_them_another_series() -> None:
    places = {
        last.place(Path("a.jsonl"), "tune", "dev"),
        last.place(Path("b.jsonl"), "tune", "dev"),
        last.place(Path("a.jsonl"), "tune", "prod"),
        last.place(Path("a.jsonl"), "all", "dev"),
    }
    assert len(places) == 4
    assert last.place(Path("a.jsonl"), "all", "dev") in places
