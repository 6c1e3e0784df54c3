"""Who may import whom, and what must exist: the layout is a contract, held here."""

import ast
import pkgutil
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import aws_cdk

from stacks import PATTERNS

ROOT = Path(__file__).parents[2]
PACKAGES = ("claude_core", "lambda_src", "service_src", "worker_src", "stacks", "kit", "local")
EDGES = {"lambda_src", "service_src", "worker_src"}
OF_STACKS = (
    "claude_core.settings",
    "claude_core.jobs.settings",
    "claude_core.models",
    "claude_core.routes",
    "claude_core.http_routes",
)
"""What infrastructure may know of the core."""
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def found_imports() -> dict[Path, frozenset[str]]:
    return {path: frozenset(imports(path)) for path in SOURCES}


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def tops(names: Iterable[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def test_core_imports_no_edge_no_infrastructure_and_no_tool() -> None:
    forbidden = {*EDGES, "aws_cdk", "stacks", "kit", "local", "boto3", "botocore"}
    wrong = {
        path: bad
        for path, names in found_imports().items()
        if package_of(path) == "claude_core" and (bad := tops(names) & forbidden)
    }
    assert wrong == {}


def test_edges_import_neither_each_other_nor_infrastructure() -> None:
    wrong = {
        path: bad
        for path, names in found_imports().items()
        if (own := package_of(path)) in EDGES
        and (bad := tops(names) & ((EDGES - {own}) | {"aws_cdk", "stacks", "kit", "local"}))
    }
    assert wrong == {}


def test_stacks_import_only_settings_models_and_routes_of_the_core() -> None:
    wrong = {
        path: bad
        for path, names in found_imports().items()
        if package_of(path) == "stacks"
        and (
            bad := {
                name
                for name in names
                if tops([name]) & {*EDGES, "kit", "local"}
                or (name.startswith("claude_core.") and not name.startswith(OF_STACKS))
            }
        )
    }
    assert wrong == {}


def test_jobs_are_unknown_to_the_service_and_to_the_rest_of_the_core() -> None:
    """The chat service's bundle goes without them."""
    wrong = [
        path
        for path, names in found_imports().items()
        if package_of(path) == "service_src"
        or (package_of(path) == "claude_core" and path.parent.name != "jobs")
        if any(name.startswith("claude_core.jobs") for name in names)
    ]
    assert wrong == []


def test_sdk_environment_and_query_strings_are_each_read_in_one_place() -> None:
    for path, names in found_imports().items():
        if package_of(path) not in {"claude_core", *EDGES}:
            continue
        text = path.read_text()
        if path.name not in ("client.py", "raised.py", "sdk_options.py", "lazy.py"):
            assert "anthropic" not in tops(names), path
            assert "claude_core.lazy.anthropic" not in names, path
        if path.name != "settings.py":
            assert not re.search(r"\bos\.(environ|getenv)\b", text), path
        if path.name != "gateway.py":
            assert "queryStringParameters" not in text, path


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


def test_every_pattern_has_its_page() -> None:
    for pattern in PATTERNS:
        name = pattern.__name__.removesuffix("Stack").lower()
        page = ROOT / "docs" / "patterns" / f"{name}.md"
        assert pattern.__name__ in page.read_text()
        assert f"docs/patterns/{name}.md" in (ROOT / "README.md").read_text()


def test_every_local_link_in_the_docs_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_mypy_reads_the_types_of_every_service_that_is_imported_and_of_no_other() -> None:
    """What it does not read it takes for anything."""
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    (read,) = [one["module"] for one in overrides if one.get("follow_imports") == "normal"]
    modules = {module.name for module in pkgutil.iter_modules(aws_cdk.__path__, "aws_cdk.")}
    files = [*SOURCES, ROOT / "app.py", *(ROOT / "tests").rglob("*.py")]
    imported = {name for path in files for name in imports(path)} & modules
    assert sorted(read) == sorted({"aws_cdk", *imported})
