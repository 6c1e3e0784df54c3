"""Executions of the deployed workflows: started, waited for, looked at."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from kit.say import Stop

RUNNING = "RUNNING"
LOOK_S = 1.0
"""Seconds between two looks."""
BETWEEN = "/durable-execution/"
"""In an ARN: what comes before an execution's own two names, after the function's version."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One, as it is now."""

    id: str
    """Version, name and Lambda's own id: what of its ARN is not the function's."""
    status: str
    took_s: float
    result: Any = None
    """What it ended with: `{"output", "cost_usd"}`."""
    error: str | None = None
    """Why it failed."""


class Executions:
    """Those of one deployment."""

    def __init__(self, client: Any, function: str, *, local: bool) -> None:
        """
        Args:
            client: boto3's, of Lambda; function: ARN of the alias.
            local: the emulator keeps no track of what is invoked as an event.
        """
        self._client, self._local = client, local
        self._alias, self._function = function, function.rsplit(":", 1)[0]

    def start(self, event: dict[str, Any], name: str | None = None) -> str:
        """Begin one; its id. The same event under the same name is not begun again.

        Raises:
            Stop: one of this name has begun with another event.
        """
        try:
            begun = self._client.invoke(
                FunctionName=self._alias,
                InvocationType="RequestResponse" if self._local else "Event",
                Payload=json.dumps(event).encode(),
                # Without a name, a request that boto3 sends again would begin another one.
                DurableExecutionName=name or uuid.uuid4().hex,
            )
        except self._client.exceptions.DurableExecutionAlreadyStartedException as err:
            raise Stop(f"an execution {name} has begun before, with another event") from err
        version, names = str(begun["DurableExecutionArn"]).split(":")[-1].split(BETWEEN)
        return f"{version}/{names}"

    def find(self, id: str) -> Execution:
        """One as it stands.

        Raises:
            Stop: there is none.
        """
        version, _, names = id.partition("/")
        try:
            found = self._client.get_durable_execution(
                DurableExecutionArn=f"{self._function}:{version}{BETWEEN}{names}"
            )
        except (
            self._client.exceptions.ResourceNotFoundException,
            self._client.exceptions.InvalidParameterValueException,
        ) as err:
            raise Stop(f"there is no execution {id}; they are kept for some days only") from err
        begun, ended = found["StartTimestamp"], found.get("EndTimestamp")
        error = found.get("Error") or {}
        said = (error.get("ErrorType", "").rsplit(".", 1)[-1], error.get("ErrorMessage", ""))
        return Execution(
            id=id,
            status=found["Status"],
            took_s=(ended.timestamp() if ended else time.time()) - begun.timestamp(),
            result=json.loads(found["Result"]) if found.get("Result") else None,
            error=": ".join(filter(None, said)) or None,
        )

    def wait(self, id: str) -> Execution:
        """One, when it has ended: Lambda ends each by its own deadline."""
        while (found := self.find(id)).status == RUNNING:
            time.sleep(LOOK_S)
        return found
