"""Intents: what is noted of a batch before Claude is asked to make it, and until it is over.

A batch that is made and not known would be paid for and asked again. So its row is there before it,
names it in each `custom_id`, and lists the money that was taken for it. Rows of the jobs table:

id                  intent#ID
model, begun        whose jobs; when, in seconds since the epoch: its reservations are named by both
stage               of `Stage`
jobs, held          how many were sent; nano-dollars taken, by client
sent_at, sent_by    when Claude was asked to make it; until when that may have arrived
batch_id            Claude's own word for it, once that is known
told                of how many of its results the event bus was told, where time ran out
lease, fence        until when somebody looks after it; counts those who did
turn                of the poll message that is due
expires_at          when it may be forgotten (TTL)

and `batchid#BATCH`, which says whose a batch is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from claude_core.jobs.claims import Held
from claude_core.jobs.rows import Rows
from claude_core.reservation import BATCH
from claude_core.row import Item

KEPT_S = 40 * 86_400
"""Claude keeps the results of a batch for 29 days."""
NAMES = {"#stage": "stage", "#turn": "turn"}


class Stage(StrEnum):
    """How far a batch has come."""

    CLAIMING = "claiming"
    SENDING = "sending"
    """Claude may have made it, or not."""
    CREATED = "created"
    RELEASING = "releasing"
    """It was not made, and never will be: its jobs are put back."""
    ENDED = "ended"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Intent:
    """One of them, as its row has it."""

    id: str
    model: str
    begun: int
    stage: Stage = Stage.CLAIMING
    fence: int = 1
    turn: int = 1
    jobs: int = 0
    held: dict[str, int] = field(default_factory=dict)
    sent_at: float = 0.0
    sent_by: float = 0.0
    batch_id: str = ""
    told: int = 0

    @property
    def reservation(self) -> str:
        """The id of its money, the same in each client's row."""
        return f"{self.begun:08x}{BATCH}-{self.id}"

    @classmethod
    def of(cls, item: Item) -> "Intent":
        found = {name: next(iter(value.values())) for name, value in item.items()}
        return cls(
            id=found["id"].partition("#")[2],
            model=found["model"],
            begun=int(found["begun"]),
            stage=Stage(found["stage"]),
            fence=int(found["fence"]),
            turn=int(found["turn"]),
            jobs=int(found.get("jobs", 0)),
            held={client: int(cost["N"]) for client, cost in found.get("held", {}).items()},
            sent_at=float(found.get("sent_at", 0)),
            sent_by=float(found.get("sent_by", 0)),
            batch_id=found.get("batch_id", ""),
            told=int(found.get("told", 0)),
        )


class Intents:
    """Reads and writes them. Every method raises AwsUnreachable."""

    def __init__(self, rows: Rows, now: Callable[[], float]) -> None:
        self._rows, self._now = rows, now

    async def begin(self, id: str, model: str, *, lease_s: float) -> Intent:
        """Note a new one, and hold it."""
        intent = Intent(id, model, int(self._now()))
        item: Item = {
            "id": {"S": f"intent#{id}"},
            "model": {"S": model},
            "stage": {"S": intent.stage.value},
            "expires_at": {"N": str(intent.begun + KEPT_S)},
            **{name: {"N": str(getattr(intent, name))} for name in ("begun", "fence", "turn")},
            "lease": self._until(lease_s),
        }
        await self._rows.put(item)
        return intent

    async def take(self, id: str, turn: int, *, lease_s: float) -> Intent | Held | None:
        """Look after one whose poll message came; None: it is over, or the message a duplicate."""
        values: Item = {
            ":turn": {"N": str(turn)},
            ":now": {"N": str(self._now())},
            ":lease": self._until(lease_s),
            ":one": {"N": "1"},
            ":ended": {"S": Stage.ENDED.value},
            ":void": {"S": Stage.VOID.value},
        }
        taken, item = await self._rows.update(
            f"intent#{id}",
            "SET lease = :lease, fence = fence + :one, #turn = :turn",
            "lease < :now AND #turn <= :turn AND NOT #stage IN (:ended, :void)",
            values,
            NAMES,
        )
        if taken:
            return Intent.of(item)
        if not item or Stage(item["stage"]["S"]) in (Stage.ENDED, Stage.VOID):
            return None
        left_s = float(item["lease"]["N"]) - self._now()
        return None if int(item["turn"]["N"]) > turn else Held(max(0.0, left_s))

    async def move(self, intent: Intent, stage: Stage, **noted: Item) -> Intent | None:
        """Bring one that is held to its next stage; None: somebody else holds it.

        Args:
            noted: more attributes, as DynamoDB writes them.
        """
        sets = ["#stage = :stage", *(f"#{name} = :{name}" for name in noted)]
        values: Item = {
            ":stage": {"S": stage.value},
            ":before": {"S": intent.stage.value},
            ":fence": {"N": str(intent.fence)},
            **{f":{name}": value for name, value in noted.items()},
        }
        moved, item = await self._rows.update(
            f"intent#{intent.id}",
            f"SET {', '.join(sets)}",
            "fence = :fence AND #stage = :before",
            values,
            {"#stage": "stage", **{f"#{name}": name for name in noted}},
        )
        after = Intent.of(item) if item else None
        # There without the write: the first attempt arrived, and only its answer was lost.
        there = after and (after.stage, after.fence) == (stage, intent.fence)
        return after if moved or there else None

    async def rest(self, intent: Intent, turn: int) -> None:
        """Let go of one until the poll message of that turn comes."""
        values: Item = {
            ":fence": {"N": str(intent.fence)},
            ":turn": {"N": str(turn)},
            ":zero": {"N": "0"},
        }
        update = "SET lease = :zero, #turn = :turn"
        names = {"#turn": "turn"}
        await self._rows.update(f"intent#{intent.id}", update, "fence = :fence", values, names)

    async def owner(self, batch_id: str) -> str | None:
        """The intent that a batch is known to be of."""
        item = await self._rows.read(f"batchid#{batch_id}")
        return str(item["intent"]["S"]) if item else None

    async def own(self, intent: Intent, batch_id: str) -> None:
        """Note whose a batch is, for those who look for theirs."""
        item: Item = {
            "id": {"S": f"batchid#{batch_id}"},
            "intent": {"S": intent.id},
            "expires_at": {"N": str(intent.begun + KEPT_S)},
        }
        await self._rows.put(item)

    def _until(self, lease_s: float) -> Item:
        return {"N": str(int(self._now() + lease_s))}
