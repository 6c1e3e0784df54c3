"""Which Claude models there are, what they take, and what a call costs.

Money is counted in nano-dollars (1e-9 USD), as integers: the cheapest token, a cached one read in
a batch by Haiku, is 5 of them, so no price here needs a fraction.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from claude_core.errors import NotFound

NANO = 1_000_000_000
CHECKED_ON = "2026-11-23"
"""When ids, limits and prices were last compared with platform.claude.com/docs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one answer used, in tokens; `from_json` reads the `usage` of the Messages API."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0

    @classmethod
    def from_json(cls, usage: dict[str, Any]) -> "Usage":
        written = usage.get("cache_creation_input_tokens") or 0
        one_hour = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
        return cls(
            input_tokens=usage.get("input_tokens") or 0,
            output_tokens=usage.get("output_tokens") or 0,
            cache_read_tokens=usage.get("cache_read_input_tokens") or 0,
            cache_write_5m_tokens=written - one_hour,
            cache_write_1h_tokens=one_hour,
        )

    @property
    def prompt_tokens(self) -> int:
        """Everything read, however it was priced: what a tier is chosen by."""
        written = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self.input_tokens + self.cache_read_tokens + written


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-dollars a token. Cache writes cost 1.25x (5 minutes) and 2x (1 hour) of the input."""

    input: int
    output: int
    cache_read: int

    def of(self, usage: Usage) -> int:
        return (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_read_tokens * self.cache_read
            + usage.cache_write_5m_tokens * self.input * 5 // 4
            + usage.cache_write_1h_tokens * self.input * 2
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
    max_input_tokens: int = 1_000_000
    max_tokens: int = 128_000
    cache_min_tokens: int = 512
    """A shorter prefix is not cached, and nothing says so."""
    created_at: str = "1970-01-01T00:00:00Z"
    """The epoch where the release date is not known, as the Messages API does."""

    def cost(self, usage: Usage) -> int:
        """What `usage` costs, in nano-dollars."""
        long = self.price_long is not None and usage.prompt_tokens > LONG_PROMPT_TOKENS
        return (self.price_long if long and self.price_long else self.price).of(usage)

    def worst_cost(self, *, input_tokens: int, max_tokens: int, cache: str | None = None) -> int:
        """The most that a call can cost: all that it may read, written to a cache of that ttl."""
        read = min(input_tokens, self.max_input_tokens)
        field = {None: "input_tokens", "5m": "cache_write_5m_tokens"}.get(
            cache, "cache_write_1h_tokens"
        )
        return self.cost(Usage(output_tokens=max_tokens, **{field: read}))

    def cache_savings(self, usage: Usage) -> int:
        """What the prompt cache saved against none, in nano-dollars; negative where it cost."""
        fresh = Usage(input_tokens=usage.prompt_tokens, output_tokens=usage.output_tokens)
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

# Prices, limits and dates: platform.claude.com/docs/en/models, read on CHECKED_ON. Shortest cached
# prefixes: 512 tokens for Opus 5 and Fable 5, 1,024 for Sonnet 5 (prompt-caching page); for Haiku
# 5.5 no figure was found: Haiku 4.5's 4,096 stands in, so that none is paid for without effect.
MODELS = (
    Model(
        id="claude-haiku-5-5",
        role="fast",
        display_name="Claude Haiku 5.5",
        cache_min_tokens=4_096,
        created_at="2026-10-07T00:00:00Z",
        price=Price(input=100, output=500, cache_read=10),
        price_long=Price(input=500, output=2_500, cache_read=50),
    ),
    Model(
        id="claude-sonnet-5-5",
        role="balanced",
        display_name="Claude Sonnet 5.5",
        cache_min_tokens=1_024,
        created_at="2026-09-28T00:00:00Z",
        price=Price(input=2_000, output=10_000, cache_read=100),
    ),
    Model(
        id="claude-opus-5-5",
        role="deep",
        display_name="Claude Opus 5.5",
        price=Price(input=4_000, output=20_000, cache_read=200),
    ),
    Model(
        id="claude-fable-5-1",
        role=None,
        display_name="Claude Fable 5.1",
        price=Price(input=10_000, output=50_000, cache_read=250),
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
