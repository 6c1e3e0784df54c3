"""Whatever is sent, the fake answers or refuses: a 500 of its own would look like Claude's."""

from typing import Any

import httpx2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fake_claude.conftest import ask

LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
KINDS = st.sampled_from(["text", "tool_result", "document", "image", "object", "array"])
OF_BLOCKS = ["type", "text", "content", "source", "data", "role", "name", "cache_control", "ttl"]
OF_SCHEMAS = ["format", "schema", "input_schema", "properties", "items", "enum", "anyOf", "$ref"]
NAMES = st.sampled_from([*OF_BLOCKS, *OF_SCHEMAS])
ANY = st.recursive(
    LEAF | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
PLAIN = ["max_tokens", "model", "stream", "stop_sequences", "metadata", "service_tier"]
NESTED = ["messages", "system", "tools", "tool_choice", "thinking", "output_config"]
FIELDS = st.sampled_from([*PLAIN, *NESTED, "cache_control"])


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=st.dictionaries(FIELDS, ANY, max_size=3), content=ANY)
def test_no_body_makes_the_fake_fail(
    http: httpx2.Client, changes: dict[str, Any], content: Any
) -> None:
    messages = [{"role": "user", "content": [{"type": "tool_result", "content": content}]}]
    for body in ({**ask(), **changes}, ask(messages=messages), ask(system=content)):
        answer = http.post("/v1/messages", json=body)
        assert answer.status_code in (200, 400, 404), answer.text
    assert http.get("/_fake/stats").status_code == 200
