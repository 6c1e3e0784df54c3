"""The examples of docs/workflows.md run."""

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

DOCS = Path(__file__).parents[2] / "docs/workflows.md"


def examples() -> dict[str, Any]:
    """What the page's code defines, with what it says that it takes."""
    found: dict[str, Any] = dict(vars(workflows))
    for block in re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL):
        exec(block, found)  # nosec B102: our own page
    return found


def run(aws: AwsDouble, claude: Fake, name: str, text: str) -> Any:
    settings, (key, _) = aws.settings(claude.url), aws.add_client()

    async def inner() -> Any:
        kit = Kit.build(settings, aws.runtime, Telemetry("tests"))
        try:
            deadline = asyncio.get_running_loop().time() + 10
            proof = ClientKey.parse(key)
            return await examples()[name](kit, Incoming("r"), proof, text, deadline=deadline)
        finally:
            await kit.close()

    return asyncio.run(inner())


def test_the_chain_of_the_page(aws: AwsDouble, claude: Fake) -> None:
    claude.plan([{"name": "answer", "text": text} for text in ("- faster", "It is faster.")])
    assert run(aws, claude, "release_note", "+ cache") == "It is faster."


def test_the_parallel_one_of_the_page(aws: AwsDouble, claude: Fake) -> None:
    text, cost = run(aws, claude, "reviewed", "We deliver on Monday.")
    assert text
    assert cost > 0
    assert asked(claude) == 4
