"""What a batch came to, client by client: counted from all of its results, however often."""

from collections import defaultdict
from dataclasses import dataclass, field

from claude_core.jobs.job import Job, owner_of
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
    jobs: list[str] = field(default_factory=list)
    """Their ids, one for each line."""
    shares: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    over: dict[str, Job] = field(default_factory=dict)
    """Jobs that are over by what was just read, without what they asked and got."""

    def count(self, result: Result, job: str) -> int:
        """Count a result; what it cost."""
        self.jobs.append(job)
        if result.kind != "succeeded":
            return 0
        cost = self.model.cost(result.usage, result.stop_reason or None)
        self.shares[owner_of(job)].add(result.usage, cost)
        return cost
