"""How a double says no: as AWS to what depends on data, loudly to what no caller may send."""

from typing import Any

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable

Payload = dict[str, Any]


class Mistake(AssertionError):
    """The request is wrong whatever the data: a bug of who sent it, not an answer to be handled."""


def refused(code: str, message: str, **more: Any) -> AwsRefused:
    """The service's own word, as `Aws` hands it on: the code is that of the body's `__type`."""
    return AwsRefused(code, message, {"__type": code, "message": message, **more})


def unreachable(service: str) -> AwsUnreachable:
    """No answer in time: done or not, nobody knows."""
    return AwsUnreachable(f"{service} did not answer in time")


class Parameters:
    """What an action takes. AWS ignores a name that it does not know; a test should not."""

    def __init__(self, required: str, optional: str = "") -> None:
        self._required = frozenset(required.split())
        self._known = self._required | frozenset(optional.split())

    def check(self, given: Payload) -> None:
        names = given.keys()
        if not self._required <= names <= self._known:
            missing, unknown = self._required - names, names - self._known
            raise Mistake(f"missing {sorted(missing)}, unknown {sorted(unknown)}")


def typed(given: Payload, name: str, kind: type, otherwise: Any = None) -> Any:
    """A parameter of just that type: a number as text is a SerializationException at AWS."""
    value = given.get(name, otherwise)
    if type(value) is not kind and name in given:
        raise Mistake(f"SerializationException: {name} is {value!r}, no {kind.__name__}")
    return value
