"""Tests at two sizes: small in every run of `pytest`, whole where `make test` asks for it."""

from collections.abc import Iterable
from typing import Any

import pytest


def sizes(small: Any, whole: Any) -> list[Any]:
    """Values for `pytest.mark.parametrize`: the second is left to the `sweep` tier, which
    leaves out the first."""
    return [
        pytest.param(small, marks=pytest.mark.part),
        pytest.param(whole, marks=pytest.mark.sweep),
    ]


def some(values: Iterable[Any], count: int, *, ids: Iterable[str]) -> list[Any]:
    """Values for `pytest.mark.parametrize`: those after the first few are left to `sweep`."""
    return [
        pytest.param(value, id=id, marks=() if at < count else pytest.mark.sweep)
        for at, (value, id) in enumerate(zip(values, ids, strict=True))
    ]
