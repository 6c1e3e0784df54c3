"""What jobs ask and what they get, read and written wherever it is."""

from collections import OrderedDict
from collections.abc import Callable

from claude_core.jobs.asking import cacheable, request_of
from claude_core.jobs.files import Files
from claude_core.jobs.job import Job
from claude_core.jobs.results import keep_result
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.wire import Json

CACHED_S = 300.0
"""That Claude keeps a prompt in its cache after its last use."""
REMEMBERED = 1_000
"""Of instructions and documents, what was asked with lately."""


class Bodies:
    """Requests out of jobs, and results into buckets. Methods raise AwsRefused, AwsUnreachable."""

    def __init__(self, files: Files, *, streamed: bool, now: Callable[[], float]) -> None:
        """
        Args:
            streamed: answers may take as long, and be as long, as a stream.
        """
        self._files, self._streamed, self._now = files, streamed, now
        self._asked: OrderedDict[str, float] = OrderedDict()

    async def request(self, job: Job) -> Request:
        """What a job asks of Claude; what of a document job others ask with too, is cached.

        Raises:
            InvalidRequest, NotFound, NotAllowed: it is not served any more.
        """
        body = job.body_json
        if body is None:
            body = await self._files.read_json(job.body_at)
        shared = self._shared(body["doc"]) if "doc" in body else None
        return request_of(body, streamed=self._streamed, shared=shared)

    async def keep(self, job: Job, reply: Reply) -> str | None:
        """Write a result to where it was asked for; where the row is to say that it is, if it is
        too large for a row."""
        return await keep_result(self._files, job, reply.message, size=len(reply.body))

    def _shared(self, doc: Json) -> str | None:
        """What of a document job was asked with lately, and is long enough for the cache: marking
        it costs a quarter more once, and saves most of it from then on."""
        found = None
        for name, digest in cacheable(doc):
            if self._seen(digest):
                found = name
        return found

    def _seen(self, digest: str) -> bool:
        """Whether it was asked with lately; from now on it was."""
        now = self._now()
        before = self._asked.pop(digest, None)
        self._asked[digest] = now
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        return before is not None and now - before < CACHED_S
