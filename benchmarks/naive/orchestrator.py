"""The orchestrator that most teams write first: a label as free text, a dictionary, two calls."""

import anthropic

MODELS = {
    "question": "claude-haiku-5-5",
    "task": "claude-sonnet-5-5",
    "creative": "claude-sonnet-5-5",
    "code": "claude-sonnet-5-5",
}
client = anthropic.Anthropic()


def classify_then_respond(user_input: str) -> str:
    label = client.messages.create(
        model="claude-haiku-5-5",
        max_tokens=32,
        messages=[
            {
                "role": "user",
                "content": "Classify as: question, task, creative or code. One word.\n\n"
                + user_input[:200],
            }
        ],
    )
    intent = label.content[0].text.strip().lower()  # type: ignore[union-attr]
    answer = client.messages.create(
        model=MODELS.get(intent, "claude-sonnet-5-5"),
        max_tokens=4_096,
        messages=[{"role": "user", "content": user_input}],
    )
    return answer.content[0].text  # type: ignore[union-attr]
