"""What is to become of a dead letter, which its job decides, and how a job begins anew."""

import datetime as dt
from dataclasses import dataclass

from claude_core.jobs.job import Job, Status
from claude_core.jobs.store import KEPT
from claude_core.row import Item


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a letter, in words; then whether its job begins anew, and whether the
    message goes to its queue again and the letter away."""

    words: str
    anew: bool = False
    sent: bool = False
    deleted: bool = True


ANEW = Fate("begins anew", anew=True, sent=True)
AGAIN = Fate("is sent again", sent=True)
FORWARD = Fate("goes back to its queue", sent=True)
FORGOTTEN = Fate("was forgotten; its letter goes")
FOREIGN = Fate("no message of this kit; stays", deleted=False)


def fate_of(job: Job | None, *, also: Status = Status.DEAD) -> Fate:
    """By what its job is now; a message too many does no harm.

    Args:
        also: begins anew, besides what is dead.
    """
    if job is None:
        return FORGOTTEN
    match job.status:
        case Status.DEAD:
            return ANEW
        case status if status is also:
            return ANEW
        case Status.QUEUED | Status.RUNNING:
            return AGAIN
    return Fate(f"is {job.status}; its letter goes")


def anew(job: Job, now: dt.datetime, lane: str | None = None) -> Item:
    """The write that lets a job begin anew, as parameters of UpdateItem: as it was when it was
    submitted, in that lane, but for the fence, so that no older claim holds again."""
    sets = {
        "status": {"S": Status.QUEUED.value},
        "listed": {"S": f"{Status.QUEUED.shelf}#{job.place}"},
        "expires_at": {"N": str(int((now + KEPT).timestamp()))},
        **{name: {"N": "0"} for name in ("attempts", "crashes", "failures")},
        **({"lane": {"S": lane}} if lane else {}),
        **({"waiting": {"S": job.model}} if lane == "batch" else {}),
    }
    gone = ["error", "finished", "lease", "holder", "batch", "usage", "cost", "stop_reason"]
    gone += ["waiting"] if "waiting" not in sets else []
    values = {f":{name}": value for name, value in sets.items()}
    return {
        "UpdateExpression": f"SET {', '.join(f'#{name} = :{name}' for name in sets)} "
        f"REMOVE {', '.join(f'#{name}' for name in gone)}",
        "ConditionExpression": "#status = :seen AND fence = :fence",
        "ExpressionAttributeNames": {f"#{name}": name for name in (*sets, *gone)},
        "ExpressionAttributeValues": {
            **values,
            ":seen": {"S": job.status.value},
            ":fence": {"N": str(job.fence)},
        },
    }
