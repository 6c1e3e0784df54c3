"""The examples of docs/workflows.md run as they are printed."""

import asyncio
import re
from pathlib import Path
from typing import Any

from claude_core import workflows
from claude_core.clients import ClientKey
from claude_core.incoming import Incoming
from claude_core.serve import Kit
from claude_core.telemetry import Telemetry
from local.fake_claude.inprocess import Fake
from tests.core.asking import asked
from tests.doubles import AwsDouble

PAGE = (Path(__file__).parents[2] / "docs/workflows.md").read_text()
*DEFINITIONS, SERVICE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(aws: AwsDouble, claude: Fake, use: str, text: str) -> dict[str, Any]:
    """The variables that the lines of `use` leave behind, inside a service."""
    settings, (key, _) = aws.settings(claude.url), aws.add_client()
    lines = use.replace("\n", "\n    ")
    source = (
        f"async def used(kit, incoming, key, diff, deadline):\n    {lines}\n    return locals()"
    )
    found = {**vars(workflows)}
    exec("\n".join([*DEFINITIONS, source]), found)  # nosec B102: our own page

    async def inner() -> dict[str, Any]:
        kit = Kit.build(settings, aws.runtime, Telemetry("tests"))
        try:
            deadline, proof = asyncio.get_running_loop().time() + 10, ClientKey.parse(key)
            return dict(await found["used"](kit, Incoming("r"), proof, text, deadline))
        finally:
            await kit.close()

    return asyncio.run(inner())


def test_chain_of_the_page_runs_in_a_service(aws: AwsDouble, claude: Fake) -> None:
    claude.plan([{"name": "answer", "text": text} for text in ("- faster", "It is faster.")])
    left = run(aws, claude, SERVICE, "+ cache")
    assert left["note"] == {"facts": "- faster", "note": "It is faster."}
    assert left["work"].cost > 0
    assert asked(claude) == 2


def test_parallel_calls_of_the_page_run_and_are_joined(aws: AwsDouble, claude: Fake) -> None:
    claude.plan([{"name": "answer", "text": text} for text in ("a", "b", "c", "All three.")])
    use = SERVICE.replace("release_note", "reviewed")
    assert run(aws, claude, use, "We deliver on Monday.")["note"] == "All three."
    assert asked(claude) == 4
