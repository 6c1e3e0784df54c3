"""What the queue pattern's code is told by the stack, beside `claude_core.settings`."""

from dataclasses import dataclass

from claude_core.settings import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings(Environment):
    """Where jobs are kept and sent; every number as text, in the unit of its name."""

    jobs_table: str
    files_bucket: str
    """Uploads, what is too large for the table, results, and the inbox."""
    now_queue: str
    """URLs, all of them, of the queues and of where their dead letters go."""
    now_dlq: str
    long_queue: str
    long_dlq: str
    batch_queue: str
    batch_dlq: str
    event_bus: str
    """Its name; each finished job is told to it."""
    result_buckets: str = ""
    """Others that a result may be asked for in, separated by commas."""
    job_days: str = "14"
    """That a job is kept after its end."""
    batch_delay_s: str = "60"
    """That a job of the batch lane waits for others to be asked together with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSettings(Environment):
    """Which services are woken from zero tasks, by name, for those that send jobs to them."""

    cluster: str
    now_service: str
    long_service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings(Environment):
    """What the inbox is told besides."""

    inbox_queue: str
    """URL of the queue that it is woken by: a long file is gone on with by a message of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings(Environment):
    """What one worker is told besides."""

    takes: str
    """"now" or "long": which of the queues it empties."""
    slots: str
    """Jobs in flight at once."""
    bytes_in_flight: str
    """Of requests; memory follows from it."""
    visibility_s: str
    """That a message, and the lease of its job, is held without a sign of life."""
    heartbeat_s: str
    job_timeout_s: str
    """What Claude has for one job."""
    drain_s: str
