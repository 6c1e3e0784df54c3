"""A running fake Claude as tests see it: the control routes as methods."""

import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

PATIENCE_S = 30.0


class Fake:
    """Talks to a fake Claude at `url`, in this process or another, on this machine."""

    def __init__(self, url: str) -> None:
        self.url = url

    def stats(self) -> dict[str, Any]:
        """Every count, and the last 1,000 requests."""
        return dict(json.loads(self._call("GET", "/_fake/stats")))

    def wait(self, *, timeout_s: float = 10.0, **counts: int) -> dict[str, Any]:
        """The counts, once each is at least what is given; for example `wait(in_flight=1000)`.

        Args:
            counts: calls, in_flight, held, left, completions, batches, batches_ended;
                `in_flight_at_most` waits for fewer.

        Raises:
            RuntimeError: it took longer than `timeout_s`.
        """
        query = urlencode({**counts, "timeout_s": timeout_s})
        return dict(json.loads(self._call("GET", f"/_fake/wait?{query}")))

    def body(self, request_id: str) -> bytes:
        """What arrived with a request, byte for byte."""
        return self._call("GET", f"/_fake/requests/{request_id}/body")

    def plan(self, behaviours: list[Any], **options: Any) -> None:
        """Plan the next requests; options are route, repeat, probability and seed."""
        self._call("POST", "/_fake/plan", {"behaviours": behaviours, **options})

    def keys(self, live: list[str] | None) -> None:
        """Accept these API keys from now on; None accepts any that looks like one."""
        self._call("POST", "/_fake/keys", {"live": live})

    def limits(self, **rule: Any) -> None:
        """Enforce rate limits: requests, input_tokens, output_tokens in window_s (60), for a line.

        Without `line` they are for every model line that has none of its own; the line `batches`
        is for the routes of message batches.
        """
        self._call("POST", "/_fake/limits", rule)

    def batching(self, **settings: Any) -> None:
        """How batches fare from now on, as `batch.Settings` has it; what is not given is plain."""
        self._call("POST", "/_fake/batches", settings)

    def batches(self) -> dict[str, Any]:
        """The batches as the API shows them, and under `custom_ids` how often each was paid."""
        return dict(json.loads(self._call("GET", "/_fake/batches")))

    def end_batches(self, *ids: str) -> int:
        """End these batches now, or all, held or not; gives how many have ended by it."""
        ended = json.loads(self._call("POST", "/_fake/batches/end", {"ids": list(ids) or None}))
        return int(ended["ended"])

    def release(self) -> None:
        """Let go of every request that is held."""
        self._call("POST", "/_fake/release")

    def reset(self) -> None:
        """Forget everything that happened, and what was planned."""
        self._call("POST", "/_fake/reset")

    def _call(self, method: str, path: str, payload: Any = None) -> bytes:
        # No proxy of the environment comes between: it would not find this machine's loopback.
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE_S)
        try:
            body = None if payload is None else json.dumps(payload)
            connection.request(method, path, body)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {data.decode()[:2_000]}")
        return data
