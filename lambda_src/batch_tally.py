"""What a batch came to, client by client: counted from all of its results, however often."""

from collections import defaultdict
from dataclasses import dataclass, field

from claude_core.jobs.job import Job, Status, owner_of
from claude_core.models import Model
from claude_core.usage import Usage
from lambda_src.batch_result import Result

IN_BATCH = Usage(batch=True)


@dataclass(slots=True)
class Share:
    """One client's."""

    cost: int = 0
    """Nano-dollars."""
    answers: int = 0
    usage: Usage = IN_BATCH

    def add(self, usage: Usage, cost: int) -> None:
        self.cost += cost
        self.answers += 1
        self.usage += usage


@dataclass(slots=True)
class Tally:
    """One batch's."""

    model: Model
    lines: int = 0
    shares: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    over: list[Job] = field(default_factory=list)
    """Jobs that are over in this batch, without what they asked and got."""

    def count(self, job: str, result: Result) -> int:
        """Count a result; what it cost."""
        if result.kind != "succeeded":
            return 0
        cost = self.model.cost(result.usage, result.stop_reason or None)
        self.shares[owner_of(job)].add(result.usage, cost)
        return cost

    def ended(self, status: Status) -> int:
        return sum(job.status is status for job in self.over)
