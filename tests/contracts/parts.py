"""The parts of a deployment that store something: each is written, recorded and read."""

from collections.abc import Iterator
from typing import Any, Protocol

from local.fake_claude.inprocess import Fake
from tests.contracts import batches, chat, clients, inbox, jobs, routing
from tests.contracts.changes import READ, Difference
from tests.contracts.recording import Json, Recording
from tests.doubles import CLAUDE_KEY, AwsDouble


class Part(Protocol):
    """A module of this package."""

    def write(self, aws: AwsDouble, claude: Fake, /) -> Recording:
        """Let today's code write all that it stores, and record it."""

    def read(self, recording: Recording, aws: AwsDouble, /) -> Json:
        """What today's code makes of what was recorded, whatever version has written it."""


PARTS: dict[str, Part] = {
    "clients": clients,
    "jobs": jobs,
    "batches": batches,
    "inbox": inbox,
    "chat": chat,
    "routing": routing,
}


def written(aws: AwsDouble, claude: Fake) -> dict[str, Recording]:
    """Everything that today's code stores."""
    found = {}
    for name, part in PARTS.items():
        aws.reset()
        claude.reset()
        claude.keys([CLAUDE_KEY])
        found[name] = part.write(aws, claude)
    return found


def read_otherwise(where: str, recorded: Any, found: Any) -> Iterator[Difference]:
    """What is read otherwise than it was. What is there besides is no difference: a new field of
    an answer, or of a list of clients."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        for name, one in recorded.items():
            yield from read_otherwise(f"{where} / {name}", one, found.get(name, "nothing"))
    elif recorded != found:
        says = f"{where}: a recorded row was read as {recorded!r}, and is read as {found!r}."
        what = f"{READ} {where}: {recorded!r} -> {found!r}"
        yield Difference(what, says, "Read it as before")
