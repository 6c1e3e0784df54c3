"""Rows, objects and messages that older versions have written are read by today's code."""

import copy
from typing import Any

import pytest

from claude_core.row import Row
from tests.contracts import changes
from tests.contracts.changes import READ, undeclared, unmatched
from tests.contracts.parts import PARTS, read_otherwise
from tests.contracts.recording import Recording
from tests.contracts.snapshot import Snapshot, newest, snapshots
from tests.doubles import AwsDouble

RECORDED = [(one, part) for one in snapshots() for part in one.recordings]


@pytest.mark.parametrize(
    ("snapshot", "part"), RECORDED, ids=[f"{one.version}-{part}" for one, part in RECORDED]
)
def test_recorded_rows_are_read_as_they_were(snapshot: Snapshot, part: str, aws: AwsDouble) -> None:
    """Changes that a later version was allowed stand beside its own snapshot."""
    recorded = snapshot.recordings[part]
    where = f"{snapshot.version} {part}"
    try:
        found = PARTS[part].read(Recording.from_json(recorded), aws)
    except Exception as err:
        raise AssertionError(
            f"{where}: what {snapshot.version} has stored cannot be read any more: {err!r}"
        ) from err
    differences = [*read_otherwise(where, recorded["read"], found)]
    now = [one for one in changes.read() if one.what.startswith(f"{READ} {where} ")]
    files = [one.changes for one in snapshots() if one.changes is not None]
    before = [entry for file in files for entry in changes.read(file)]
    broken = [*undeclared(differences, [*now, *before]), *unmatched(differences, now)]
    assert not broken, "\n" + "\n".join(broken)


def test_every_part_is_recorded_and_every_change_of_reading_is_of_one() -> None:
    assert {*newest().recordings} == {*PARTS}
    known = tuple(f"{READ} {one.version} {part} " for one, part in RECORDED)
    assert all(one.what.startswith(known) for one in changes.read() if one.of == READ)


def recorded(part: str) -> dict[str, Any]:
    return copy.deepcopy(newest().recordings[part])


def test_recorded_clients_hold_the_money_that_was_worked_out_by_hand() -> None:
    """20 dollars a month: in October 2 spent and 1 open; in November 11.50 spent, and open 25,
    12.5 and 6.25 cents. Five minutes later each open one is settled at a cent."""
    read = recorded("clients")["read"]["serving"]
    shop = read["shown"]["shop"]
    assert (shop["budget_usd"], shop["spent_usd"], shop["reserved_usd"], shop["left_usd"]) == (
        *(20.0, 11.5, 0.4375),
        20.0 - 11.5 - 0.4375,
    )
    assert (shop["keys"], shop["open"], read["cap"]) == (2, 4, 500 * 10**9)
    assert read["settled"]["shop"] == {
        "2026_10": {"left": 17_990_000_000, "spent": 2_010_000_000},
        "2026_11": {"left": 8_470_000_000, "spent": 11_530_000_000},
        "open": 0,
    }
    tenth = 100_000_000
    assert read["admitted"] == {
        "shop": 8_062_500_000 - tenth,
        "shop, old": 8_062_500_000 - tenth,
        "poor": 200_000_000 - tenth,
        "closed": "NotAllowed",
    }
    assert {*recorded("clients")["read"]["stopped"]["admitted"].values()} == {
        "Stopped",
        "NotAllowed",
    }


def test_recorded_jobs_are_in_every_state_and_those_that_wait_are_done() -> None:
    found = recorded("jobs")
    states = {
        (item["status"]["S"], item["lane"]["S"], "long" in item)
        for moment in (*found["moments"].values(), *recorded("batches")["moments"].values())
        for item in moment["tables"]["jobs"]
        if "status" in item
    }
    assert {status for status, *_ in states} == {
        *("queued", "running", "batched"),
        *("done", "failed", "dead", "cancelled"),
    }
    assert {("queued", "now", False), ("queued", "now", True), ("queued", "batch", False)} <= states
    ends = [one["status"] for part in found["read"].values() for one in part["worked"].values()]
    assert sorted(ends) == ["cancelled", *["done"] * 12, "failed"]
    worked_on = found["read"]["worked on"]
    (running,) = (id for id, one in worked_on["worked"].items() if one["crashes"])
    assert worked_on["seen"]["shown"][running]["status"] == "running"


def test_recorded_batches_are_polled_to_their_end_from_every_stage() -> None:
    found = recorded("batches")["read"]
    assert {*found} >= {"waiting", "claiming", "sending", "releasing", "created", "ended"}
    for name, one in found.items():
        assert one["every batch is over"], name
        assert not any(one["open"].values()), name
        assert all(one["charged"].values()), name
        assert not {end.partition(" ")[0] for end in one["jobs"].values()} & {"batched", "running"}


def test_row_of_a_client_without_a_version_is_of_the_first() -> None:
    rows = recorded("clients")["moments"]["serving"]["tables"]["clients"]
    (item,) = [item for item in rows if item.get("name") == {"S": "shop"}]
    assert Row(item).version == newest().formats["client"]["version"]
    del item["v"]
    assert Row(item).version == 1


def test_row_that_is_read_otherwise_fails_with_what_it_was(aws: AwsDouble) -> None:
    found = recorded("clients")
    for item in found["moments"]["serving"]["tables"]["clients"]:
        if "left_2026_11" in item:
            item["remaining_2026_11"] = item.pop("left_2026_11")
    read = PARTS["clients"].read(Recording.from_json(found), aws)
    sentences = undeclared(read_otherwise("0.1.0 clients", found["read"], read), [])
    assert any("shop / left_usd: a recorded row was read as 8.0625" in one for one in sentences)


def test_new_field_of_what_is_read_is_no_difference() -> None:
    assert not [*read_otherwise("jobs", {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3})]
    (lost,) = read_otherwise("jobs", {"a": {"b": 1, "c": [2]}}, {"a": {"b": 1}})
    assert lost.what == "read jobs / a / c: [2] -> 'nothing'"
