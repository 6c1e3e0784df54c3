"""What SQS takes as a message, and what it refuses."""

import re
from typing import Any

from tests.cloud.refusing import Mistake, Parameters, Payload, refused, typed
from tests.cloud.standard_queue import Queue, invalid

LONGEST_BODY = 1_048_576
"""Bytes of a message with its attributes, and of all of a batch together."""
LONGEST_DELAY_S = 900
MOST_ATTRIBUTES = 10
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
GROUP = re.compile(r"[\x21-\x7e]{1,128}")
NAME = re.compile(r"(?!(?i:aws|amazon)\.)(?!\.)(?!.*\.\.)(?!.*\.$)[A-Za-z0-9_.-]{1,256}")
KIND = re.compile(r"(String|Number|Binary)(\..{1,249})?")
_OPTIONAL = "DelaySeconds MessageAttributes MessageGroupId"
ONE = Parameters("QueueUrl MessageBody", _OPTIONAL)
ENTRY = Parameters("Id MessageBody", _OPTIONAL)


def send(queue: Queue, asked: Payload) -> dict[str, Any]:
    """Check one message, and put it into the queue."""
    body, delay_s = typed(asked, "MessageBody", str), typed(asked, "DelaySeconds", int)
    group = typed(asked, "MessageGroupId", str, "")
    if not body:
        raise refused(
            "MissingRequiredParameterException",
            "The request must contain the parameter MessageBody.",
        )
    plain = body.isascii() and body.isprintable()  # nearly always, and far quicker
    if not plain and (found := FORBIDDEN.search(body)):
        raise refused("InvalidMessageContents", f"Invalid characters were found: {found[0]!a}")
    if size(asked) > LONGEST_BODY:
        raise refused(
            "InvalidParameterValueException",
            "One or more parameters are invalid. Reason: Message must be shorter than "
            f"{LONGEST_BODY} bytes.",
        )
    if delay_s is None:
        delay_s = queue.delay_s
    elif not 0 <= delay_s <= LONGEST_DELAY_S:
        reason = f"DelaySeconds must be >= 0 and <= {LONGEST_DELAY_S}."
        raise invalid(delay_s, "DelaySeconds", reason)
    if "MessageGroupId" in asked and not GROUP.fullmatch(group):
        raise invalid(group, "MessageGroupId", "1 to 128 alphanumeric and punctuation characters.")
    attributes = typed(asked, "MessageAttributes", dict, {})
    message = queue.send(body, group, attributes, delay_s)
    return {"MessageId": message.id, "MD5OfMessageBody": message.md5}


def size(asked: Payload) -> int:
    """Bytes that count: the body, and of each attribute its name, type and value."""
    body, given = asked["MessageBody"], typed(asked, "MessageAttributes", dict, {})
    total = len(body) if body.isascii() else len(body.encode(errors="replace"))
    if len(given) > MOST_ATTRIBUTES:
        raise refused("InvalidParameterValueException", "Number of message attributes exceeds 10.")
    for name, one in given.items():
        value = one.get("StringValue", one.get("BinaryValue"))
        if not NAME.fullmatch(name) or not KIND.fullmatch(one["DataType"]) or not value:
            raise Mistake(f"no message attribute: {name} = {one!r}")
        total += len(name) + len(one["DataType"]) + len(value.encode())
    return total
