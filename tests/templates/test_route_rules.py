"""A team's own table of routes is read at synth: what is wrong with it stops one stack there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack

from app import build
from claude_core.routes import Table
from claude_core.settings import RouterSettings
from stacks.config import DEV
from stacks.parts import route_rules, rules
from tests.synth import make_app, template
from tests.templates.test_rules import errors

OWN: dict[str, Any] = {
    "default": "rest",
    "routes": [
        {"intent": "law", "about": "contracts", "model": "deep", "max_tokens": 4_000},
        {"intent": "rest", "about": "all else", "model": "fast", "max_tokens": 1_000},
    ],
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One with a team's own files in it, for the rule alone."""
    monkeypatch.setattr(route_rules, "ROOT", tmp_path)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours/routes.json").write_text(json.dumps(OWN))
    return tmp_path


def test_a_sound_table_holds_and_so_does_the_one_that_ships(repository: Path) -> None:
    (rule, _) = route_rules.ROUTING
    for file in (None, "ours/routes.json"):
        assert rule.holds(file, DEV)
        assert rule.adds(file) == ""
    assert set(route_rules.table("ours/routes.json").routes) == {"law", "rest"}
    assert route_rules.table(None) == Table.own()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"default": "nothing"}, "default: must be one of law, rest"),
        ({"confidence": 2}, "confidence: must be a number from 0 to 1"),
        ({"routes": OWN["routes"][:1]}, "routes: 1 are on; 2 to 20 can be told apart"),
        (
            {"routes": [OWN["routes"][0] | {"model": "gpt"}, OWN["routes"][1]]},
            "routes.0 (law): ",
        ),
        (
            {"routes": [OWN["routes"][0] | {"max_tokens": 10**7}, OWN["routes"][1]]},
            "routes.0 (law): max_tokens: must be 1 to ",
        ),
    ],
)
def test_a_broken_table_is_refused_with_its_row_and_rule(
    repository: Path, change: dict[str, Any], says: str
) -> None:
    (repository / "ours/routes.json").write_text(json.dumps(OWN | change))
    (rule, _) = route_rules.ROUTING
    assert not rule.holds("ours/routes.json", DEV)
    assert rule.says + rule.adds("ours/routes.json") == f"must be a table of routes{said(rule)}"
    assert said(rule).startswith(f": {says}")


def said(rule: Any) -> str:
    return str(rule.adds("ours/routes.json"))


@pytest.mark.parametrize("file", ["none.json", "ours", "/etc/hostname", "../routes.json", ""])
def test_what_is_no_file_of_the_repository_is_refused(repository: Path, file: str) -> None:
    (rule, _) = route_rules.ROUTING
    assert not rule.holds(file, DEV)


@pytest.mark.parametrize(("percent", "allowed"), [(0, False), (1, True), (100, True), (101, False)])
def test_the_share_of_failures_is_a_share(percent: int, allowed: bool) -> None:
    (_, rule) = route_rules.ROUTING
    assert rule.holds(percent, DEV) is allowed


@pytest.mark.parametrize("file", ["docs/gotchas.md", "cdk.json", "none.json"])
def test_a_file_that_is_no_table_is_named_with_what_it_must_be(file: str) -> None:
    stack = Stack(App(), "S")
    rules.check_config(stack, replace(DEV, routes_file=file), route_rules.ROUTING)
    (said,) = errors(stack)
    assert said.startswith(f"routes_file = {file!r} in env dev: must be a table of routes")


def test_a_broken_table_stops_the_deploy_of_its_stack_alone() -> None:
    app = build(make_app(env="dev", routes_file="docs/gotchas.md"))
    stacks = [node for node in app.node.children if isinstance(node, Stack)]
    assert [stack.node.id for stack in stacks if errors(stack)] == ["OrchestratorStack"]


def test_a_teams_own_table_has_its_place_in_a_bundle_of_another_name() -> None:
    file = "claude_core/routes.json"  # as good as any
    given = build(make_app(env="dev", routes_file=file)).synth()
    own = function(dict(given.get_stack_by_name("OrchestratorStack").template))
    shipped = function(template("dev", "OrchestratorStack").body)
    for made, expected in ((own, "routes.json"), (shipped, file)):
        assert RouterSettings.from_env(made["Environment"]["Variables"]).routes_file == expected
    assert own["Code"]["S3Key"] != shipped["Code"]["S3Key"]


def function(body: dict[str, Any]) -> dict[str, Any]:
    (found,) = (
        one["Properties"]
        for one in body["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function"
    )
    return dict(found)
