"""What was used: the same sums as a table, CSV, JSON and a picture, and beside Claude's console."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest

from claude_core.models import resolve
from claude_core.usage import Usage
from tests.doubles import AwsDouble
from tests.kit.conftest import Kit, added
from tests.spending import spend

NOW = dt.datetime.now(dt.UTC).replace(hour=12)
USAGE = Usage(input_tokens=900, output_tokens=200, cache_read_tokens=100)
HEAD = "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd\n"


def day(ago: int) -> str:
    return f"{NOW - dt.timedelta(days=ago):%Y-%m-%d}"


@pytest.fixture
def used(kit: Kit, aws: AwsDouble) -> Kit:
    """Two clients and two models, on days that are in the history and in rows."""
    shop, crawler = added(kit, "shop"), added(kit, "crawler")
    for ago, key, role, cost in (
        (9, shop, "fast", 10**9),
        (9, shop, "balanced", 2 * 10**9),
        (4, crawler, "fast", 3 * 10**9),
        (0, shop, "fast", 4 * 10**9),
        (0, crawler, "fast", 5 * 10**9),
    ):
        then = NOW - dt.timedelta(days=ago)
        spend(aws, key, cost, model=resolve(role), usage=USAGE, now=then)
    return kit


def said(kit: Kit, *arguments: str, code: int = 0) -> str:
    result = kit("usage", *arguments)
    assert result.exit_code == code, result.output
    return result.stdout + result.stderr


def test_csv_has_a_line_for_each_client_day_and_model(used: Kit) -> None:
    lines = list(csv.DictReader(io.StringIO(said(used, "--csv"))))
    assert [(one["day"], one["client"], one["model"], one["cost_usd"]) for one in lines] == [
        (day(9), "shop", "claude-haiku-5-5", "1.000000000"),
        (day(9), "shop", "claude-sonnet-5-5", "2.000000000"),
        (day(4), "crawler", "claude-haiku-5-5", "3.000000000"),
        (day(0), "crawler", "claude-haiku-5-5", "5.000000000"),
        (day(0), "shop", "claude-haiku-5-5", "4.000000000"),
    ]
    counts = {(one["calls"], one["input"], one["cached"], one["output"]) for one in lines}
    assert counts == {("1", "1000", "100", "200")}


def test_the_table_adds_up_by_client_and_model(used: Kit) -> None:
    lines = [line.split() for line in said(used).splitlines()]
    assert ["shop", "claude-haiku-5-5", "2", "2,000", "200", "400", "5.0000"] in lines
    assert ["together", "5", "5,000", "500", "1,000", "15.0000"] in lines


def test_days_and_client_narrow_it_down(used: Kit) -> None:
    costs = [one["cost_usd"] for one in json.loads(said(used, "--json", "--days", "5"))]
    assert sum(costs) == 12
    (only,) = json.loads(said(used, "--json", "--days", "1", "--client", "crawler"))
    assert (only["client"], only["cost_usd"]) == ("crawler", 5.0)
    assert "no client 'nobody'" in said(used, "--client", "nobody", code=1)
    assert "must be 1 to 400" in said(used, "--days", "401", code=2)


def test_the_picture_has_a_bar_for_each_day_as_long_as_it_cost(used: Kit) -> None:
    bars = {
        line[:10]: line.count("█") for line in said(used, "--plot").splitlines() if line[:2] == "20"
    }
    assert len(bars) == 10
    assert (bars[day(9)], bars[day(4)], bars[day(0)], bars[day(1)]) == (16, 16, 48, 0)


def test_nothing_used_is_said_in_a_sentence(kit: Kit) -> None:
    assert "nothing was used" in said(kit)
    assert said(kit, "--csv").count("\n") == 1


def report(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "cost.csv"
    path.write_text(HEAD + "\n".join(lines) + "\n")
    return str(path)


def line(ago: int, model: str, usd: float, key: str = "kit", kind: str = "output") -> str:
    return f"{day(ago)},{model},Default,{key},message,≤ 200k,{kind},{usd}"


def test_reconcile_shows_the_drift_of_each_day_and_model_and_of_all(
    used: Kit, tmp_path: Path
) -> None:
    path = report(
        tmp_path,
        line(9, "Claude Haiku 5.5", 0.4, kind="input_no_cache"),
        line(9, "Claude Haiku 5.5", 0.6),
        line(9, "Claude Sonnet 5.5", 2.5),
        line(0, "Claude Haiku 5.5", 9.0),
        line(0, "Claude Opus 5.5", 1.0),
    )
    lines = [one.split() for one in said(used, "--reconcile", path).splitlines()]
    assert [day(9), "claude-haiku-5-5", "1.0000", "1.0000", "+0.0000", "+0.00%"] in lines
    assert [day(9), "claude-sonnet-5-5", "2.0000", "2.5000", "-0.5000", "-20.00%"] in lines
    assert [day(0), "claude-opus-5-5", "0.0000", "1.0000", "-1.0000", "-100.00%"] in lines
    not_there = ["3.0000", "0.0000", "+3.0000", "not", "in", "the", "report"]
    assert [day(4), "claude-haiku-5-5", *not_there] in lines
    assert ["together", "15.0000", "13.5000", "+1.5000", "+11.11%"] in lines


def test_a_report_of_the_whole_organisation_is_narrowed_to_the_kits_key(
    used: Kit, tmp_path: Path
) -> None:
    mine, others = line(0, "Claude Haiku 5.5", 9.0), line(0, "Claude Haiku 5.5", 70.0, "laptop")
    path = report(tmp_path, mine, others)
    out = said(used, "--reconcile", path, "--api-key", "kit")
    assert "left out: 70.00 USD of laptop" in out
    assert ["together", "9.0000", "9.0000", "+0.0000", "+0.00%"] in [
        one.split() for one in out.splitlines()
    ]
    assert "it has kit, laptop" in said(used, "--reconcile", path, "--api-key", "x", code=1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "has no column usage_date_utc"),
        (HEAD + "2026-11-01,Claude Haiku 5.5,,,,,output,lots\n", "line 2: cost_usd is 'lots'"),
        (
            HEAD + "11/24/2026,Claude Haiku 4.5,,,,,output,1\n",
            "line 2: usage_date_utc is '11/24/2026'",
        ),
        (HEAD + "2026-11-01,Claude Haiku 5.5\n", "line 2: cost_usd is None"),
        (HEAD + "2026-11-01,Claude Haiku 5.5,,,,,output,inf\n", "line 2: cost_usd is 'inf'"),
        (HEAD + "Total,,,,,,,12.00\n", "line 2: usage_date_utc is 'Total'"),
        (HEAD, "it has nothing at all"),
        ("", "no cost report"),
        ("\0\0", "no cost report"),
    ],
)
def test_a_file_that_is_no_report_says_what_it_lacks(
    kit: Kit, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "cost.csv"
    path.write_text(text)
    result = kit("usage", "--reconcile", str(path))
    assert result.exit_code in (1, 2)
    assert says in result.stderr


def test_a_file_that_is_not_there_is_said(kit: Kit, tmp_path: Path) -> None:
    assert "cannot be read" in said(kit, "--reconcile", str(tmp_path / "none.csv"), code=2)
