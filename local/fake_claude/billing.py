"""What was paid: tokens as they are produced, whether or not anybody was left to read them."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

KINDS = (
    "completions",
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)


class Ledger:
    """The invoice, in all and model by model; what came in batches, at half price, once more."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._by_model: dict[str, Counter[str]] = {}
        self._half: dict[str, Counter[str]] = {}
        self._changed = changed

    def add(self, model: str, *, half: bool = False, **amounts: int) -> None:
        self._by_model.setdefault(model, Counter()).update(amounts)
        if half:
            self._half.setdefault(model, Counter()).update(amounts)
        if amounts.get("completions"):
            self._changed()

    @property
    def completions(self) -> int:
        return sum(counts["completions"] for counts in self._by_model.values())

    def to_json(self) -> dict[str, Any]:
        """The sums, `by_model` the same for each model, and how much of it was at `half_price`."""
        return {**_sums(self._by_model), "half_price": _sums(self._half)}


def _sums(by_model: Mapping[str, Counter[str]]) -> dict[str, Any]:
    models = {model: {kind: counts[kind] for kind in KINDS} for model, counts in by_model.items()}
    total = {kind: sum(counts[kind] for counts in models.values()) for kind in KINDS}
    return {**total, "by_model": models}


class Tab:
    """The bill of one answer: its prompt with the first token, then token by token."""

    def __init__(
        self, ledger: Ledger, model: str, usage: Mapping[str, Any], *, half: bool = False
    ) -> None:
        self._ledger, self._model, self._usage, self._half = ledger, model, usage, half
        self._prompt_billed = False
        self.output_tokens = 0

    def up_to(self, output_tokens: int) -> None:
        """Bill the answer until this token; what was billed already stays as it is."""
        if not self._prompt_billed:
            self._prompt_billed = True
            prompt = [kind for kind in KINDS if kind.endswith("input_tokens")]
            amounts = {kind: self._reported(kind) for kind in prompt}
            self._ledger.add(self._model, half=self._half, **amounts)
        if output_tokens > self.output_tokens:
            started = int(self.output_tokens == 0)
            more = output_tokens - self.output_tokens
            self._ledger.add(self._model, half=self._half, completions=started, output_tokens=more)
            self.output_tokens = output_tokens

    def in_full(self) -> None:
        """Bill what the answer reports."""
        self.up_to(self._reported("output_tokens"))

    def _reported(self, kind: str) -> int:
        """A scripted usage may hold anything; what is no number costs nothing."""
        value = self._usage.get(kind)
        return value if isinstance(value, int) else 0
