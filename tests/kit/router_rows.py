"""Labelled questions for tests, whose marks tell the fake what to say, and outcomes by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from claude_core.routes import Table
from claude_core.routing.choice import Reason, Verdict
from claude_core.routing.router import Classified
from kit.router import last
from kit.router.outcome import Outcome, classified
from kit.router.questions import Question
from local.fake_claude.inprocess import Fake
from tests.doubles import CLAUDE_KEY

TABLE = Table.own()
Kit = Callable[..., Result]


def said(intent: str, confidence: float = 0.9, **more: float) -> str:
    """A mark that has the fake classify the question so."""
    verdict = json.dumps({"intent": intent, "confidence": confidence}, separators=(",", ":"))
    return (
        f"[[fake:{' '.join([f'text={verdict}', *(f'{key}={one}' for key, one in more.items())])}]]"
    )


def row(label: str, mark: str, at: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": f"q{at}", "text": f"Number {at} {mark}", "intent": label, **more}


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    return path


def outcome(
    label: str,
    said: str | None = None,
    confidence: float = 0.9,
    *,
    reason: Reason = Reason.CLASSIFIED,
    seconds: float = 0.1,
    line: int = 1,
    tags: tuple[str, ...] = (),
) -> Outcome:
    """One question's; nothing said: it failed, for `reason`."""
    verdict = Verdict(said, confidence) if said else None
    question = Question(line=line, text=f"text {line}", intent=label, tags=tags)
    found = Classified(verdict, reason if said is None else Reason.CLASSIFIED, 1_000, seconds)
    return classified(TABLE, question, found)


ROWS = [
    row("question", said("question"), 0, split="tune", tags=["plain"]),
    row("task", said("task"), 1, split="tune", tags=["plain"]),
    row("code", said("creative", 0.95), 2, split="tune", tags=["hard"]),
    row("code", said("code", 0.3), 3, split="tune"),
    row("creative", said("code", 0.8), 4, split="held_out", tags=["hard"]),
]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs are kept."""
    monkeypatch.setattr(last, "FOLDER", tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def questions(tmp_path: Path, kept: Path) -> Path:
    """A file of `ROWS`."""
    return write(tmp_path / "some.jsonl", ROWS)


def unmarked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same for a fake that follows a plan."""
    return [one | {"text": one["text"].partition(" [[")[0]} for one in rows]


def figures(kit: Kit, path: Path, *options: str, code: int = 0) -> Any:
    result = kit("router", "eval", str(path), "--json", "-", *options)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def shown(kit: Kit, path: Path, *options: str, code: int = 0) -> str:
    result = kit("router", "eval", str(path), *options)
    assert result.exit_code == code, result.output
    assert CLAUDE_KEY not in result.output
    return result.stdout + result.stderr


def calls(claude: Fake) -> int:
    return sum(one["total"] for one in claude.stats()["calls"].values())
