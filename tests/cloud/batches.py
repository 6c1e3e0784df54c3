"""Batches of SQS: refused as a whole for their form, answered entry by entry for the rest."""

import re
from collections.abc import Callable
from typing import Any

from claude_core.aws import AwsRefused
from tests.cloud.refusing import Parameters, Payload, refused, typed

MOST = 10
ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
Do = Callable[[Payload], dict[str, Any]]


def entries_of(asked: Payload, known: Parameters) -> list[Payload]:
    """The entries, well formed: 1 to 10, with ids that are distinct."""
    entries: list[Payload] = typed(asked, "Entries", list)
    if not entries:
        raise refused("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MOST:
        raise refused(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {MOST}. You have sent {len(entries)}.",
        )
    for entry in entries:
        known.check(entry)
        if not ID.fullmatch(typed(entry, "Id", str)):
            raise refused(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and "
                "underscores. It can be at most 80 letters long.",
            )
    ids = [entry["Id"] for entry in entries]
    if len({*ids}) < len(ids):
        raise refused("BatchEntryIdsNotDistinct", f"Ids are repeated: {ids}")
    return entries


def entry_by_entry(entries: list[Payload], do: Do, fails: Callable[[], bool]) -> dict[str, Any]:
    """What came of each; a list that would be empty is left out, as on the wire."""
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        id = entry["Id"]
        if fails():
            failed.append(_failure(id, "InternalError", "We encountered an internal error.", False))
            continue
        try:
            done.append({"Id": id, **do(entry)})
        except AwsRefused as err:
            # The old protocol's name, which entries kept when the errors of requests got new ones.
            code = err.code.removesuffix("Exception")
            failed.append(_failure(id, code, err.body["message"], True))
    return {name: found for name, found in (("Successful", done), ("Failed", failed)) if found}


def _failure(id: str, code: str, message: str, sender: bool) -> dict[str, Any]:
    return {"Id": id, "Code": code, "Message": message, "SenderFault": sender}
