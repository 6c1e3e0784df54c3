"""The examples of docs/workflows.md run, and are those that `make local` deploys."""

import asyncio
import re
from pathlib import Path
from typing import Any

from claude_core.clients import ClientKey
from claude_core.incoming import Incoming
from claude_core.serve import Kit
from claude_core.telemetry import Telemetry
from local import workflows
from local.fake_claude.inprocess import Fake
from tests.core.asking import asked
from tests.doubles import AwsDouble

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/workflows.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(aws: AwsDouble, claude: Fake, text: str) -> dict[str, Any]:
    """What the page's own lines leave behind, inside a service."""
    settings, (key, _) = aws.settings(claude.url), aws.add_client()
    use = BLOCKS[-1].replace("\n", "\n    ")
    source = f"async def used(kit, incoming, key, diff, deadline):\n    {use}\n    return locals()"
    found = {**vars(workflows)}
    exec("from claude_core.workflows import Work\n" + source, found)  # nosec B102: our own page

    async def inner() -> dict[str, Any]:
        kit = Kit.build(settings, aws.runtime, Telemetry("tests"))
        try:
            deadline, proof = asyncio.get_running_loop().time() + 10, ClientKey.parse(key)
            return dict(await found["used"](kit, Incoming("r"), proof, text, deadline))
        finally:
            await kit.close()

    return asyncio.run(inner())


def test_the_workflows_of_the_page_are_the_ones_that_are_deployed() -> None:
    file = (ROOT / "local/workflows.py").read_text()
    assert len(BLOCKS) == 3
    for block in BLOCKS[:2]:
        assert block in file


def test_a_service_runs_one_as_the_page_says(aws: AwsDouble, claude: Fake) -> None:
    claude.plan([{"name": "answer", "text": text} for text in ("- faster", "It is faster.")])
    left = run(aws, claude, "+ cache")
    assert left["note"] == {"facts": "- faster", "note": "It is faster."}
    assert left["work"].cost > 0
    assert asked(claude) == 2
