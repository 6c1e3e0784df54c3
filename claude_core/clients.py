"""Client keys: how one looks, how it is read from a request, and what its row holds."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from claude_core.errors import NotAuthenticated

KEY = re.compile(r"ck_[A-Za-z0-9_-]{43}")
ID_LENGTH = 8


@dataclass(frozen=True, slots=True)
class ClientKey:
    """`ck_` and 43 characters; the first eight are the client's id. Only the hash is stored."""

    id: str
    sha256: str

    @classmethod
    def parse(cls, key: str) -> "ClientKey":
        """Read a key.

        Raises:
            NotAuthenticated: not a client key, whoever may have one like it.
        """
        if not KEY.fullmatch(key):
            raise NotAuthenticated("x-api-key: not a client key (ck_ and 43 characters)")
        return cls(key[3 : 3 + ID_LENGTH], hashlib.sha256(key.encode()).hexdigest())

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "ClientKey":
        """The key of a request: `x-api-key`, or `Authorization: Bearer`; names in lower case.

        Raises:
            NotAuthenticated: none there, or not a client key.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = headers.get("x-api-key") or (token if scheme.lower() == "bearer" else "")
        if not key:
            raise NotAuthenticated("x-api-key: a client key is required (kit clients add NAME)")
        return cls.parse(key.strip())


def new_key(client_id: str | None = None) -> str:
    """A fresh key: for a new client, or, with its id, the next one of the same client."""
    fresh = secrets.token_urlsafe(32)
    return "ck_" + (client_id or fresh[:ID_LENGTH]) + fresh[ID_LENGTH:]
