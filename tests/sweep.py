"""Tests at two sizes: small in every run of `pytest`, whole where `make test` asks for it."""

from typing import Any

import pytest


def sizes(small: Any, whole: Any) -> list[Any]:
    """Values for `pytest.mark.parametrize`: the second is left to the `sweep` tier."""
    return [small, pytest.param(whole, marks=pytest.mark.sweep)]
