"""One line of a batch's results."""

import json
from dataclasses import dataclass

from claude_core.errors import AnswerLost
from claude_core.usage import Usage
from claude_core.wire import Json

UNREADABLE = "a result of a batch could not be read"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one request: succeeded, errored, canceled or expired."""

    custom_id: str
    kind: str
    message: Json
    """Claude's answer, if it succeeded."""
    error: Json
    """Its type and message, if it did not."""

    @classmethod
    def of(cls, line: bytes) -> "Result":
        """Read a line.

        Raises:
            AnswerLost: it is none, or cut off.
        """
        try:
            read = json.loads(line)
            result = read["result"]
            error = result.get("error") or {}
            return cls(
                custom_id=str(read["custom_id"]),
                kind=str(result["type"]),
                message=dict(result.get("message") or {}),
                error=dict(error.get("error") or error),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as err:
            raise AnswerLost(UNREADABLE) from err

    def job_of(self, intent: str) -> str | None:
        """The job that it is of; None: it is of another intent's batch."""
        owner, _, job = self.custom_id.partition("_")
        return job if owner == intent else None

    @property
    def usage(self) -> Usage:
        return Usage.from_json(self.message.get("usage") or {})

    @property
    def stop_reason(self) -> str:
        """Empty: it is no whole message."""
        whole = self.message.get("type") == "message"
        return str(self.message.get("stop_reason") or "") if whole else ""
