"""What a caller sends arrives at Claude byte for byte."""

import json
from typing import Any

import pytest

from tests.handlers.served import MESSAGE, Served

TEXT = 'Grüße, 世界 🌍 \\ud83d is text \u2028 \x00 " \\'
PASSED: dict[str, dict[str, Any]] = {
    "unicode": {"messages": [{"role": "user", "content": TEXT}]},
    "system": {"system": [{"type": "text", "text": TEXT, "cache_control": {"type": "ephemeral"}}]},
    "tools and their results": {
        "tools": [{"name": "look", "description": TEXT, "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "messages": [
            {"role": "user", "content": "look"},
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}}
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "content": TEXT,
                        "is_error": True,
                    }
                ],
            },
        ],
    },
    "image and document": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="},
                    },
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": TEXT},
                        "title": TEXT,
                        "citations": {"enabled": True},
                    },
                    {
                        "type": "text",
                        "text": "?",
                        "cache_control": {"type": "ephemeral", "ttl": "1h"},
                    },
                ],
            }
        ],
    },
    "thinking": {
        "thinking": {
            "type": "adaptive",
            "block_binding": {"prefix_mismatch_behavior": "drop_block"},
        }
    },
    "structured output": {
        "output_config": {
            "effort": "low",
            "format": {
                "type": "json_schema",
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "string"}},
                    "required": ["a"],
                    "additionalProperties": False,
                },
            },
        }
    },
    "the rest": {"stop_sequences": [TEXT], "metadata": {"user_id": "u1"}},
}


@pytest.mark.parametrize("what", PASSED)
def test_what_passes_arrives_at_claude_byte_for_byte(served: Served, what: str) -> None:
    sent = MESSAGE | PASSED[what]
    betas = "structured-outputs-2025-11-13,thinking-binding-controls-2026-08-01"
    headers = {"anthropic-beta": betas, "anthropic-version": "2023-06-01"}
    content = json.dumps(sent, ensure_ascii=False).encode()
    answer = served.post(content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    (record,) = served.claude.stats()["requests"]
    resolved = content.replace(b'"fast"', b'"claude-haiku-5-5"', 1)
    assert served.claude.body(record["id"]) == resolved
    assert {name: record["headers"][name] for name in headers} == headers
