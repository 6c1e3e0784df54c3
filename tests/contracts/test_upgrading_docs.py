"""What docs/upgrading.md says of data is what the templates do, and its example is an entry."""

import re
from pathlib import Path

import pytest

from tests.contracts import changes
from tests.contracts.changes import unspoken
from tests.contracts.identities import current
from tests.contracts.snapshot import ROOT

PAGE = (ROOT / "docs" / "upgrading.md").read_text()
ROWS = {
    "clients": ("Clients67031123", "HistoryC127576E"),
    "the Claude key": ("ClaudeKey",),
    "confirmed subscriptions": ("Alarms04B5A0BF",),
    "jobs": ("StoreJobs22D0D865",),
    "uploads": ("StoreFiles21FAE192",),
    "messages": (
        *("StoreNowQueueB493865F", "StoreLongQueue9F9327EA", "StoreBatchQueue115BB3DD"),
        *("StoreNowDeadA69EF00F", "StoreLongDeadB1834C03", "StoreBatchDead08748888"),
        *("InboxQueue96F60793", "InboxDead27030C1E", "StoreBus757B832A"),
    ),
    "conversations": ("ConversationsBC91B70D",),
    "access logs": ("EntranceAccessLogs41EA7DCE",),
    "which model": ("ConversationsBC91B70D",),
}
"""Resources by the beginning of their row."""
WORDS = {"Retain": "stay", "Delete": "go"}


@pytest.mark.parametrize("row", ROWS)
def test_page_says_which_data_outlives_its_stack(row: str) -> None:
    found = re.search(
        rf"^\| {row}.*\| `(\w+)` \| (stay|go)\w* \| (stay|go)\w* \|$", PAGE, re.MULTILINE
    )
    assert found, row
    stack, *said = found.groups()
    for env, word in zip(("prod", "dev"), said, strict=True):
        holds = current()[env][stack]["holds"]
        assert {WORDS[holds[id]["on removal"]] for id in ROWS[row]} == {word}, (env, row)


def test_page_has_a_row_for_every_table_secret_bucket_and_queue() -> None:
    told = {id for ids in ROWS.values() for id in ids}
    kinds = ("Table", "Secret", "Bucket", "Queue", "EventBus", "Topic")
    for stack in current()["prod"].values():
        listed = {id for id, one in stack["holds"].items() if one["type"].endswith(kinds)}
        assert listed <= told


def test_example_of_the_page_is_an_entry(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "changes.toml"
    path.write_text(example)
    (entry,) = changes.read(path)
    assert (entry.environments, bool(entry.migrate), unspoken([entry])) == (("prod",), True, [])
