"""Who may import whom, and what must exist: the layout is a contract, held here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks import PATTERNS

ROOT = Path(__file__).parents[2]
PACKAGES = ("claude_core", "lambda_src", "service_src", "worker_src", "stacks", "kit", "local")
EDGES = {"lambda_src", "service_src", "worker_src"}
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
EACH_FILE = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@EACH_FILE
def test_arrows_point_one_way(path: Path) -> None:
    package, found = path.relative_to(ROOT).parts[0], set(imports(path))
    tops = {name.split(".")[0] for name in found}
    if package == "claude_core":
        assert not tops & {*EDGES, "aws_cdk", "stacks", "kit", "local", "boto3", "botocore"}
    if package in EDGES:
        assert not tops & (EDGES - {package}) | (tops & {"aws_cdk", "stacks", "kit", "local"})
    if package == "stacks":
        core = {name for name in found if name.startswith("claude_core.")}
        allowed = (
            *("claude_core.settings", "claude_core.jobs.settings"),
            *("claude_core.models", "claude_core.routes", "claude_core.http_routes"),
        )
        assert all(name.startswith(allowed) for name in core), core
        assert not tops & {*EDGES, "kit", "local"}


@EACH_FILE
def test_jobs_are_known_to_those_who_do_them_and_not_below(path: Path) -> None:
    """The chat service's bundle goes without them."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "service_src" or (parts[0] == "claude_core" and parts[1] != "jobs"):
        assert not any(name.startswith("claude_core.jobs") for name in imports(path))


@EACH_FILE
def test_each_concern_has_one_owner(path: Path) -> None:
    package, found = path.relative_to(ROOT).parts[0], set(imports(path))
    if package in ("claude_core", *EDGES):
        if path.name not in ("client.py", "raised.py", "sdk_options.py", "lazy.py"):
            assert "anthropic" not in {name.split(".")[0] for name in found}
            assert "claude_core.lazy.anthropic" not in found
        if path.name != "settings.py":
            assert not re.search(r"\bos\.(environ|getenv)\b", path.read_text())
        if path.name != "gateway.py":
            assert "queryStringParameters" not in path.read_text()


@EACH_FILE
def test_a_file_does_one_job(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 200


def test_environments_are_values_so_no_code_asks_for_their_names() -> None:
    for path in SOURCES:
        if path.parent.name in ("stacks", "parts") and path.name != "config.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Compare):
                    names = [one.value for one in node.comparators if isinstance(one, ast.Constant)]
                    assert not {"dev", "prod", "local"} & {*names}, path


def test_a_test_replaces_no_part_of_asyncio_or_of_time() -> None:
    """The servers on other threads of the process live by them: one with a sleep that returns
    at once turned round until the memory was used up."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr"):
                target = ast.unparse(node.args[0]).strip("\"'").split(".")
                assert not {"asyncio", "time"} & {*target}, f"{path}:{node.lineno}"


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.__name__)
def test_every_pattern_has_its_page(pattern: type) -> None:
    name = pattern.__name__.removesuffix("Stack").lower()
    page = ROOT / "docs" / "patterns" / f"{name}.md"
    assert pattern.__name__ in page.read_text()
    assert f"docs/patterns/{name}.md" in (ROOT / "README.md").read_text()


def test_every_local_link_in_the_docs_leads_somewhere() -> None:

    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
