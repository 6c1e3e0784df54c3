"""The Claude API key: read from Secrets Manager when it is needed, kept for five minutes."""

import asyncio
import re
import time
from collections.abc import Callable

from claude_core.aws import Aws, AwsRefused
from claude_core.errors import AwsUnreachable, KeyMissing

KEPT_S = 300.0
CLAUDE_KEY = re.compile(r"sk-ant-[A-Za-z0-9_-]{16,}")
HOW_TO_SET = "no Claude API key is set yet; run: kit key set"


class Secret:
    """One process's copy of the key. A rotation is noticed within five minutes, or at a 401."""

    def __init__(
        self, aws: Aws, secret_id: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._aws, self._id, self._clock = aws, secret_id, clock
        self._key, self._until = "", 0.0
        self._one_reader = asyncio.Lock()

    async def get(self) -> str:
        """The key; an old one while Secrets Manager is down.

        Raises:
            KeyMissing: nobody has filled the secret; AwsUnreachable: it was never read.
        """
        async with self._one_reader:
            if self._clock() >= self._until:
                await self._read()
            return self._key

    async def refresh(self, rejected: str) -> str:
        """The key after Claude has rejected one: read again, unless somebody just did.

        Raises:
            KeyMissing, AwsUnreachable.
        """
        async with self._one_reader:
            if self._key == rejected:
                await self._read()
            return self._key

    async def _read(self) -> None:
        try:
            answer = await self._aws.call(
                "secretsmanager", "secretsmanager.GetSecretValue", {"SecretId": self._id}
            )
        except AwsRefused as err:
            if err.code == "ResourceNotFoundException":  # also: the secret exists, and is empty
                raise KeyMissing(HOW_TO_SET) from err
            raise AwsUnreachable(f"the Claude key's secret refused: {err.code}") from err
        except AwsUnreachable:
            if not self._key:
                raise
        else:
            self._key = checked(answer.get("SecretString") or "")
        self._until = self._clock() + KEPT_S


def checked(key: str) -> str:
    """A Claude API key without the white space that a paste adds.

    Raises:
        KeyMissing: it is empty, or not one; sent as a header it would fail as a broken connection.
    """
    stripped = key.strip()
    if not stripped:
        raise KeyMissing(HOW_TO_SET)
    if not CLAUDE_KEY.fullmatch(stripped):
        raise KeyMissing("the secret does not hold a Claude API key (sk-ant-…); run: kit key set")
    return stripped
