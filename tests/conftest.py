"""What every tier shares: no real credentials, one AWS double, one fake Claude."""

import logging
import os
import ssl
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import pytest
from aws_lambda_powertools import Logger
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# Before anything starts jsii: Node 20 would print a banner into every run.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

from claude_core.redacted import Redacted
from local.fake_claude.inprocess import Fake, serve
from tests import needs
from tests.doubles import CLAUDE_KEY, AwsDouble

# A busy machine is not a finding: what is drawn is the same however long the drawing takes.
settings.register_profile("kit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kit")


# Each HTTP client reads the list of authorities, which takes 27 ms; no test speaks TLS.
pytest.MonkeyPatch().setattr(ssl, "create_default_context", cache(ssl.create_default_context))

TIERS = {"check": "check", "benchmarks": "check", "browser": "browser", "image": "image"}
"""Folders whose tests need more than requirements.txt, and the tier that each belongs to."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the folder of a tier unread where the tier is not asked for: what its modules import
    may not be installed then."""
    if collection_path.parent != Path(__file__).parent:
        return None
    tier = TIERS.get(collection_path.name)
    return True if tier and f"not {tier}" in config.option.markexpr else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where the whole of a set is asked for (tests/sweep.py), leave out its part."""
    if "not sweep" in config.option.markexpr:
        return
    parts = [item for item in items if item.get_closest_marker("part")]
    config.hook.pytest_deselected(items=parts)
    items[:] = [item for item in items if item not in parts]


SYNTH = ("templates", "wiring", "contracts")
"""Folders whose tests read templates."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run files that are named one by one in this process: to start others would take longer."""
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return 0 if named and all(".py" in one for one in config.args) else None


class SameProcess(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Keeps what reads the same templates or bundles in one process, so that they are made once.

    What xdist's own `loadgroup` is for; with pytest 9.2 that one groups nothing, in silence: it
    writes the group to a field of a test that pytest no longer reads (xdist 3.8).
    """

    def _split_scope(self, nodeid: str) -> str:
        folder, _, inside = nodeid.removeprefix("tests/").partition("/")
        if folder in SYNTH:
            return "synth"
        return inside.partition("::")[0] if folder == "check" else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SameProcess | None:
    return SameProcess(config, log) if config.getoption("dist") == "loadscope" else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what needs a missing program; here, not in a fixture, so that all of them are one
    line of the summary."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            needs.program(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds of each folder, all processes together."""
    spent = defaultdict[str, float](float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                spent["/".join(report.nodeid.split("::")[0].split("/")[:2])] += report.duration
    if len(spent) > 1:
        parts = (f"{folder} {seconds:.0f}" for folder, seconds in sorted(spent.items()))
        terminalreporter.write_line(f"seconds by folder: {', '.join(parts)}")


@pytest.fixture(autouse=True)
def no_real_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that forgets its double must fail, not reach somebody's account."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "ANTHROPIC_", "KIT_")) and name != "AWS_CA_BUNDLE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class ToStdout(logging.StreamHandler[TextIO]):
    """Writes to what is `sys.stdout` at the time of writing.

    The handler that a service's logger makes keeps the one of the test that came first: no later
    test sees a line of what it captures, or, where that one was closed, finds only tracebacks.
    """

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout  # the one before is flushed, and may be closed
        super().emit(record)


@pytest.fixture(scope="session", autouse=True)
def log_of_the_services() -> None:
    for service in ("tests", "worker"):
        Logger(service=service, logger_handler=ToStdout(), logger_formatter=Redacted())


@pytest.fixture(scope="session")
def aws_server() -> Iterator[AwsDouble]:
    with AwsDouble() as double:
        yield double


@pytest.fixture
def aws(aws_server: AwsDouble) -> AwsDouble:
    """moto on loopback, empty."""
    aws_server.reset()
    return aws_server


@pytest.fixture(scope="session")
def claude_server() -> Iterator[Fake]:
    with serve() as fake:
        yield fake


@pytest.fixture
def claude(claude_server: Fake) -> Fake:
    """The fake Claude on loopback, with nothing planned and nothing counted."""
    claude_server.reset()
    claude_server.keys([CLAUDE_KEY])
    return claude_server
