"""A reservation of which nothing was spent, given back by who does not know what it had taken."""

from claude_core.reservation import Spent
from tests.core.purse import FAST, Purse

ID = "6924a5c0-batch-abc"


def test_all_of_it_is_given_back_once_however_often_it_is_asked() -> None:
    purse = Purse(budget=1_000)
    held = purse.run(purse.budget.reserve(purse.key.id, FAST, 700, id=ID)).held
    for _ in range(2):
        purse.run(purse.budget.give_back(purse.key.id, ID))
        assert (purse.row.open, purse.row.left(held.month)) == ({}, 1_000)
    assert purse.row.spent(held.month) == 0


def test_what_was_never_taken_or_is_settled_is_not_given_back() -> None:
    purse = Purse(budget=1_000)
    purse.run(purse.budget.give_back(purse.key.id, ID))
    held = purse.run(purse.budget.reserve(purse.key.id, FAST, 700, id=ID)).held
    purse.run(purse.budget.settle(held, Spent(FAST, 600)))
    purse.run(purse.budget.give_back(purse.key.id, ID))
    assert (purse.row.left(held.month), purse.row.spent(held.month)) == (400, 600)


def test_a_client_that_is_gone_is_no_error() -> None:
    purse = Purse()
    purse.run(purse.budget.give_back("nobody00", ID))
