"""One round of every measurement, the naive function and the kit's in turns."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.beside import kit_env
from benchmarks.bundles import Bundles
from benchmarks.measure import child
from benchmarks.rows import NAIVE_COLD, NAIVE_RSS, NAIVE_TOKEN, NAIVE_WARM
from benchmarks.services import cpu_of
from local.fake_claude.inprocess import Fake
from tests.doubles import CLAUDE_KEY
from tests.events import event

STREAMS = 20
"""At once: enough that a process is busy, few enough that chunks do not pile up."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Where the children find their bundle, Claude and AWS."""

    bundles: Bundles
    claude: Fake
    naive_env: dict[str, str]
    kit_env: dict[str, str]
    stream_env: dict[str, str]
    event: str

    @classmethod
    def prepare(cls, bundles: Bundles, claude: Fake, aws_url: str, key: str) -> "Rounds":
        """The children reach AWS at `aws_url`, where the client with this key has money."""
        env = kit_env(claude.url, aws_url)
        naive_env = {"ANTHROPIC_API_KEY": CLAUDE_KEY, "ANTHROPIC_BASE_URL": claude.url}
        naive_env["CLIENT_KEY"] = "none"  # pragma: allowlist secret
        # The naive function reads the same event, and no key.
        sent = json.dumps(event("POST /prompt", {"prompt": "hello"}, key=key))
        stream_env = env | {"AWS_LAMBDA_FUNCTION_NAME": "stream", "CLIENT_KEY": key}
        return cls(bundles, claude, naive_env, env, stream_env, sent)

    def cold(self) -> dict[str, float]:
        """Seconds of CPU from nothing to one answer, and megabytes after the imports."""
        url = urlsplit(self.claude.url)
        naive = child("handler.py", *self._naive(1), env=self.naive_env)
        kit = child("handler.py", *self._kit(1), env=self.kit_env)
        compiled = child("handler.py", *self._naive(1, compiled=True), env=self.naive_env)
        ask = child("ask.py", *self._ask(1), env={})
        plain = child("plain.py", str(url.hostname), str(url.port), CLAUDE_KEY, env={})
        return {
            NAIVE_COLD: naive.cpu_s,
            "kit_cold": kit.cpu_s,
            "naive_compiled_cold": compiled.cpu_s,
            "ask_cold": ask.cpu_s,
            "plain_cold": plain.cpu_s,
            NAIVE_RSS: naive.said["rss_mb"],
            "kit_rss": kit.said["rss_mb"],
        }

    def streaming(self, tokens: int) -> dict[str, float]:
        """Seconds of CPU from nothing to one streamed answer; microseconds of each token more."""
        kit, naive = (self.bundles.stream, "service_src"), (self.bundles.naive_stream, "streaming")
        cold = cpu_of(*kit, self.stream_env, streams=1, tokens=1)
        naive_cold = cpu_of(*naive, self.naive_env, streams=1, tokens=1)
        many = cpu_of(*kit, self.stream_env, streams=STREAMS, tokens=tokens)
        naive_many = cpu_of(*naive, self.naive_env, streams=STREAMS, tokens=tokens)
        more = (STREAMS * tokens - 1) / 1e6
        return {
            "stream_cold": cold,
            "stream_token": (many - cold) / more,
            NAIVE_TOKEN: (naive_many - naive_cold) / more,
        }

    def warm(self, calls: int) -> dict[str, float]:
        """Milliseconds of CPU of a call, once the first one is done."""
        return {
            NAIVE_WARM: child("handler.py", *self._naive(calls), env=self.naive_env).said[
                "warm_ms"
            ],
            "kit_warm": child("handler.py", *self._kit(calls), env=self.kit_env).said["warm_ms"],
            "ask_warm": child("ask.py", *self._ask(calls), env={}).said["warm_ms"],
        }

    def _naive(self, calls: int, *, compiled: bool = False) -> tuple[str, ...]:
        bundle = self.bundles.naive_compiled if compiled else self.bundles.naive
        return str(bundle), "serverless", self.event, str(calls)

    def _kit(self, calls: int) -> tuple[str, ...]:
        return str(self.bundles.kit), "lambda_src.api", self.event, str(calls)

    def _ask(self, calls: int) -> tuple[str, ...]:
        return str(self.bundles.kit), self.claude.url, CLAUDE_KEY, str(calls)
