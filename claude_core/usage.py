"""What one answer used, as the `usage` of the Messages API says it."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens by how they are priced, searches, and what changes the price of all of them."""

    input_tokens: int = 0
    output_tokens: int = 0
    """Thinking included: `output_tokens_details` only tells how many of them it was."""
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_searches: int = 0
    batch: bool = False
    """Answered by the Message Batches API, at half price."""
    fast: bool = False
    in_us: bool = False
    """Inference was kept in the United States."""

    @classmethod
    def from_json(cls, usage: dict[str, Any]) -> "Usage":
        """Read a `usage` object; what it leaves out, or says null to, is nothing used."""
        written = usage.get("cache_creation_input_tokens") or 0
        by_ttl = usage.get("cache_creation") or {}
        one_hour = by_ttl.get("ephemeral_1h_input_tokens") or 0
        five_minutes = by_ttl.get("ephemeral_5m_input_tokens")
        if five_minutes is None:
            five_minutes = max(0, written - one_hour)
        return cls(
            input_tokens=usage.get("input_tokens") or 0,
            output_tokens=usage.get("output_tokens") or 0,
            cache_read_tokens=usage.get("cache_read_input_tokens") or 0,
            cache_write_5m_tokens=five_minutes,
            cache_write_1h_tokens=one_hour,
            web_searches=(usage.get("server_tool_use") or {}).get("web_search_requests") or 0,
            batch=usage.get("service_tier") == "batch",
            fast=usage.get("speed") == "fast",
            in_us=usage.get("inference_geo") == "us",
        )

    def __add__(self, other: "Usage") -> "Usage":
        """Tokens and searches of two answers, of this one's kind."""
        return replace(
            self,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_5m_tokens=self.cache_write_5m_tokens + other.cache_write_5m_tokens,
            cache_write_1h_tokens=self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            web_searches=self.web_searches + other.web_searches,
        )

    @property
    def cache_write_tokens(self) -> int:
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def prompt_tokens(self) -> int:
        """Everything read, however it was priced: what a tier is chosen by."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens
