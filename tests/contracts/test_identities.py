"""What holds data, or a name that callers hold, stays what it is from version to version."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from stacks import shared
from stacks.config import ENVIRONMENTS
from stacks.parts.table import table
from stacks.shared import SharedStack
from tests.contracts import changes
from tests.contracts.changes import Change, undeclared, unmatched
from tests.contracts.holders import HOLDERS, HOLDS_NOTHING, LOST
from tests.contracts.identities import Identities, current, differences, identities
from tests.contracts.snapshot import newest
from tests.synth import Template, make_app, template, templates

Body = dict[str, Any]
CLIENTS, HISTORY, QUEUE = "Clients67031123", "HistoryC127576E", "StoreNowQueueB493865F"
EVERYTHING = "every client's key, budget and open reservation"


def test_what_holds_data_is_what_the_newest_snapshot_promised_in_every_environment() -> None:
    found = [*differences(newest().identities, current())]
    declared = [one for one in changes.read() if not one.of]
    broken = [*undeclared(found, declared), *unmatched(found, declared)]
    assert not broken, "\n" + "\n".join(broken)


def test_every_type_of_resource_is_known_to_hold_data_or_nothing() -> None:
    used = {
        one["Type"]
        for env in ENVIRONMENTS
        for stack in templates(env)
        for one in stack.body["Resources"].values()
    }
    assert not {*HOLDERS} & {*HOLDS_NOTHING}
    undecided = sorted(used - {*HOLDERS, *HOLDS_NOTHING})
    assert not undecided, (
        f"{undecided[0]} is new here: add it to HOLDERS in tests/contracts/holders.py if it holds "
        "data, or a name that others hold, and to HOLDS_NOTHING with the reason if it does not"
    )
    unused = sorted({*HOLDERS, *HOLDS_NOTHING} - used)
    assert not unused, (
        f"no template has a {unused[0]}: delete its row in tests/contracts/holders.py"
    )


def test_everything_that_holds_data_says_what_would_be_lost_with_it() -> None:
    known = {
        f"{stack} {id}": one["type"]
        for env in current().values()
        for stack, found in env.items()
        for id, one in found["holds"].items()
    }
    silent = sorted(one for one, type in known.items() if not (HOLDERS[type].lost or one in LOST))
    assert not silent, f"add a line to LOST in tests/contracts/holders.py for {silent[0]}"
    assert not {*LOST} - {*known}, "LOST in tests/contracts/holders.py names what is not there"


def test_renamed_clients_table_fails_with_a_sentence_that_says_what_would_be_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def renamed(scope: Any, id: str, **more: Any) -> Any:
        return table(scope, "Customers" if id == "Clients" else id, **more)

    monkeypatch.setattr(shared, "table", renamed)
    app = make_app(env="prod")
    SharedStack(app, "SharedStack", config=ENVIRONMENTS["prod"])
    (artifact,) = app.synth().stacks
    body = dict(artifact.template)
    gone, new, output = broken_by(body, "SharedStack")
    assert gone.startswith(
        f"prod SharedStack: the table {CLIENTS} is gone (a renamed construct makes a new, empty "
        f"one; the old one stays, unused): {EVERYTHING} would be lost. Give the construct its old "
        "id back, or add a line to tests/contracts/changes.toml that says what happens to the "
        "data:\n"
    )
    assert gone.endswith(
        f'[[change]]\nwhat = "SharedStack {CLIENTS}: gone"\nenvironments = ["prod"]\ndata = ""\n'
    )
    assert "the table Customers" in new
    assert f"the output ClientsTableName was {CLIENTS} and is Customers" in output


def test_replaced_key_fails_since_cloudformation_would_make_an_empty_table() -> None:
    def edit(body: Body) -> None:
        properties = body["Resources"][CLIENTS]["Properties"]
        properties["KeySchema"][0]["AttributeName"] = "name"
        properties["AttributeDefinitions"][0]["AttributeName"] = "name"

    (sentence,) = edited("SharedStack", edit)
    assert sentence.startswith(
        f"prod SharedStack: the table {CLIENTS} is another: keys was id (S) and is name (S) "
        "(CloudFormation replaces it by a new, empty one; the old one stays, unused): "
        f"{EVERYTHING} would be lost. Change it back, or "
    )


def test_dropped_retain_fails_for_the_stack_and_for_a_replacement() -> None:
    def edit(body: Body) -> None:
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            body["Resources"][CLIENTS][policy] = "Delete"

    removal, replacement = edited("SharedStack", edit)
    assert "on removal was Retain and is Delete" in removal
    assert "on replacement was Retain and is Delete" in replacement


EDITS: dict[str, tuple[str, Callable[[Body], Any], str]] = {
    "expiry": (
        "SharedStack",
        lambda body: body["Resources"][HISTORY]["Properties"].pop("TimeToLiveSpecification"),
        "rows expire by was expires_at and is never",
    ),
    "protection": (
        "SharedStack",
        lambda body: body["Resources"][CLIENTS]["Properties"].pop("DeletionProtectionEnabled"),
        "deletion protection was True and is False",
    ),
    "recovery": (
        "SharedStack",
        lambda body: body["Resources"][CLIENTS]["Properties"].pop(
            "PointInTimeRecoverySpecification"
        ),
        "point-in-time recovery was True and is False",
    ),
    "physical name": (
        "SharedStack",
        lambda body: body["Resources"]["ClaudeKey"]["Properties"].update(Name="key"),
        "name was chosen by CloudFormation and is key",
    ),
    "index": (
        "QueueStack",
        lambda body: body["Resources"]["StoreJobs22D0D865"]["Properties"][
            "GlobalSecondaryIndexes"
        ].pop(),
        "indexes was by_client: client (S) + listed (S), with ",
    ),
    "FIFO": (
        "QueueStack",
        lambda body: body["Resources"][QUEUE]["Properties"].update(FifoQueue=True),
        "FIFO was False and is True",
    ),
    "bus": (
        "QueueStack",
        lambda body: body["Resources"]["StoreBus757B832A"]["Properties"].update(Name="jobs"),
        "name was prod-QueueStack-jobs and is jobs",
    ),
    "scheme": (
        "WebsocketStack",
        lambda body: body["Resources"]["EntranceBalancer27823B10"]["Properties"].update(
            Scheme="internal"
        ),
        "scheme was internet-facing and is internal",
    ),
    "output": (
        "QueueStack",
        lambda body: body["Outputs"].pop("JobsTableName"),
        "the output JobsTableName was StoreJobs22D0D865 and is gone",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_changed_identity_is_named_with_what_it_was(edit: str) -> None:
    stack, change, says = EDITS[edit]
    (sentence,) = edited(stack, change)
    assert says in sentence


def test_new_table_has_to_be_declared() -> None:
    def edit(body: Body) -> None:
        body["Resources"]["Extra"] = copy.deepcopy(body["Resources"][CLIENTS])

    (sentence,) = edited("SharedStack", edit)
    assert "the table Extra is new" in sentence


def test_renamed_stack_fails_since_a_deploy_would_make_a_second_one() -> None:
    before = current()["prod"]
    after = copy.deepcopy(before)
    after["SharedStack"]["name"] = "prod-CommonStack"
    (sentence,) = sentences(before, after)
    assert "was prod-SharedStack and is prod-CommonStack" in sentence


def test_new_and_removed_environments_are_one_difference_each() -> None:
    now = current()
    staging = {name: found for name, found in now.items() if name != "local"}
    staging["staging"] = now["dev"]
    found = [*differences(now, staging)]
    assert [one.what for one in found] == ["environment local: gone", "environment staging: new"]


def test_same_difference_in_several_environments_is_one_sentence_and_one_entry() -> None:
    now = current()
    without = copy.deepcopy(now)
    for env in ("dev", "local"):
        del without[env]["SharedStack"]["holds"][CLIENTS]
    found = [*differences(now, without)]
    (sentence,) = undeclared(found, [])
    assert sentence.startswith(f"dev and local SharedStack: the table {CLIENTS} is gone (")
    assert "the old one is deleted" in sentence
    entry = Change(f"SharedStack {CLIENTS}: gone", "Every key is made anew by hand.")
    assert undeclared(found, [entry]) == []
    assert unmatched(found, [entry]) == []


def edited(stack: str, edit: Callable[[Body], Any]) -> list[str]:
    """What is said of prod with one of its templates edited."""
    body = copy.deepcopy(template("prod", stack).body)
    edit(body)
    return broken_by(body, stack)


def broken_by(body: Body, stack: str) -> list[str]:
    before = current()["prod"]
    made = identities([Template("prod", stack, before[stack]["name"], body)])
    return sentences(before, before | made)


def sentences(before: Identities, after: Identities) -> list[str]:
    return undeclared(differences({"prod": before}, {"prod": after}), [])
