"""What goes to Claude and how often; how it fails is in test_traps.py."""

from typing import Any

from claude_core import messages
from local.fake_claude.inprocess import Fake
from tests.core.asking import ask
from tests.doubles import CLAUDE_KEY, AwsDouble

BETA = "structured-outputs-2025-11-13"


def test_an_answer_is_whole_and_as_it_came(aws: AwsDouble, claude: Fake) -> None:
    reply = ask(aws, claude)
    assert reply.text
    assert reply.stop_reason == "end_turn"
    assert reply.request_id
    assert reply.usage.output_tokens > 0


def test_the_request_arrives_byte_for_byte_with_the_key_of_the_secret(
    aws: AwsDouble, claude: Fake
) -> None:
    body: dict[str, Any] = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 60,
        "messages": [{"role": "user", "content": "Grüße, 世界 🌍"}],
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    }
    sent = {"anthropic-beta": BETA, "anthropic-version": "2023-06-01", "x-other": "stays here"}
    request = messages.request(body, sent)
    ask(aws, claude, request=request)
    (record,) = claude.stats()["requests"]
    assert claude.body(record["id"]) == request.wire
    # One credential, and the right one: the SDK would send its own placeholder beside another.
    assert record["headers"]["authorization"].endswith(CLAUDE_KEY[-4:])
    assert "x-api-key" not in record["headers"]
    assert record["headers"]["anthropic-beta"] == BETA
    assert record["headers"]["anthropic-version"] == "2023-06-01"
