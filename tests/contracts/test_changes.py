"""A change of what was promised is declared in changes.toml, with what happens to the data."""

from pathlib import Path

import pytest

from tests.contracts import changes
from tests.contracts.changes import Change, Difference, undeclared, unmatched, unspoken

WHAT = "SharedStack Clients67031123: gone"
DATA = "Its rows are copied into the new table before the deploy."
IN_PROD = Difference(WHAT, "SharedStack: the table is gone.", "Bring it back", "prod")
IN_DEV = Difference(WHAT, "SharedStack: the table is gone.", "Bring it back", "dev")


def test_the_changes_of_this_version_say_what_happens_to_the_data() -> None:
    assert not unspoken(changes.read()), "\n".join(unspoken(changes.read()))


@pytest.mark.parametrize("data", ["", "copied", "it is fine, really"])
def test_entry_without_a_sentence_about_the_data_fails(data: str) -> None:
    (sentence,) = unspoken([Change(WHAT, data)])
    assert "does not say what happens to the data" in sentence
    assert unspoken([Change(WHAT, DATA)]) == []


def test_declared_difference_is_allowed_where_the_entry_says_so() -> None:
    everywhere, in_prod = Change(WHAT, DATA), Change(WHAT, DATA, ("prod",))
    assert undeclared([IN_PROD, IN_DEV], [everywhere]) == []
    (sentence,) = undeclared([IN_PROD, IN_DEV], [in_prod])
    assert sentence.startswith("dev SharedStack: the table is gone. Bring it back, or add a line")


def test_printed_entry_allows_the_difference_once_it_says_what_happens(tmp_path: Path) -> None:
    (sentence,) = undeclared([IN_PROD, IN_DEV], [])
    entry = sentence[sentence.index("[[change]]") :].replace('data = ""', f'data = "{DATA}"')
    path = tmp_path / "changes.toml"
    path.write_text(entry)
    assert undeclared([IN_PROD, IN_DEV], changes.read(path)) == []
    assert unspoken(changes.read(path)) == []


def test_entry_is_of_what_its_first_word_says() -> None:
    whats = (WHAT, "format of a client, plan: absent -> S", "read 0.1.0 jobs / shown: 1 -> 2")
    assert [Change(what).of for what in whats] == ["", "format", "read"]


def test_printed_entry_may_hold_quotes(tmp_path: Path) -> None:
    what = """read 0.1.0 chat / turns: [{"id": 'm1'}] -> 'a\\b'"""
    (sentence,) = undeclared([Difference(what, "It is read otherwise.", "Read it as before")], [])
    path = tmp_path / "changes.toml"
    path.write_text(sentence[sentence.index("[[change]]") :])
    assert [one.what for one in changes.read(path)] == [what]


def test_entry_that_matches_no_difference_is_stale() -> None:
    (sentence,) = unmatched([], [Change(WHAT, DATA)])
    assert "matches no difference" in sentence
    (sentence,) = unmatched([IN_DEV], [Change(WHAT, DATA, ("dev", "prod"))])
    assert "matches no difference in prod" in sentence
    assert unmatched([IN_DEV, IN_PROD], [Change(WHAT, DATA, ("dev", "prod"))]) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[change]]\nwhat = "a"\nwhy = "b"\n', "no such field of a change: why"),
        ('[[change]]\ndata = "a"\n', "without `what`"),
    ],
)
def test_entry_of_another_shape_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "changes.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=says):
        changes.read(path)
