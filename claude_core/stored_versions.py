"""Versions of what is stored: each kind of row, message and object, and the version of its layout.

A kind whose attributes change gets the next number, in the same commit; `docs/upgrading.md` says
what else such a change needs. Rows of clients and jobs, and the messages that point to jobs, carry
the number as `v`; one without it is of version 1.
"""

from collections.abc import Mapping

VERSIONS: Mapping[str, int] = {
    # the clients table, and the history of use
    "client": 1,
    "ledger": 1,
    "day": 1,
    # the jobs table
    "job": 1,
    "intent": 1,
    "batch owner": 1,
    "batch line": 1,
    "model pause": 1,
    "service start": 1,
    "inbox checkpoint": 1,
    # the chat's table, and the router's
    "chat turn": 1,
    "ticket": 1,
    "routed conversation": 1,
    # queues and the event bus
    "job message": 1,
    "wake message": 1,
    "poll message": 1,
    "job event": 1,
    # the bucket
    "stored body": 1,
    "stored result": 1,
    "refusal note": 1,
    "upload": 1,
}
