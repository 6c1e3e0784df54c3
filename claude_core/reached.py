"""A refusal of AWS that nobody foresaw is trouble of ours: the caller may try again."""

from collections.abc import Iterator
from contextlib import contextmanager

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable


@contextmanager
def reached(what: str) -> Iterator[None]:
    """Around requests to `what`, for people: "the jobs table".

    Raises:
        AwsUnreachable: it refused.
    """
    try:
        yield
    except AwsRefused as err:
        raise AwsUnreachable(f"{what} refused: {err}") from err
