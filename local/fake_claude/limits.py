"""Rate limits by model line: shown in the headers of answers, and enforced when that is asked."""

import datetime as dt
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from local.fake_claude.bucket import Bucket
from local.fake_claude.errors import ApiError
from local.fake_claude.models import MODELS

WINDOW_S = 60.0
BATCHES = "batches"
"""The routes of message batches have one limit of their own, whatever the model."""
LINES = (*dict.fromkeys(model.line for model in MODELS), BATCHES)
SHOWN = {"requests": 4_000, "input_tokens": 4_000_000, "output_tokens": 800_000}
"""What the headers say where nothing is enforced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is enforced for one line, or for all model lines that have no rule of their own."""

    line: str | None = None
    requests: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    window_s: float = WINDOW_S
    """The limits are for so long, and an empty bucket is full again after it."""


class RateLimits:
    """The buckets of every line, full at first."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._rules: dict[str | None, Rule] = {}
        self._buckets: dict[str, dict[str, Bucket]] = {}
        for rule in rules:
            self.set(rule)

    def set(self, rule: Rule) -> None:
        """Follow this rule from now on; the buckets that it is about are full."""
        self._rules[rule.line] = rule
        if rule.line is None:
            self._buckets.clear()
        else:
            self._buckets.pop(rule.line, None)

    def admit(self, line: str, input_tokens: Callable[[], int]) -> int:
        """Take a request and its prompt out of the buckets, or refuse it.

        Args:
            input_tokens: estimates the prompt, less what is cached; called where it matters.

        Returns:
            What was taken for the prompt.
        """
        buckets = self._line(line)
        asked = {"requests": 1, "input_tokens": 0, "output_tokens": 1}
        if buckets["input_tokens"].enforced:
            asked["input_tokens"] = input_tokens()
        waits = {
            name: bucket.wait_s(asked[name]) for name, bucket in buckets.items() if bucket.enforced
        }
        longest = max(waits, key=lambda name: waits[name], default=None)
        if longest is not None and waits[longest] > 0:
            raise self._refusal(line, longest, waits[longest])
        buckets["requests"].take(1)
        buckets["input_tokens"].take(asked["input_tokens"])
        return asked["input_tokens"]

    def settle(self, line: str, *, input_tokens: int, output_tokens: int) -> None:
        """Take what an answer used beyond what was taken when it was admitted."""
        buckets = self._line(line)
        buckets["input_tokens"].take(input_tokens)
        buckets["output_tokens"].take(output_tokens)

    def headers(self, line: str, *, exhausted: bool = False) -> dict[str, str]:
        """The `anthropic-ratelimit-*` headers; `exhausted` as if nothing were left."""
        now, found = time.time(), {}
        for name, limit, left, full_in_s in self._rows(line):
            at = now + (WINDOW_S if exhausted else full_in_s)
            found[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            found[f"anthropic-ratelimit-{name}-remaining"] = "0" if exhausted else str(left)
            found[f"anthropic-ratelimit-{name}-reset"] = _stamp(math.ceil(at))
        return found

    def _rows(self, line: str) -> list[tuple[str, int, int, float]]:
        rows = [
            (name.replace("_", "-"), int(each.limit), max(0, int(each.level)), each.full_in_s())
            for name, each in self._line(line).items()
        ]
        if line == BATCHES:
            return rows[:1]
        both = rows[1:]
        limit, left = sum(row[1] for row in both), sum(row[2] for row in both)
        return [*rows, ("tokens", limit, left, max(row[3] for row in both))]

    def _line(self, line: str) -> Mapping[str, Bucket]:
        buckets = self._buckets.get(line)
        if buckets is None:
            common = Rule() if line == BATCHES else self._rules.get(None, Rule())
            rule = self._rules.get(line, common)
            limits = {name: getattr(rule, name) for name in SHOWN}
            buckets = self._buckets[line] = {
                name: Bucket(limit or SHOWN[name], rule.window_s, enforced=limit is not None)
                for name, limit in limits.items()
            }
        return buckets

    def _refusal(self, line: str, name: str, wait_s: float) -> ApiError:
        rule = self._rules.get(line) or self._rules[None]  # one of them refused
        window = "minute" if rule.window_s == WINDOW_S else f"{rule.window_s:g} seconds"
        return ApiError(
            429,
            f"This request would exceed your organization's rate limit of "
            f"{getattr(rule, name):,} {name.replace('_', ' ')} per {window} (model line: {line}).",
            headers={"retry-after": str(math.ceil(wait_s))},
        )


def read_rule(given: Any) -> Rule:
    """A rule as it is posted, or what is wrong with it (ValueError)."""
    known = [each.name for each in fields(Rule)]
    if not isinstance(given, Mapping) or not given.keys() <= set(known):
        raise ValueError(f"a rule is an object with some of {', '.join(known)}")
    for name, value in given.items():
        if name == "line":
            if value not in (None, *LINES):
                raise ValueError(f"line: {value!r} is none of {', '.join(LINES)}")
        elif not (_is_above_0(value) or (value is None and name != "window_s")):
            raise ValueError(f"{name}: {value!r} is not a number above 0")
    return Rule(**given)


def _is_above_0(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


@lru_cache(maxsize=256)
def _stamp(second: int) -> str:
    return dt.datetime.fromtimestamp(second, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
