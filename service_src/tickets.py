"""One-time tickets: a browser cannot put a header on a websocket, and a key is not for a URL."""

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Callable

from claude_core.aws import FAILED, Aws, AwsRefused
from claude_core.errors import AwsUnreachable, NotAuthenticated

LASTS_S = 60
TICKET = re.compile(r"[A-Za-z0-9_-]{43}")


class Tickets:
    """Kept, as hashes, in the table of the conversations."""

    def __init__(
        self,
        aws: Aws,
        table: str,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._aws, self._table, self._now = aws, table, now

    async def issue(self, client: str) -> str:
        """A ticket for a client that was proved; good once, for a minute.

        Raises:
            AwsUnreachable.
        """
        ticket = secrets.token_urlsafe(32)
        ends = int(self._now().timestamp()) + LASTS_S
        item = {**_key(ticket), "client": {"S": client}, "expires_at": {"N": str(ends)}}
        try:
            await self._aws.call(
                "dynamodb", "DynamoDB_20120810.PutItem", {"TableName": self._table, "Item": item}
            )
        except AwsRefused as err:
            raise AwsUnreachable(f"the table of tickets refused: {err}") from err
        return ticket

    async def redeem(self, ticket: str) -> str:
        """The client's id; nobody gets it twice.

        Raises:
            NotAuthenticated: used before, older than a minute, or no ticket; AwsUnreachable.
        """
        if not TICKET.fullmatch(ticket):
            raise NotAuthenticated("not a ticket; get one: POST /v1/tickets")
        try:
            found = await self._aws.call(
                "dynamodb",
                "DynamoDB_20120810.DeleteItem",
                {
                    "TableName": self._table,
                    "Key": _key(ticket),
                    # By the condition, not by TTL alone: that deletes hours late.
                    "ConditionExpression": "expires_at >= :now",
                    "ExpressionAttributeValues": {":now": {"N": str(int(self._now().timestamp()))}},
                    "ReturnValues": "ALL_OLD",
                },
            )
        except AwsRefused as err:
            if err.code != FAILED:
                raise AwsUnreachable(f"the table of tickets refused: {err}") from err
            raise NotAuthenticated(
                f"this ticket was used, or is older than {LASTS_S} s; get one: POST /v1/tickets"
            ) from err
        return str(found["Attributes"]["client"]["S"])


def _key(ticket: str) -> dict[str, dict[str, str]]:
    return {
        "id": {"S": f"ticket#{hashlib.sha256(ticket.encode()).hexdigest()}"},
        "turn": {"S": "-"},
    }
