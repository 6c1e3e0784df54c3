"""The numbers of docs/budgets.md are the kit's own."""

import re
from pathlib import Path
from typing import Any

import pytest

from claude_core import messages
from claude_core.admission import OPEN_LIMIT
from claude_core.extras import EXTRAS, NEVER
from claude_core.history import KEPT
from claude_core.models import NANO
from claude_core.worst import FRAMING_TOKENS

PAGE = (Path(__file__).parents[2] / "docs" / "budgets.md").read_text()
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
ROWS: dict[str, dict[str, Any]] = {
    "2,000 bytes of text, `max_tokens` 1,000": {"content": "x" * 2_000, "max_tokens": 1_000},
    "40,000 bytes of text, `max_tokens` 4,000": {"content": "x" * 40_000, "max_tokens": 4_000},
    "a picture, `max_tokens` 1,000": {"content": [PICTURE], "max_tokens": 1_000},
}


@pytest.mark.parametrize("title", ROWS)
def test_the_worst_costs_of_the_table_are_those_that_are_reserved(title: str) -> None:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {title}")]
    asked = ROWS[title]
    costs = [
        messages.request(
            {
                "model": role,
                "max_tokens": asked["max_tokens"],
                "messages": [{"role": "user", "content": asked["content"]}],
            }
        ).worst_cost
        for role in ("fast", "balanced", "deep")
    ]
    assert re.findall(r"\d\.\d+", line) == [f"{cost / NANO:.4f}" for cost in costs]


@pytest.mark.parametrize("name", EXTRAS)
def test_every_extra_has_a_line(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{FRAMING_TOKENS:,} for what Claude adds" in PAGE
    assert f"{OPEN_LIMIT:,} reservations for each client" in PAGE
    assert f"Use is kept for {KEPT.days} days" in PAGE
    assert "containers are served to nobody" in PAGE
    assert "container" in NEVER
