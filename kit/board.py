"""Where a submission stands: each document, and what has become of its job."""

from collections import Counter
from dataclasses import dataclass, field

from claude_core.jobs.job import Status
from claude_core.wire import Json

REFUSED = "refused"
"""It never became a job."""
OVER = {status.value for status in Status if status.over}
UNANSWERED = OVER - {Status.DONE.value}


@dataclass(slots=True)
class Entry:
    """One document."""

    name: str
    job_id: str | None
    status: str
    before: bool = False
    """Its job was there already."""
    reason: str = ""
    """Why there is no answer."""
    stop_reason: str | None = None
    cost_usd: float = 0.0

    @property
    def over(self) -> bool:
        return self.status in OVER

    @property
    def done(self) -> bool:
        return self.status == Status.DONE

    def learn(self, job: Json) -> None:
        """What is told of a job that is over."""
        self.reason, self.stop_reason = reason_of(job), job.get("stop_reason")

    def to_json(self) -> Json:
        """For programs."""
        shown = {
            "doc_id": self.name,
            "job_id": self.job_id,
            "status": self.status,
            "new": self.job_id is not None and not self.before,
            "stop_reason": self.stop_reason,
            "cost_usd": self.cost_usd,
            "error": self.reason,
        }
        return {name: value for name, value in shown.items() if value not in (None, "")}


@dataclass(slots=True)
class Board:
    """A whole submission; counts of it are kept, because a screen asks for them ten times a second.

    Two documents that are the same, asked the same, are one job.
    """

    total: int
    entries: list[Entry] = field(default_factory=list)
    jobs: dict[str, Entry] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    """Of jobs; what was refused is among them."""
    cost_usd: float = 0.0
    """Of what has ended since."""

    def refuse(self, name: str, reason: str) -> None:
        self.entries.append(Entry(name, None, REFUSED, reason=reason))
        self.states[REFUSED] += 1

    def take(self, name: str, job: Json, *, before: bool) -> None:
        """A document has its job, new or not."""
        id = job["job_id"]
        entry = Entry(name, id, job["status"], before=before or id in self.jobs)
        entry.learn(job)
        self.entries.append(entry)
        if id not in self.jobs:
            self.jobs[id] = entry
            self.states[entry.status] += 1

    def tell(self, job: Json) -> None:
        """How a job stands now."""
        entry = self.jobs[job["job_id"]]
        if entry.over:
            return
        self.states[entry.status] -= 1
        entry.status = job["status"]
        self.states[entry.status] += 1
        if entry.over:
            entry.learn(job)
            entry.cost_usd = job.get("cost_usd") or 0.0
            self.cost_usd += entry.cost_usd

    @property
    def before(self) -> int:
        return sum(entry.before for entry in self.entries)

    @property
    def new(self) -> int:
        return sum(entry.job_id is not None and not entry.before for entry in self.entries)

    @property
    def things(self) -> int:
        """Jobs, and documents that never became one."""
        return len(self.jobs) + self.states[REFUSED]

    @property
    def over(self) -> int:
        """Those of them that have ended, well or not."""
        return sum(count for state, count in self.states.items() if state in (*OVER, REFUSED))

    @property
    def open(self) -> list[str]:
        """Ids of the jobs that have not ended."""
        return [id for id, entry in self.jobs.items() if not entry.over]

    def unanswered(self) -> list[Entry]:
        """What has ended without an answer."""
        return [one for one in self.entries if one.status in (*UNANSWERED, REFUSED)]

    def cut(self) -> list[Entry]:
        """Answers that are not whole."""
        return [entry for entry in self.entries if entry.stop_reason == "max_tokens"]

    def to_json(self) -> Json:
        """For programs."""
        return {
            "new": self.new,
            "before": self.before,
            "refused": self.states[REFUSED],
            "cost_usd": self.cost_usd,
            "jobs": [entry.to_json() for entry in self.entries],
        }


def reason_of(job: Json) -> str:
    """Why a job has no answer, for people; empty where that is not so."""
    error = job.get("error") or {}
    if not error and job.get("status") == Status.CANCELLED:
        return "cancelled"
    return str(error.get("message") or error.get("type") or "")
