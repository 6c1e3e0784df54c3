"""How the command line speaks: one sentence when something is wrong, never a stack trace."""

import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

PIPED = 140
"""Columns where nobody looks: a table that is cut says less to a log."""
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPED)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def ago(age: dt.timedelta) -> str:
    """A time that is past, in the two largest units that matter."""
    minutes = max(0, int(age.total_seconds() // 60))
    hours, days = minutes // 60, minutes // 1_440
    if days:
        return f"{days} d {hours % 24} h ago"
    if hours:
        return f"{hours} h {minutes % 60} min ago"
    return f"{minutes} min ago" if minutes else "just now"


def usd(amount: float) -> str:
    """Money, with as many digits as tell a few calls apart."""
    return f"${amount:,.{2 if amount >= 10 or not amount else 4 if amount >= 0.01 else 6}f}"


class Stop(Exception):
    """A command cannot go on; the message says what to do."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what goes wrong into a sentence on stderr and an exit code."""
    try:
        yield
    except Stop as stop:
        _end(str(stop), stop.code)
    except Exception as failed:
        if type(failed).__module__.split(".")[0] not in ("botocore", "boto3"):
            raise
        _end(_of_aws(failed), 1)


def _of_aws(failed: Exception) -> str:
    name = type(failed).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return "no AWS credentials; run: aws configure, or set AWS_PROFILE"
    if name == "NoRegionError":
        return "no AWS region; give --region, or set AWS_REGION"
    return f"AWS: {failed}"


def _end(message: str, code: int) -> None:
    err.print(message, style="red" if err.is_terminal else None, markup=False)
    sys.exit(code)
