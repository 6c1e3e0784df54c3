"""What a call costs: worked out by hand here, to the nano-dollar."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from claude_core.errors import NotFound
from claude_core.models import MODELS, NANO, Model, Price, resolve
from claude_core.usage import Usage

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("model", "usage", "usd"),
    [
        ("fast", Usage(input_tokens=1_000_000 // 10, output_tokens=1_000), 0.0105),
        ("fast", Usage(input_tokens=100_001), 0.0500005),  # above 100,000: the long tier
        ("fast", Usage(cache_read_tokens=100_000), 0.001),
        ("fast", Usage(input_tokens=60_000, cache_read_tokens=60_000), 0.033),  # long by the sum
        ("balanced", Usage(input_tokens=1_000_000), 2.0),
        ("balanced", Usage(output_tokens=1_000_000), 10.0),
        ("balanced", Usage(cache_read_tokens=1_000_000), 0.1),
        ("balanced", Usage(cache_write_5m_tokens=1_000_000), 2.5),
        ("balanced", Usage(cache_write_1h_tokens=1_000_000), 4.0),
        ("deep", Usage(input_tokens=500_000, output_tokens=100_000), 4.0),
        ("deep", Usage(cache_read_tokens=1_000_000), 0.2),
        ("claude-fable-5-1", Usage(input_tokens=1_000, cache_read_tokens=1_000), 0.01025),
    ],
)
def test_prices_are_the_published_ones(model: str, usage: Usage, usd: float) -> None:
    assert resolve(model).cost(usage) == round(usd * NANO)


def test_usage_is_read_as_the_messages_api_writes_it() -> None:
    written = {
        "input_tokens": 5,
        "output_tokens": 7,
        "cache_read_input_tokens": 11,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        "service_tier": "batch",
        "speed": "fast",
        "inference_geo": "us",
    }
    usage = Usage.from_json(written)
    assert usage == Usage(
        input_tokens=5,
        output_tokens=7,
        cache_read_tokens=11,
        cache_write_5m_tokens=10,
        cache_write_1h_tokens=20,
        web_searches=2,
        batch=True,
        fast=True,
        in_us=True,
    )
    assert usage.prompt_tokens == 46


@pytest.mark.parametrize("missing", [None, {}])
def test_usage_without_cache_fields_is_not_an_error(missing: object) -> None:
    usage = Usage.from_json({"input_tokens": 1, "cache_creation": missing})
    assert usage == Usage(input_tokens=1)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
@pytest.mark.parametrize("read", [10, 100_000, 100_001, 999_999])
def test_the_worst_cost_is_never_below_what_a_call_can_cost(model: Model, read: int) -> None:
    worst = model.worst_cost(Usage(input_tokens=read, output_tokens=500), cache="1h")
    for usage in (
        Usage(input_tokens=read, output_tokens=500),
        Usage(cache_write_5m_tokens=read, output_tokens=500),
        Usage(cache_write_1h_tokens=read, output_tokens=500),
        Usage(cache_read_tokens=read, output_tokens=500),
    ):
        assert model.cost(usage) <= worst


def test_a_model_without_a_price_cannot_be_written_down_so_that_synth_and_start_refuse_it() -> None:
    with pytest.raises(ValueError, match="cannot be held to a budget"):
        Price(input=0, output=500, cache_read=10)
    with pytest.raises(TypeError, match="price"):
        Model(id="claude-new", role=None, display_name="New")  # type: ignore[call-arg]


def test_synth_reads_the_prices_so_that_a_missing_one_stops_it(tmp_path: Path) -> None:
    broken = (ROOT / "claude_core" / "models.py").read_text().replace("input=2_000", "input=0")
    copy = tmp_path / "copy"
    for package in ("claude_core", "stacks"):
        shutil.copytree(ROOT / package, copy / package)
    (copy / "claude_core" / "models.py").write_text(broken)
    done = subprocess.run(
        [sys.executable, "-c", "import stacks.parts.rules"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot be held to a budget" in done.stderr


def test_roles_are_aliases_and_ids_stand_for_themselves() -> None:
    assert resolve("fast").id == "claude-haiku-5-5"
    assert resolve("claude-opus-5-5").role == "deep"


@pytest.mark.parametrize("name", ["", "claude-sonnet-4-20250514", "FAST", "x" * 10_000])
def test_a_model_without_a_price_is_refused_with_the_names_that_exist(name: str) -> None:
    with pytest.raises(NotFound, match="fast, balanced, deep") as refused:
        resolve(name)
    assert len(refused.value.message) < 400


def test_what_the_cache_saved_is_what_the_same_tokens_would_have_cost_without_it() -> None:
    sonnet = resolve("balanced")
    read = Usage(input_tokens=10, cache_read_tokens=1_000, output_tokens=5)
    assert sonnet.cache_savings(read) == 1_000 * (2_000 - 100)
    written = Usage(cache_write_5m_tokens=1_000)
    assert sonnet.cache_savings(written) == -1_000 * 500  # a write costs a quarter more
    assert sonnet.cache_savings(Usage(input_tokens=1_000, output_tokens=5)) == 0
