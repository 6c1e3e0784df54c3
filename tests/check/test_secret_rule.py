"""The rule that keeps keys out of the repository finds them, and nothing else."""

import pytest

from claude_core.clients import new_key
from tests.check.claude_keys import ClaudeKeyDetector

pytestmark = pytest.mark.check


@pytest.mark.parametrize(
    "key", [new_key(), "sk-ant-" + "api03-" + "Ab3_" * 24], ids=["ours", "Claude's"]
)
def test_a_key_in_a_line_is_found(key: str) -> None:
    found = ClaudeKeyDetector().analyze_line("f.py", f'KEY = "{key}"', 1)
    assert {one.secret_value for one in found} == {key}


@pytest.mark.parametrize("line", ["sk-ant-…", "ck_ and 43 characters", "stack_" + "a" * 60])
def test_words_about_keys_are_not_keys(line: str) -> None:
    assert not ClaudeKeyDetector().analyze_line("f.py", line, 1)
