"""The batch lane put together; clock, chance and the outside world are handed in."""

import random
import time
from collections.abc import Callable

from claude_core.aws import Aws
from claude_core.budget import Budget
from claude_core.jobs.batched import Batched
from claude_core.jobs.endings import Endings
from claude_core.jobs.events import Bus
from claude_core.jobs.files import Files
from claude_core.jobs.rows import Rows
from claude_core.jobs.sending import Sending
from claude_core.jobs.settings import JobSettings
from claude_core.jobs.sqs import Queue
from claude_core.message_batches import MessageBatches
from claude_core.telemetry import Telemetry
from lambda_src.batch_adopting import Adopting
from lambda_src.batch_assembling import Assembling
from lambda_src.batch_creating import Creating
from lambda_src.batch_ends import Ends
from lambda_src.batch_fates import Fates
from lambda_src.batch_intents import Intents
from lambda_src.batch_lane import Lane
from lambda_src.batch_line import Lines
from lambda_src.batch_messages import Post
from lambda_src.batch_money import Money
from lambda_src.batch_polling import Polling
from lambda_src.batch_releasing import Releasing
from lambda_src.batch_results import Results
from lambda_src.batch_waiting import Waiting
from lambda_src.batch_waking import Waking

CHANCE = random.SystemRandom()
"""Environments restored from one snapshot would share any other."""


def build(
    *,
    aws: Aws,
    batches: MessageBatches,
    budget: Budget,
    sending: Sending,
    telemetry: Telemetry,
    jobs: JobSettings,
    now: Callable[[], float] = time.time,
    rand: random.Random = CHANCE,
) -> Lane:
    """Wire the lane of one process.

    Args:
        aws: a patient one: what is done here may be done twice, and nobody waits for it.
        sending: to the workers, for jobs that Claude failed in a batch.
    """
    rows, files = Rows(aws, jobs.jobs_table), Files(aws, jobs.files_bucket)
    post = Post(Queue(aws, jobs.batch_queue))
    batched, intents = Batched(rows), Intents(rows, now)
    waiting = Waiting(aws, jobs.jobs_table, now)
    endings = Endings(rows, keep_days=int(jobs.job_days), now=now)
    ends = Ends(endings, batched, Bus(aws, jobs.event_bus), telemetry)
    releasing = Releasing(
        waiting=waiting, batched=batched, budget=budget, ends=ends, intents=intents, post=post
    )
    creating = Creating(
        intents=intents,
        batches=batches,
        releasing=releasing,
        ends=ends,
        post=post,
        telemetry=telemetry,
        now=now,
    )
    assembling = Assembling(
        files=files,
        batched=batched,
        money=Money(budget, now),
        ends=ends,
        intents=intents,
        creating=creating,
        post=post,
    )
    fates = Fates(
        rows=rows,
        batched=batched,
        endings=endings,
        files=files,
        sending=sending,
        telemetry=telemetry,
    )
    results = Results(
        batches=batches,
        waiting=waiting,
        fates=fates,
        budget=budget,
        ends=ends,
        intents=intents,
        post=post,
        telemetry=telemetry,
    )
    waking = Waking(
        lines=Lines(rows, now),
        waiting=waiting,
        assembling=assembling,
        post=post,
        now=now,
        rand=rand,
    )
    polling = Polling(
        intents=intents,
        batches=batches,
        creating=creating,
        adopting=Adopting(batches, intents),
        releasing=releasing,
        results=results,
        post=post,
        telemetry=telemetry,
        now=now,
    )
    return Lane(waking=waking, polling=polling, post=post, telemetry=telemetry)
