"""A client's data, all of it: one function for each place that holds some."""

from claude_core.row import Row
from kit.deployment import Deployment


def erase(deployment: Deployment, row: Row) -> int:
    """Erase a client everywhere; its row goes last, so that a run that broke off can be repeated.

    Returns:
        How many days of history went.
    """
    outputs, dynamodb = deployment.outputs("SharedStack"), deployment.client("dynamodb")
    dynamodb.update_item(
        TableName=outputs["ClientsTableName"],
        Key={"id": {"S": row.id}},
        UpdateExpression="SET disabled = :yes",
        ConditionExpression="attribute_exists(id)",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    table, days = outputs["HistoryTableName"], 0
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#client = :id",
        ProjectionExpression="#client, #day",
        ExpressionAttributeNames={"#client": "client", "#day": "day"},
        ExpressionAttributeValues={":id": {"S": row.id}},
    )
    for key in (item for page in pages for item in page["Items"]):
        dynamodb.delete_item(TableName=table, Key=key)
        days += 1
    dynamodb.delete_item(TableName=outputs["ClientsTableName"], Key={"id": {"S": row.id}})
    return days + len(row.use())
