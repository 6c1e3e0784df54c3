"""What is stored keeps its format, or says by a raised version that it has another."""

import copy
from typing import Any

import pytest

from claude_core.jobs.job import VERSION
from claude_core.jobs.queue_message import LATEST
from claude_core.stored_versions import VERSIONS
from tests.contracts import changes, layouts
from tests.contracts.changes import FORMAT, Change, undeclared, unmatched
from tests.contracts.forms import form_of, formats, kind_of
from tests.contracts.recording import Recording
from tests.contracts.snapshot import newest


@pytest.fixture(scope="session")
def written(recordings: dict[str, Recording]) -> dict[str, Any]:
    return formats(recordings.values())


def test_what_today_s_code_writes_has_the_format_of_the_newest_snapshot(
    written: dict[str, Any],
) -> None:
    found = [*layouts.differences(newest().formats, written)]
    declared = [one for one in changes.read() if one.of == FORMAT]
    broken = [*undeclared(found, declared), *unmatched(found, declared)]
    broken += layouts.misnumbered(newest().formats, written)
    assert not broken, "\n" + "\n".join(broken)


def test_every_kind_of_the_table_of_versions_is_recorded(written: dict[str, Any]) -> None:
    assert {kind: one["version"] for kind, one in written.items()} == VERSIONS
    assert VERSIONS["job"] == VERSION
    assert VERSIONS["job message"] == LATEST


def test_rows_that_carry_their_version_carry_that_of_the_table(
    recordings: dict[str, Recording],
) -> None:
    rows = [(kind_of(*row), row[1]) for one in recordings.values() for row in one.rows()]
    found = {(kind, item["v"]["N"]) for kind, item in rows if "v" in item}
    assert found == {(kind, str(VERSIONS[kind])) for kind in ("client", "job")}


ATTRIBUTES = {"budget": "N", "open.{reservation}?": "N"}
CLIENT: dict[str, Any] = {"version": 1, "attributes": ATTRIBUTES}


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"open.{reservation}?": "N"}, "budget: N -> absent"),
        ({**ATTRIBUTES, "plan": "S"}, "plan: absent -> S"),
        ({"budget": "S", "open.{reservation}?": "N"}, "budget: N -> S"),
        ({"budget?": "N", "open.{reservation}?": "N"}, "budget: N -> N, in some"),
    ],
    ids=["removed", "added", "retyped", "now optional"],
)
def test_another_attribute_needs_an_entry_and_a_raised_version(
    attributes: dict[str, str], what: str
) -> None:
    before = {"client": CLIENT}
    after: dict[str, Any] = {"client": {"version": 1, "attributes": attributes}}
    found = [*layouts.differences(before, after)]
    (sentence,) = undeclared(found, [])
    assert f'what = "format of a client, {what}"' in sentence
    assert undeclared(found, [Change(f"format of a client, {what}", "Old rows are read so.")]) == []
    (sentence,) = layouts.misnumbered(before, after)
    assert "make it 2" in sentence
    after["client"]["version"] = 2
    assert layouts.misnumbered(before, after) == []


def test_version_that_is_raised_without_a_change_is_named() -> None:
    after = copy.deepcopy({"client": CLIENT})
    after["client"]["version"] = 2
    (sentence,) = layouts.misnumbered({"client": CLIENT}, after)
    assert "its format is that of 1" in sentence


def test_new_and_removed_kinds_are_named() -> None:
    assert [one.what for one in layouts.differences({"client": CLIENT}, {"plan": CLIENT})] == [
        "format of a client: gone",
        "format of a plan: new",
    ]


def test_form_names_what_is_another_in_each_row() -> None:
    row = {
        "id": {"S": "job_shopshop_" + "a" * 22},
        "listed": {"S": "open#2026-11-24T18:06:30.000001Z#aaaaaa"},
        "left_2026_11": {"N": "1"},
        "use.20261124.claude-haiku-5-5.cost": {"N": "1"},
        "open": {"M": {"6b05d226-abcdefgh": {"N": "1"}}},
        "error": {"S": '{"type": "api_error", "message": "no"}'},
    }
    assert form_of(row, {}) == {
        "id": {"S {job}"},
        "listed": {"S open#{time, microseconds}#{end of id}"},
        "left_{month}": {"N"},
        "use.{day}.{model}.cost": {"N"},
        "open": {"M"},
        "open.{reservation}": {"N"},
        "error": {"S"},
        "error$": {"map"},
        "error$.type": {"text"},
        "error$.message": {"text"},
    }
