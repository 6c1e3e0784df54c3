"""One message in this process's hands, and the job behind it."""

import asyncio
from dataclasses import dataclass, field

from claude_core.jobs.job import Job
from claude_core.jobs.queue_message import Pointer
from claude_core.jobs.sqs import Message


@dataclass(slots=True, eq=False)
class Run:
    """Lives from the receipt of a message until it is deleted or let go."""

    message: Message
    pointer: Pointer
    beaten: float
    """When message and lease were last held, in seconds since the epoch."""
    held_until: float
    claim: Job | None = None
    called: bool = False
    """Claude was asked: it may have taken money."""
    lost: bool = False
    """Another claim has replaced this one."""
    task: "asyncio.Task[None] | None" = None
    handles: list[str] = field(default_factory=list)
    """Older ones of the same message, the newest last: it came again meanwhile."""

    @property
    def handle(self) -> str:
        """The newest: with an older one nothing is deleted."""
        return self.handles[-1] if self.handles else self.message.handle
