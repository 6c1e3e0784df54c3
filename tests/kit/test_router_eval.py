"""`kit router eval` with a scripted classifier: each question's mark says what the fake answers."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_core.routes import Table
from kit.router.evaluating import Evaluation
from local.fake_claude.inprocess import Fake
from local.paths import ROOT
from tests.kit.router_rows import (
    Kit,
    calls,
    figures,
    shown,
)

STARTER = ROOT / "kit" / "questions" / "starter.jsonl"
PAGE = ROOT / "docs" / "routing-eval.md"


def test_every_figure_is_of_the_verdicts_that_were_given(kit: Kit, questions: Path) -> None:
    found = figures(kit, questions)
    assert found["accuracy"] == {
        "right": 2,
        "of": 5,
        "share": 0.4,
        "low": pytest.approx(0.1176, abs=5e-5),
        "high": pytest.approx(0.7693, abs=5e-5),
    }
    assert found["confusion"]["code"] == {
        "question": 0,
        "task": 0,
        "creative": 1,
        "code": 0,
        "unknown": 1,
        "no verdict": 0,
    }
    assert (
        found["intents"]["creative"] | {"precision": 0.0, "recall": 0.0}
        == (found["intents"]["creative"])
    )
    assert found["tags"]["plain"]["share"] == 1.0
    assert found["latency_s"]["together"]["count"] == 5
    assert [one["name"] for one in found["models"]][-3:] == [
        *("always fast", "always balanced", "always deep")
    ]
    unsure = found["questions"][3]
    assert (unsure["intent"], unsure["taken"], unsure["confidence"]) == ("code", "unknown", 0.3)
    assert unsure["reason"] == "classified, but not surely"


def test_the_last_run_stands_beside_this_one(kit: Kit, questions: Path) -> None:
    assert "no run before this one" in shown(kit, questions)
    again = figures(kit, questions)["last"]
    assert (again["before"], again["now"]) == ({"count": 2, "of": 5}, {"count": 2, "of": 5})
    assert (again["mended"], again["broken"], again["same_table"]) == ([], [], True)
    assert "40.0 % → 40.0 % of 5 in common" in shown(kit, questions)


def test_a_table_that_answers_otherwise_is_another_one() -> None:
    """Whatever differs: which route is the default, whom it asks, and with how many tokens."""
    own = Table.own()
    code = own.routes["code"]
    rows: list[dict[str, Any]] = [{"model": "deep"}, {"max_tokens": 50}, {"about": "code"}]
    others = [replace(own, routes={**own.routes, "code": replace(code, **row)}) for row in rows]
    tables = [own, replace(own, default=code), replace(own, confidence=0.7), *others]
    runs = [
        Evaluation(
            file=Path("f"), split="all", table=table, questions=(), at_once=1, late_s=1
        )._run("nobody")
        for table in tables
    ]
    assert len({run.table for run in runs}) == len(tables)


def test_a_run_is_kept_where_it_is_told_and_is_what_json_writes(
    kit: Kit, questions: Path, tmp_path: Path, kept: Path
) -> None:
    there, beside = tmp_path / "ci" / "last.json", tmp_path / "out.json"
    shown(kit, questions, "--last", str(there), "--json", str(beside))
    assert there.read_text() == beside.read_text()
    assert not kept.exists()
    held_out = shown(kit, questions, "--last", str(there), "--split", "held_out")
    assert "0.0 % → 0.0 % of 1 in common" in held_out


def test_what_is_no_run_is_not_overwritten(kit: Kit, questions: Path, tmp_path: Path) -> None:
    path = tmp_path / "thesis.json"
    for text in ("{}", "[1]", '{"run": {"began_at": 1}}', "\x00"):
        path.write_text(text)
        told = shown(kit, questions, "--last", str(path), code=2)
        assert "is no run of kit router eval" in told
        assert path.read_text() == text


def test_a_run_of_another_classifier_is_not_compared_nor_overwritten(
    kit: Kit, questions: Path, tmp_path: Path, claude: Fake
) -> None:
    there = tmp_path / "last.json"
    shown(kit, questions, "--last", str(there))
    run = json.loads(there.read_text())
    there.write_text(json.dumps(run | {"run": run["run"] | {"classifier": "claude"}}))
    before, asked = there.read_text(), calls(claude)
    told = shown(kit, questions, "--last", str(there), code=2)
    assert "is a run of another classifier (claude, and this one is fake)" in " ".join(told.split())
    assert (there.read_text(), calls(claude)) == (before, asked)


def test_no_text_of_a_question_is_written_down(kit: Kit, questions: Path, kept: Path) -> None:
    shown(kit, questions)
    (path,) = kept.iterdir()
    assert "Number" not in path.read_text()


def test_for_ci_an_accuracy_below_the_wanted_one_is_exit_code_1(kit: Kit, questions: Path) -> None:
    figures(kit, questions, "--fail-under", "0.4")
    assert "0.4000 is under --fail-under 0.41" in shown(
        kit, questions, "--fail-under", "0.41", code=1
    )


def test_the_fakes_figures_are_never_called_an_accuracy(
    kit: Kit, questions: Path, outputs: Path
) -> None:
    told = shown(kit, questions)
    assert "the fake Claude answered" in told
    assert "accuracy" not in told
    written = json.loads(outputs.read_text())
    written["Local"]["ClaudeUrl"] = "https://api.anthropic.com"
    outputs.write_text(json.dumps(written))
    real = shown(kit, questions)
    assert "accuracy  40.0 %" in real
    assert "the fake" not in real
    assert "no run before this one" in real  # the fake's is none


def test_mistakes_are_shown_but_not_those_that_are_held_out(kit: Kit, questions: Path) -> None:
    told = shown(kit, questions)
    assert "Number 2" in told
    assert "unknown (not code)" in told
    assert "Number 4" not in told
    assert "1 held-out mistake is not shown" in told
    assert "Number 2" not in shown(kit, questions, "--misses", "0")


def test_rules_alone_ask_nobody_and_say_how_little_they_decide(
    kit: Kit, claude: Fake, questions: Path, kept: Path, outputs: Path
) -> None:
    outputs.unlink()
    told = shown(kit, questions, "--rules-only")
    assert "The rules decide 0 of 5" in told
    assert "default route (unknown, claude-sonnet-5-5)" in told
    found = figures(kit, questions, "--rules-only", "--fail-under", "0.1", code=1)
    assert (found["accuracy"]["right"], found["ruled"], found["thresholds"]) == (0, 0, [])
    assert calls(claude) == 0
    assert not kept.exists()


def test_on_the_starter_set_the_rules_alone_are_right_where_the_label_is_the_default(
    kit: Kit, kept: Path
) -> None:
    for split in ("tune", "held_out"):
        found = figures(kit, STARTER, "--rules-only", "--split", split)
        assert found["ruled"] == 0
        assert (found["accuracy"]["right"], found["accuracy"]["of"]) == (10, 200)


def test_the_picture_is_one_svg_that_says_what_the_table_says(
    kit: Kit, questions: Path, tmp_path: Path
) -> None:
    path = tmp_path / "matrix.svg"
    assert f"written: {path}" in shown(kit, questions, "--picture", str(path))
    root = ET.fromstring(path.read_text())
    cells = [one.text for one in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "code to creative: 1 of 2" in cells
    assert len(cells) == 1 + 5 * 5
    described = root.find("{http://www.w3.org/2000/svg}desc")
    assert described is not None
    assert "Of the fake Claude: no measurement. 40.0 % of 5" in str(described.text)


def test_the_page_names_only_options_that_there_are_and_claims_no_accuracy(kit: Kit) -> None:
    page = PAGE.read_text()
    known = kit("router", "eval", "--help").stdout
    for word in page.replace("`", " ").split():
        if word.startswith("--"):
            assert word.rstrip(".,;:)|") in known, word
    assert "accuracy of the real classifier: not measured" in page
