"""Who may come in: the live API keys, and the version header."""

import re
from collections.abc import Iterable, Mapping

from local.fake_claude.errors import ApiError, invalid

WELL_FORMED = re.compile(r"sk-ant-[A-Za-z0-9_-]+")
VERSION = re.compile(r"20\d\d-\d\d-\d\d")
FIRST_VERSION = "2023-01-01"


class Keys:
    """The API keys that are accepted now; several may live, as during a rotation."""

    def __init__(self, live: Iterable[str] | None = None) -> None:
        self._live = None if live is None else frozenset(live)

    def accepts(self, key: str) -> bool:
        """Without a list, any key that looks like one will do."""
        if self._live is None:
            return WELL_FORMED.fullmatch(key) is not None
        return key in self._live


def check(headers: Mapping[str, str], keys: Keys) -> None:
    """Refuse whoever brings no live key (401), or does not name a version (400).

    The key may come in `x-api-key`, or as a bearer token, which is how the Python SDK (2.12)
    sends it; where both are there, `x-api-key` counts.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    key = headers.get("x-api-key", bearer)
    if key is None:
        raise ApiError(401, "x-api-key header is required")
    if not keys.accepts(key):
        raise ApiError(401, f"invalid {'x-api-key' if 'x-api-key' in headers else 'bearer token'}")
    version = headers.get("anthropic-version")
    if version is None:
        raise invalid("anthropic-version: header is required")
    if VERSION.fullmatch(version) is None or version < FIRST_VERSION:
        raise invalid(f'anthropic-version: "{version}" is not a valid version')
