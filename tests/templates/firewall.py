"""A firewall's rules as WAF reads them."""

import re
from typing import Any


def blocks(statement: dict[str, Any], request: dict[str, str]) -> bool:
    """Whether it refuses a request of headers and `path`; for the kinds that the kit uses."""
    ((kind, rule),) = statement.items()
    if kind == "AndStatement":
        return all(blocks(part, request) for part in rule["Statements"])
    if kind == "NotStatement":
        return not blocks(rule["Statement"], request)
    assert kind == "RegexMatchStatement"
    header = rule["FieldToMatch"].get("SingleHeader")
    value = request.get(header["Name"], "") if header else request["path"]
    return re.search(rule["RegexString"], value) is not None
