"""Which Claude models there are, what they take, and what a call costs.

Money is counted in nano-dollars (1e-9 USD), as whole numbers. Only what halves or multiplies a
whole call (a batch, a region) can leave a fraction of one, and it is rounded up, once a call.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from claude_core.errors import NotFound
from claude_core.usage import Usage

NANO = 1_000_000_000
CHECKED_ON = "2026-11-24"
"""When ids, limits and prices were last compared with platform.claude.com/docs."""

WEB_SEARCH = 10_000_000
"""Nano-dollars a search (10 USD a thousand); what it finds is read as input tokens besides."""
IN_US = 11, 10
"""What a call costs more where inference must stay in the United States: 1.1x, on every token."""
DEAREST_FAST = 6
"""What fast has cost at most (Opus 4.6): for an answer that says fast, unasked."""


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-dollars a token. Cache writes cost 1.25x (5 minutes) and 2x (1 hour) of the input."""

    input: int
    output: int
    cache_read: int

    def __post_init__(self) -> None:
        if min(self.input, self.output, self.cache_read) <= 0:
            raise ValueError(f"{self}: a model without a price cannot be held to a budget")

    def of(self, usage: Usage) -> int:
        """Of the tokens alone, in quarters of a nano-dollar: 1.25x has no fraction in them."""
        return (
            usage.input_tokens * self.input * 4
            + usage.output_tokens * self.output * 4
            + usage.cache_read_tokens * self.cache_read * 4
            + usage.cache_write_5m_tokens * self.input * 5
            + usage.cache_write_1h_tokens * self.input * 8
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model that the kit can price. `role` is the alias that callers may use for it."""

    id: str
    role: str | None
    display_name: str
    price: Price
    price_long: Price | None = None
    """For prompts above `LONG_PROMPT_TOKENS`, where the model has such a tier."""
    fast: int | None = None
    """What `speed: fast` multiplies the tokens' price by; where none is known it is refused."""
    least_thinking: str = "adaptive"
    """The `thinking.type` that has it think least; "adaptive": it always thinks."""
    free_refusals: bool = False
    """A request that is refused before any output is not billed (documented for Fable alone)."""
    max_input_tokens: int = 1_000_000
    max_tokens: int = 128_000
    cache_min_tokens: int = 512
    """A shorter prefix is not cached, and nothing says so."""
    created_at: str = "1970-01-01T00:00:00Z"
    """The epoch where the release date is not known, as the Messages API does."""

    def cost(self, usage: Usage, stop_reason: str | None = None) -> int:
        """What an answer costs, in nano-dollars."""
        if self.free_refusals and stop_reason == "refusal" and not usage.output_tokens:
            return 0
        long = self.price_long is not None and usage.prompt_tokens > LONG_PROMPT_TOKENS
        cost = (self.price_long if long and self.price_long else self.price).of(usage)
        over = 4
        if usage.fast:
            cost *= self.fast or DEAREST_FAST
        if usage.in_us:
            cost, over = cost * IN_US[0], over * IN_US[1]
        if usage.batch:
            over *= 2
        return -(-cost // over) + usage.web_searches * WEB_SEARCH

    def worst_cost(self, most: Usage, *, cache: str | None = None) -> int:
        """The most that a call can cost that uses `most`, whose input is all that it may read.

        Args:
            cache: the longest ttl that it may be written to a cache for, "5m" or "1h".
        """
        read, as_read = most.input_tokens, replace(most, input_tokens=0)
        match cache:
            case None:
                return self.cost(most)
            case "5m":
                return self.cost(replace(as_read, cache_write_5m_tokens=read))
            case _:
                return self.cost(replace(as_read, cache_write_1h_tokens=read))

    def cache_savings(self, usage: Usage) -> int:
        """What the prompt cache saved against none, in nano-dollars; negative where it cost."""
        fresh = replace(
            usage,
            input_tokens=usage.prompt_tokens,
            cache_read_tokens=0,
            cache_write_5m_tokens=0,
            cache_write_1h_tokens=0,
        )
        return self.cost(fresh) - self.cost(usage)

    def to_json(self) -> dict[str, Any]:
        """The model as `GET /v1/models` of the Messages API lists it."""
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.display_name,
            "created_at": self.created_at,
            "lifecycle": "active",
            "max_input_tokens": self.max_input_tokens,
            "max_tokens": self.max_tokens,
        }


LONG_PROMPT_TOKENS = 100_000

# Prices, limits, dates, and what turns thinking off: platform.claude.com/docs/en/models, read on
# CHECKED_ON. Shortest cached prefixes: 512 tokens for Opus 5 and Fable 5, 1,024 for Sonnet 5
# (prompt-caching page); for Haiku 5.5 no figure was found: Haiku 4.5's 4,096 stands in, so that
# none is paid for without effect.
MODELS = (
    Model(
        id="claude-haiku-5-5",
        role="fast",
        display_name="Claude Haiku 5.5",
        least_thinking="disabled",
        cache_min_tokens=4_096,
        created_at="2026-10-07T00:00:00Z",
        price=Price(input=100, output=500, cache_read=10),
        price_long=Price(input=500, output=2_500, cache_read=50),
    ),
    Model(
        id="claude-sonnet-5-5",
        role="balanced",
        display_name="Claude Sonnet 5.5",
        least_thinking="between_tools",
        cache_min_tokens=1_024,
        created_at="2026-09-28T00:00:00Z",
        price=Price(input=2_000, output=10_000, cache_read=100),
    ),
    Model(
        id="claude-opus-5-5",
        role="deep",
        display_name="Claude Opus 5.5",
        price=Price(input=4_000, output=20_000, cache_read=200),
        fast=2,
    ),
    Model(
        id="claude-fable-5-1",
        role=None,
        display_name="Claude Fable 5.1",
        price=Price(input=10_000, output=50_000, cache_read=250),
        free_refusals=True,
    ),
)

ROLES = tuple(model.role for model in MODELS if model.role)


def resolve(name: str, models: Iterable[Model] = MODELS) -> Model:
    """The model that `name` means: a role (`fast`, `balanced`, `deep`) or a model id.

    Raises:
        NotFound: nothing of that name can be priced here.
    """
    for model in models:
        if name in (model.role, model.id):
            return model
    known = ", ".join([*ROLES, *(model.id for model in models)])
    raise NotFound(f"model: {name[:100]!r} is not one of {known}")
