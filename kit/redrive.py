"""`kit jobs redrive`: dead jobs begin anew, from the dead letters of every queue, or one by its id.

Whatever is interrupted can be done again: first the job's row is made ready, then the message is
sent, and the letter is deleted last. A message too many does no harm.
"""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.markup import escape

from claude_core.jobs.job import Job, Status
from kit.board import reason_of
from kit.dead_letters import Letter
from kit.deployment import Deployment
from kit.fates import FOREIGN, FORWARD, Fate, fate_of
from kit.jobs_stack import LINES, JobsStack, Line
from kit.options import deployed
from kit.order import Lane
from kit.say import Stop, out


@deployed
def redrive(
    deployment: Deployment,
    job: Annotated[str | None, typer.Option(help="Only this one, dead or failed.")] = None,
    lane: Annotated[
        Lane | None, typer.Option(help="With --job: where it begins anew; else as before.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
) -> None:
    """Let dead jobs begin anew, once their cause is mended; with AWS credentials, no client key."""
    if lane and not job:
        raise Stop("--lane goes with --job: letters go back to the queue they come from", code=2)
    stack = JobsStack(deployment)
    if job:
        _one(stack, job, lane, dry_run=dry_run)
        return
    counts = [_line(stack, line, dry_run=dry_run) for line in LINES]
    sent, removed, left = (sum(count) for count in zip(*counts, strict=True))
    if not sent + removed + left:
        out.print("there are no dead letters")
        return
    would = "would be " if dry_run else ""
    stay = f", {left:,} left" if left else ""
    out.print(f"{sent:,} {would}sent, {removed:,} other letters {would}removed{stay}")


def _line(stack: JobsStack, line: Line, *, dry_run: bool) -> tuple[int, int, int]:
    """All letters of a queue: how many were sent, only removed, and left."""
    letters, hidden = stack.letters(line), list[list[Letter]]()
    sent = removed = left = 0
    for some in letters.read():
        going, gone = list[Letter](), list[Letter]()
        for letter in some:
            job, fate = _fate(stack, line, letter)
            _say(job.id if job else letter.body, job, fate)
            if fate.anew and job and not dry_run and not stack.begin_anew(job):
                continue  # it has changed meanwhile: the next run looks again
            if fate.sent:
                going.append(letter)
            elif fate.deleted:
                gone.append(letter)
        if dry_run:
            hidden.append(some)
        else:
            going = letters.send(going)
            letters.delete([*going, *gone])
        sent, removed = sent + len(going), removed + len(gone)
        left += len(some) - len(going) - len(gone)
    for some in hidden:
        letters.show(some)
    if sent and not dry_run:
        stack.start(line)
    return sent, removed, left


def _one(stack: JobsStack, id: str, lane: Lane | None, *, dry_run: bool) -> None:
    job = stack.job(id)
    if job is None or "status" not in job.item:
        raise Stop(f"{id}: there is no such job")
    fate = fate_of(job, also=Status.FAILED)
    if job.status is Status.RUNNING or not fate.sent:
        raise Stop(f"{id} is {job.status}: only one that is dead or failed can begin anew")
    lane = lane or ("batch" if job.lane == "batch" else "now")
    if job.status is Status.QUEUED and lane != job.lane:
        raise Stop(f"{id} is queued for lane {job.lane} already")
    if job.long and lane == "batch":
        raise Stop(f"{id} is a long one: it has a line of its own, not the batch lane", code=2)
    _say(id, job, fate)
    if dry_run:
        return
    if fate.anew and not stack.begin_anew(job, lane):
        raise Stop(f"{id} has changed while it was read; look again: kit jobs redrive --dry-run")
    line: Line = "Batch" if lane == "batch" else "Long" if job.long else "Now"
    stack.send(job, line)
    if job.status is not Status.FAILED:
        _bury(stack, job)


def _bury(stack: JobsStack, job: Job) -> None:
    """Delete the letters of a job that was sent again."""
    letters = stack.letters("Long" if job.long else "Now")
    others: list[list[Letter]] = []
    for some in letters.read():
        mine = [one for one in some if one.pointer and one.pointer.job == job.id]
        letters.delete(mine)
        others.append([one for one in some if one not in mine])
    for some in others:
        letters.show(some)


def _fate(stack: JobsStack, line: Line, letter: Letter) -> tuple[Job | None, Fate]:
    if (pointer := letter.pointer) is None:
        return None, FORWARD if line == "Batch" else FOREIGN
    job = stack.job(pointer.job)
    return job, fate_of(job)


def _say(what: str, job: Job | None, fate: Fate) -> None:
    about: Iterable[str] = ()
    if job is not None:
        why = reason_of(job.to_json())
        about = (part for part in (job.doc_id, why) if part)
    out.print(f"{escape(what[:120])}  {fate.words}  [dim]{escape(': '.join(about))}[/]")
