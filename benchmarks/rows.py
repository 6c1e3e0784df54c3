"""What is measured, against what, and how good it must be."""

from dataclasses import dataclass

NAIVE_COLD, NAIVE_WARM, NAIVE_RSS = "naive_cold", "naive_warm", "naive_rss"
NAIVE_TOKEN = "naive_stream_token"  # pragma: allowlist secret


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the median of the samples filed under `key`."""

    key: str
    title: str
    unit: str
    naive: str
    """The key of the row that it is compared with."""
    at_most: float | None = None
    """Target: times the naive one."""
    at_most_value: float | None = None
    """Target: so many of `unit`."""


COLD, WARM, TOKEN, MEMORY = "s CPU", "ms CPU", "µs CPU", "MB"

ROWS = {
    "Cold start to the first answer": (
        Row(NAIVE_COLD, "naive function", COLD, NAIVE_COLD),
        Row("naive_compiled_cold", "naive function, with bytecode", COLD, NAIVE_COLD),
        Row("kit_cold", "buffered function", COLD, NAIVE_COLD, at_most=0.45),
        Row("stream_cold", "streaming function", COLD, NAIVE_COLD, at_most=0.60),
        Row("ask_cold", "way to Claude alone", COLD, NAIVE_COLD, at_most=0.30),
        Row("plain_cold", "http.client alone", COLD, NAIVE_COLD),
    ),
    "Warm call": (
        Row(NAIVE_WARM, "naive function", WARM, NAIVE_WARM),
        Row("ask_warm", "client.ask", WARM, NAIVE_WARM, at_most=0.07),
        Row("kit_warm", "buffered function, whole handler", WARM, NAIVE_WARM, at_most=0.2),
    ),
    "A streamed token, every one delivered": (
        Row(NAIVE_TOKEN, "by the SDK's helper", TOKEN, NAIVE_TOKEN),
        Row("stream_token", "streaming function", TOKEN, NAIVE_TOKEN, at_most_value=80.0),
    ),
    "Memory after import": (
        Row(NAIVE_RSS, "naive function", MEMORY, NAIVE_RSS),
        Row("kit_rss", "buffered function", MEMORY, NAIVE_RSS, at_most_value=60.0),
    ),
}
