"""The function that most teams write first: what the kit's is measured against."""

import json
from typing import Any

import anthropic


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    client = anthropic.Anthropic()
    body = json.loads(event["body"])
    message = client.messages.create(
        model="claude-haiku-5-5",
        max_tokens=512,
        messages=[{"role": "user", "content": body["prompt"]}],
    )
    text = message.content[0].text  # type: ignore[union-attr]
    tokens = message.usage.input_tokens + message.usage.output_tokens
    return {"statusCode": 200, "body": json.dumps({"text": text, "tokens": tokens})}
