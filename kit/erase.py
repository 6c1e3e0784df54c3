"""A client's data, all of it: one function for each place that holds some."""

from typing import Any

from claude_core.row import Row
from kit.deployment import Deployment, NotDeployed
from kit.rows import Clients
from kit.say import Stop


def erase(deployment: Deployment, row: Row, *, force: bool = False) -> int:
    """Erase a client everywhere.

    The client is disabled first, so that nothing is written meanwhile; its row goes late, so that
    a run that broke off can be repeated, and the history once more after it.

    Returns:
        How many days of history went.

    Raises:
        Stop: calls of it are open, whose cost nobody would know.
    """
    clients = Clients(deployment)
    clients.set_disabled(row.id, True)
    row = clients.find(row.id)
    if row.open and not force:
        raise Stop(
            f"{row.name} has {len(row.open)} reservations open, and is disabled now; see: kit "
            "budget unsettled, or erase it all the same with: --force"
        )
    outputs, dynamodb = deployment.outputs("SharedStack"), deployment.client("dynamodb")
    _conversations(deployment, dynamodb, row.id)
    days = _history(dynamodb, outputs["HistoryTableName"], row.id)
    dynamodb.delete_item(TableName=outputs["ClientsTableName"], Key={"id": {"S": row.id}})
    return days + _history(dynamodb, outputs["HistoryTableName"], row.id) + len(row.use())


def _history(dynamodb: Any, table: str, client: str) -> int:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#client = :id",
        ProjectionExpression="#client, #day",
        ExpressionAttributeNames={"#client": "client", "#day": "day"},
        ExpressionAttributeValues={":id": {"S": client}},
    )
    keys = [item for page in pages for item in page["Items"]]
    for key in keys:
        dynamodb.delete_item(TableName=table, Key=key)
    return len(keys)


def _conversations(deployment: Deployment, dynamodb: Any, client: str) -> None:
    """Everything that was said, where there is a chat."""
    try:
        table = deployment.outputs("WebsocketStack")["ConversationsTableName"]
    except NotDeployed:
        return
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ProjectionExpression="id, turn",
        FilterExpression="begins_with(id, :client)",
        ExpressionAttributeValues={":client": {"S": f"{client}#"}},
    )
    for key in [item for page in pages for item in page["Items"]]:
        dynamodb.delete_item(TableName=table, Key=key)
