"""What is written down of each call, and what never is; what the prompt cache saves."""

import json
from typing import Any

import pytest

from tests.doubles import CLAUDE_KEY
from tests.handlers.served import MESSAGE, STREAM, Served


def test_an_error_that_nobody_expected_is_a_500_without_its_words(
    served: Served, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("-".join(("canary", "5c1d")))  # not in the source line

    monkeypatch.setattr("claude_core.messages.request", broken)
    answer = served.post(STREAM)
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "api_error")
    written = "".join(capfd.readouterr())
    assert "crashes" in written
    assert "canary-5c1d" not in answer.text + written


def test_no_prompt_no_answer_and_no_key_is_in_any_log(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-7f3a"
    hello = [{"role": "user", "content": canary}]
    for script in ("answer", "stream_error", "cut", "bad_request", "reset"):
        served.claude.plan([f"{script} message={canary}" if script == "bad_request" else script])
        served.events(messages=hello)
        served.post(MESSAGE | {"messages": hello})
    served.post(STREAM | {canary: 1})
    written = "".join(capfd.readouterr())
    assert "gen_ai.usage.output_tokens" in written
    for secret in (canary, served.key, CLAUDE_KEY):
        assert secret not in written


def test_what_a_call_used_is_counted_under_the_conventions_names(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"  # pragma: allowlist secret
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    served.claude.plan(["overloaded", "answer"])
    answer = served.post(STREAM, headers=headers)
    (counted,) = [
        line for line in map(json.loads, capfd.readouterr().out.splitlines()) if "_aws" in line
    ]
    assert counted["gen_ai.operation.name"] == "chat"
    assert counted["gen_ai.provider.name"] == "anthropic"
    assert counted["gen_ai.request.model"] == counted["gen_ai.response.model"] == "claude-haiku-5-5"
    assert counted["gen_ai.response.finish_reasons"] == ["end_turn"]
    assert counted["gen_ai.request.stream"] is True
    assert counted["gen_ai.usage.input_tokens"][0] > 0
    assert counted["gen_ai.usage.output_tokens"][0] > 0
    assert 0 < counted["gen_ai.response.time_to_first_chunk"][0] < 10
    assert counted["cost_usd"] == [pytest.approx(served.spent() / 1e9)]
    assert counted["retries"] == [1]
    assert counted["client"] == served.client.id
    assert counted["trace_id"] == trace
    assert counted["upstream_request_id"] == answer.headers["request-id"]
    assert counted["upstream_status"] == 200


LONG = [{"role": "user", "content": "The same long document, asked about again and again. " * 400}]


@pytest.mark.parametrize("stream", [False, True])
def test_prompt_caching_is_an_option_of_the_client_and_its_savings_are_counted(
    served: Served, capfd: pytest.CaptureFixture[str], stream: bool
) -> None:
    def ask() -> tuple[dict[str, Any], dict[str, Any]]:
        """What Claude got, and what was counted."""
        assert served.post(MESSAGE | {"messages": LONG, "stream": stream}).status_code == 200
        *_, record = served.claude.stats()["requests"]
        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        (counted,) = [line for line in lines if "_aws" in line]
        return json.loads(served.claude.body(record["id"])), counted

    plain, counted = ask()
    assert "cache_control" not in plain
    assert counted["cache_savings_usd"] == [0]
    served.key, served.client = served.aws.add_client(cache_prompts={"BOOL": True})
    served.http.headers["x-api-key"] = served.key
    before = ask()
    assert before[0] == plain | {"cache_control": {"type": "ephemeral"}}
    assert before[1]["gen_ai.usage.cache_write.input_tokens"][0] > 0
    assert before[1]["cache_savings_usd"][0] < 0
    again = ask()[1]
    assert again["gen_ai.usage.cache_read.input_tokens"][0] > 0
    assert again["cache_savings_usd"][0] > -before[1]["cache_savings_usd"][0]
    assert served.open() == 0
