"""The numbers of what is done later: its queues, its workers, its functions, its files."""

from dataclasses import dataclass


# Without slots: Python allows no class two parts that have some.
@dataclass(frozen=True, kw_only=True)
class QueueNumbers:
    """A part of Config."""

    job_days: int = 14
    """That a job, and its result, is kept after its end."""
    body_days: int = 31
    """That what a job asks is kept in the bucket: longer than any job can wait."""
    upload_days: int = 2
    """That what was uploaded waits for the job that names it."""
    inbox_days: int = 30
    """That what was dropped in stays, and why something was refused."""
    replaced_days: int = 7
    """That a version of a file is kept after it was replaced or deleted."""
    result_buckets: tuple[str, ...] = ()
    """Names of buckets of yours that a result may be asked for in; it comes to `results/`."""

    worker_cpu: int = 256
    """1,024 are one vCPU; who waits for Claude uses little of one."""
    worker_memory_mb: int = 512
    worker_slots: int = 200
    """Jobs in flight at once, in one task."""
    long_slots: int = 50
    """Fewer: these are streamed, and a token takes 50 µs of CPU."""
    worker_bytes: int = 64 * 1024 * 1024
    """Of requests in flight, in one task."""
    worker_min_tasks: int = 0
    """0: started by the first job; that of jobs marked `long` always is."""
    worker_max_tasks: int = 2
    long_max_tasks: int = 2
    worker_spot_percent: int = 75
    """Of the tasks beyond the first, which is on demand; jobs marked `long` never run on Spot."""
    backlog_per_task: int = 200
    """Jobs waiting and in flight, for each task: above it tasks are added."""
    long_backlog_per_task: int = 50

    visibility_s: int = 120
    """That a message, and the lease of its job, is held without a sign of life."""
    heartbeat_s: int = 40
    job_timeout_s: int = 900
    """What Claude has for one job."""
    long_job_timeout_s: int = 3_300
    """ECS protects a task from scaling for an hour, as it is asked to here."""
    job_receives: int = 1_000
    """SQS's own limit: a job that goes back because Claude is busy is received again, and is no
    dead letter; the worker itself counts attempts."""
    queue_promise_s: int = 900
    """By when a job is done; alarm when one is older."""
    throttled_percent: int = 20
    """Alarm at so many calls that Claude refuses as too many."""
    starts_per_15_min: int = 6
    """Alarm at so many workers started: more than a scale-out starts."""

    inbox_timeout_s: int = 120
    """Of the function that makes jobs of files; it goes on where it stopped."""
    inbox_receives: int = 20
    inbox_concurrency: int = 5
    batch_delay_s: int = 60
    """That a job of the batch lane waits for others to be asked together with."""
    batch_timeout_s: int = 300
    """Of the function that puts batches together, and takes their results."""
    batch_window_s: int = 5
    """That wake-ups are gathered for one call of it."""
    batch_concurrency: int = 2
    """SQS's own least."""
    batch_receives: int = 100

    @property
    def long_promise_s(self) -> int:
        return self.long_job_timeout_s + self.queue_promise_s

    @property
    def inbox_visibility_s(self) -> int:
        """AWS wants six times the function's timeout, so that throttling loses no message."""
        return 6 * self.inbox_timeout_s

    @property
    def batch_visibility_s(self) -> int:
        """And the time that messages are gathered for."""
        return 6 * self.batch_timeout_s + self.batch_window_s
