"""Files that are dropped into the inbox become jobs of the client in whose folder they are.

What cannot become one is refused, by a note. A message is over when its jobs are kept and sent;
one that comes again makes no second job.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from claude_core.admission import forbidden
from claude_core.aws import Aws, AwsRefused
from claude_core.aws_shapes import Found
from claude_core.budget import Budget
from claude_core.connections import AwsHttp
from claude_core.errors import InvalidRequest, KitError, NotAllowed, Refused, TooLarge
from claude_core.incoming import Incoming
from claude_core.jobs import notes
from claude_core.jobs.accepting import Accepting
from claude_core.jobs.checkpoints import Checkpoints
from claude_core.jobs.documents import MOST_BYTES, content_of
from claude_core.jobs.drops import Drop, options
from claude_core.jobs.files import Files
from claude_core.jobs.intake import new_job
from claude_core.jobs.sending import Sending
from claude_core.jobs.settings import InboxSettings, JobSettings, StartSettings
from claude_core.jobs.sqs import Queue
from claude_core.jobs.store import Jobs, Kept
from claude_core.row import Row
from claude_core.settings import Runtime, Settings
from claude_core.telemetry import Telemetry
from lambda_src.line_jobs import LineJobs
from lambda_src.notices import Notice, notices

RESERVE_S = 40.0
"""Of the function's time, for the window that is being kept when it runs out."""
GONE = ("NoSuchKey", "NoSuchVersion")
"""Somebody has deleted it since: nothing is to be done."""
EMPTY = "InvalidRange"
GROUP = "inbox"
Left = Callable[[], float]


class Context(Protocol):
    """What Lambda tells of one call."""

    def get_remaining_time_in_millis(self) -> int: ...


class Inbox:
    """One process's. Built at the first call: nothing it opens survives a snapshot."""

    def __init__(
        self,
        settings: Settings,
        jobs: JobSettings,
        starting: StartSettings,
        inbox: InboxSettings,
        runtime: Runtime,
    ) -> None:
        self._telemetry = Telemetry(settings.service)
        aws, trouble = Aws(AwsHttp(), runtime), self._telemetry.trouble
        self._close = aws.close
        self._budget = Budget.build(
            aws,
            table=settings.clients_table,
            history_table=settings.history_table,
            topic=settings.alarm_topic,
            trouble=trouble,
        )
        self._files, self._again = Files(aws, jobs.files_bucket), Queue(aws, inbox.inbox_queue)
        kept = Jobs(aws, table=jobs.jobs_table, files=self._files)
        self._buckets = frozenset(name for name in jobs.result_buckets.split(",") if name)
        sending = Sending.build(aws, jobs, starting, trouble=trouble)
        self._accepting = Accepting(kept, sending)
        checkpoints = Checkpoints(aws, jobs.jobs_table)
        self._lines = LineJobs(self._files, self._accepting, checkpoints, self._buckets)

    async def handle(self, event: dict[str, Any], left_s: Left) -> dict[str, Any]:
        """Do a batch of SQS messages; names those that failed, to come again.

        Args:
            left_s: of the function's time.
        """
        failed = []
        for at, record in enumerate(event["Records"]):
            # The first one is always begun: time that is too short for anything must not loop.
            now = at == 0 or left_s() > RESERVE_S
            if not await self._message(record["messageId"], record["body"], left_s, now=now):
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    async def close(self) -> None:
        await self._close()

    async def _message(self, id: str, body: str, left_s: Left, *, now: bool) -> bool:
        """Whether a message is over."""
        try:
            over = now and all([await self._notice(one, left_s) for one in notices(body)])
            if not over:
                # Rather than to fail, which would hide it for half an hour.
                await self._again.send([body], group=GROUP)
        except (KitError, AwsRefused) as err:
            self._telemetry.trouble(f"the inbox tries message {id} again: {err}")
            return False
        except Exception as err:
            self._telemetry.crashed(Incoming(id), err)
            return False
        return True

    async def _notice(self, notice: Notice, left_s: Left) -> bool:
        """Make jobs of one object; False: its file is not over yet."""
        if notice.bucket != self._files.bucket or notice.key.endswith("/"):
            return True  # not ours; a folder that S3's console has made
        try:
            drop = Drop.of(notice.key, notice.version, notice.mark)
            row = await self._owner(drop.client)
            if drop.content_type is not None:
                await self._document(drop, row)
                return True
            return await self._file(drop, row, left_s)
        except Refused as err:
            text = notes.refused(notice.key, notice.version, err.message)
            await self._files.write_text(notes.note_key(notice.key), text)
            self._telemetry.count(inbox_refused=1)
        except AwsRefused as err:
            if err.code not in GONE:
                raise
        return True

    async def _owner(self, client: str) -> Row:
        row = await self._budget.look(client)
        if row is None:
            raise NotAllowed(f"there is no client {client} (kit clients list)")
        if failed := forbidden(row):
            raise failed
        return row

    async def _document(self, drop: Drop, row: Row) -> None:
        found = await self._read(drop, MOST_BYTES)
        if found.size > MOST_BYTES:
            raise TooLarge(f"it has {found.size} bytes; the limit is {MOST_BYTES}")
        content = content_of(found.body, drop.content_type or "")
        body = {**options(found.metadata), "doc_id": drop.name, "upload": drop.key}
        new = new_job(drop.client, body, content=content, buckets=self._buckets)
        if failed := forbidden(row, new.request.model, new.request.needs):
            raise failed
        (one,) = await self._accepting.accept([(new, drop.idempotency_key())])
        if isinstance(one, Kept) and not one.before:
            self._telemetry.count(jobs_accepted=1)

    async def _file(self, drop: Drop, row: Row, left_s: Left) -> bool:
        said = options((await self._read(drop, 1)).metadata)
        ended = await self._lines.run(drop, row, said, lambda: left_s() > RESERVE_S)
        if ended.accepted:
            self._telemetry.count(jobs_accepted=ended.accepted)
        if ended.refused:
            self._telemetry.count(inbox_refused=ended.refused)
        return ended.over

    async def _read(self, drop: Drop, most: int) -> Found:
        """The beginning of a file, and what is said of it."""
        try:
            return await self._files.find(drop.key, version=drop.version, part=range(most))
        except AwsRefused as err:
            if err.code == EMPTY:
                raise InvalidRequest("there is nothing in it") from err
            raise


_runner = asyncio.Runner()
_inbox: Inbox | None = None


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Lambda's way in: one batch at a time, on an event loop that outlives it."""
    return _runner.run(_handle(event, context))


async def _handle(event: dict[str, Any], context: Context) -> dict[str, Any]:
    global _inbox
    if _inbox is None:
        told = JobSettings.from_env(), StartSettings.from_env(), InboxSettings.from_env()
        _inbox = Inbox(Settings.from_env(), *told, Runtime.from_env())
    return await _inbox.handle(event, lambda: context.get_remaining_time_in_millis() / 1_000)
