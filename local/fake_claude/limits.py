"""Rate limits as the headers show them; nothing is ever refused here but on request."""

import datetime as dt
import time

WINDOW_S = 60.0
LIMITS = {"requests": 4_000, "input-tokens": 4_000_000, "output-tokens": 800_000}


class RateLimits:
    """What is left of this minute, counted from the answers really given."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._used = dict.fromkeys(LIMITS, 0)

    def spend(self, *, requests: int = 0, input_tokens: int = 0, output_tokens: int = 0) -> None:
        self._turn()
        spent = (requests, input_tokens, output_tokens)
        for name, amount in zip(LIMITS, spent, strict=True):
            self._used[name] += amount

    def headers(self, *, exhausted: bool = False) -> dict[str, str]:
        """The twelve `anthropic-ratelimit-*` headers; `exhausted` as a 429 has them."""
        self._turn()
        left_s = max(0.0, self._started + WINDOW_S - time.monotonic())
        reset = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=left_s)
        stamp = reset.strftime("%Y-%m-%dT%H:%M:%SZ")
        left = {
            name: 0 if exhausted else max(0, limit - self._used[name])
            for name, limit in LIMITS.items()
        }
        rows = [(name, limit, left[name]) for name, limit in LIMITS.items()]
        both = ("input-tokens", "output-tokens")
        rows.append(("tokens", sum(LIMITS[n] for n in both), sum(left[n] for n in both)))
        found = {}
        for name, limit, remaining in rows:
            found[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            found[f"anthropic-ratelimit-{name}-remaining"] = str(remaining)
            found[f"anthropic-ratelimit-{name}-reset"] = stamp
        return found

    def _turn(self) -> None:
        now = time.monotonic()
        if now - self._started >= WINDOW_S:
            self._started, self._used = now, dict.fromkeys(LIMITS, 0)
