"""What the comparisons with moto draw, and how many."""

import os

from hypothesis import Phase, settings
from hypothesis import strategies as st

VARIABLE = "DYNAMO_EXAMPLES"
PHASES = (Phase.generate, Phase.shrink)
"""Without the one that looks for the lines that only failures run: each example takes a while."""


def seeds(bits: int) -> st.SearchStrategy[int]:
    """Numbers of so many bits, drawn bit by bit: where hypothesis draws an integer, it may take one
    that stands in any module which is loaded, so that it depends on the other tests of a run."""

    def number(drawn: tuple[bool, ...]) -> int:
        return sum(bit << at for at, bit in enumerate(drawn))

    return st.tuples(*[st.booleans()] * bits).map(number)


def examples(usual: int) -> settings:
    """So many, and the same in each run; or as many as `DYNAMO_EXAMPLES` says, and others each
    time."""
    asked = int(os.environ.get(VARIABLE, "0"))
    return settings(max_examples=asked or usual, derandomize=not asked, phases=PHASES)
