"""What a queue carries of a job: where it is, and what its worker must know before it claims it."""

import json
from dataclasses import asdict, dataclass

from claude_core.stored_versions import VERSIONS

LATEST = VERSIONS["job message"]


@dataclass(frozen=True, slots=True)
class Pointer:
    """A job's message. Nothing of what is asked is in it: no body is too long or has a character
    that SQS refuses."""

    job: str
    client: str
    model: str
    bytes: int
    """Of the request."""
    v: int = LATEST

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Pointer":
        """Read a message's body.

        Raises:
            ValueError: it is not one of ours, or of a later version.
        """
        try:
            found = cls(**json.loads(text))
        except (TypeError, ValueError) as err:
            raise ValueError("not a message of this kit") from err
        if found.v != LATEST or not all(
            isinstance(part, str) for part in (found.job, found.client, found.model)
        ):
            raise ValueError(f"a message of version {found.v}")
        return found


def wake_up(model: str) -> str:
    """What the batch lane's queue is told: jobs of this model wait. Which ones, the table knows."""
    return json.dumps({"wake": model})
