"""Dead jobs begin anew: none is lost wherever it is interrupted, and a worker can claim each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_core.aws import Aws
from claude_core.connections import AwsHttp
from claude_core.jobs.claims import Claims
from claude_core.jobs.endings import Endings
from claude_core.jobs.job import Job, Status
from claude_core.jobs.queue_message import Pointer, wake_up
from claude_core.jobs.rows import Rows
from kit import dead_letters, redrive
from kit.fates import fate_of
from tests.doubles import AwsDouble
from tests.handlers.submitting import DOC, Submitting
from tests.kit.conftest import Kit
from tests.queueing import CLUSTER, TABLE


class Yard:
    """A deployment with jobs that a worker has given up."""

    def __init__(self, aws: AwsDouble, kit: Kit) -> None:
        self.aws, self._kit = aws, kit
        self.submitting = Submitting(aws)
        self.cloud, self.run = self.submitting.cloud, self.submitting.runner.run
        self.rows = self.run(self._open())
        self.claims = Claims(self.rows, holder="worker", lease_s=120, now=lambda: 1_000.0)

    async def _open(self) -> Rows:
        self.asked = Aws(AwsHttp(), self.aws.runtime)
        return Rows(self.asked, TABLE)

    def __call__(self, *arguments: str, code: int = 0) -> str:
        result = self._kit("jobs", "redrive", *arguments)
        assert result.exit_code == code, result.output
        return result.stdout + result.stderr

    def job(self, name: str = "a.md", status: Status | None = None, **more: Any) -> str:
        """A job, as a worker leaves it that ends it so."""
        id = self.submitting.submit(DOC | {"doc_id": name} | more)
        self._drain("long" if more.get("long") else "now")
        if status is not None:
            self.run(self._end(id, status))
        return id

    async def _end(self, id: str, status: Status) -> None:
        job = await self.claims.claim(id)
        assert isinstance(job, Job)
        endings = Endings(self.rows, keep_days=14, now=lambda: 1_000.0)
        assert await endings.failed(job, type="api_error", message="it is broken", status=status)

    def claim(self, id: str) -> Any:
        """What a worker hears that has a job's message."""
        return self.run(self.claims.claim(id))

    def letter(self, id: str, queue: str = "now") -> None:
        """Where the worker puts the message of a job that is dead."""
        row = self.cloud.job(id)
        text = Pointer(row.id, row.client, row.model, row.bytes).to_text()
        self.send(f"{queue}-dlq", text, row.client)

    def send(self, queue: str, text: str, group: str) -> None:
        url = self.cloud.urls[queue]
        self.cloud.sqs.send_message(QueueUrl=url, MessageBody=text, MessageGroupId=group)

    def messages(self, queue: str) -> list[str]:
        """What is in a queue now."""
        return self._drain(queue, keep=True)

    def _drain(self, queue: str, *, keep: bool = False) -> list[str]:
        url, bodies = self.cloud.urls[queue], list[str]()
        while found := self.cloud.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60
        ).get("Messages"):
            for one in found:
                bodies.append(one["Body"])
                self.cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        for body in bodies if keep else []:
            self.send(queue, body, "tests")
        return bodies

    def names(self, queue: str) -> list[str]:
        """Jobs whose messages are in a queue."""
        return sorted(json.loads(body)["job"] for body in self.messages(queue))

    def close(self) -> None:
        self.run(self.asked.close())
        self.submitting.close()


@pytest.fixture
def yard(
    aws: AwsDouble, kit: Kit, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Yard]:
    monkeypatch.setattr(dead_letters, "WAIT_S", 0)  # one server holds all
    aws.reset()
    yard = Yard(aws, kit)
    written = json.loads(outputs.read_text())
    named = {name.title(): name for name in ("now", "long", "batch")}
    written["QueueStack"] = {
        "JobsTableName": TABLE,
        "ClusterName": CLUSTER,
        "NowServiceName": "now-service",
        "LongServiceName": "long-service",
        **{f"{line}QueueName": name for line, name in named.items()},
        **{f"{line}DlqName": f"{name}-dlq" for line, name in named.items()},
    }
    outputs.write_text(json.dumps(written))
    yield yard
    yard.close()


def test_a_dead_job_begins_anew_and_a_worker_can_claim_it(yard: Yard) -> None:
    id = yard.job(status=Status.DEAD)
    yard.letter(id)
    fence = yard.cloud.job(id).fence
    said = yard()
    assert f"{id}  begins anew  a.md: it is broken" in said
    assert "1 sent, 0 other letters removed" in said
    assert (yard.names("now"), yard.names("now-dlq")) == ([id], [])
    row = yard.cloud.job(id)
    assert (row.status, row.attempts, row.crashes, row.failures) == (Status.QUEUED, 0, 0, 0)
    assert (row.error, row.finished, row.lease) == (None, None, None)
    claimed = yard.claim(id)
    assert isinstance(claimed, Job)
    assert (claimed.attempts, claimed.fence) == (1, fence + 1)


def test_it_is_listed_among_the_open_jobs_again(yard: Yard) -> None:
    id = yard.job(status=Status.DEAD)
    yard.letter(id)
    yard()

    for status, ids in (("queued", [id]), ("dead", [])):
        _, page = yard.submitting(f"GET /v1/jobs?status={status}")
        assert [job["job_id"] for job in page["data"]] == ids


def test_many_of_all_queues_go_back_to_the_queue_they_come_from(yard: Yard) -> None:
    now = sorted(yard.job(f"{at}.md", Status.DEAD) for at in range(23))
    long = yard.job("long.md", Status.DEAD, long=True)
    for id in now:
        yard.letter(id)
    yard.letter(long, "long")
    yard.send("batch-dlq", wake_up("claude-haiku-5-5"), "claude-haiku-5-5")
    assert "25 sent, 0 other letters removed" in yard()
    assert (yard.names("now"), yard.names("long")) == (now, [long])
    assert yard.messages("batch") == [wake_up("claude-haiku-5-5")]
    assert [yard.messages(f"{name}-dlq") for name in ("now", "long", "batch")] == [[], [], []]
    assert "there are no dead letters" in yard()


def test_a_service_that_has_no_task_is_given_one(yard: Yard) -> None:
    yard.letter(yard.job(status=Status.DEAD))
    yard.cloud.ecs.update_service(cluster=CLUSTER, service="now-service", desiredCount=0)
    yard()
    assert (yard.cloud.tasks("now-service"), yard.cloud.tasks("long-service")) == (1, 0)


def test_a_dry_run_shows_it_and_does_nothing(yard: Yard) -> None:
    id = yard.job(status=Status.DEAD)
    yard.letter(id)
    said = yard("--dry-run")
    assert f"{id}  begins anew" in said
    assert "1 would be sent" in said
    assert yard.cloud.job(id).status is Status.DEAD
    assert (yard.names("now"), yard.names("now-dlq")) == ([], [id])


@pytest.mark.parametrize(
    "breaks", ["amazonsqs:SendMessageBatch", "amazonsqs:DeleteMessageBatch"], ids=["send", "delete"]
)
def test_interrupted_anywhere_it_is_done_by_the_next_run(
    yard: Yard, breaks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "HIDDEN_S", 0)
    ids = sorted(yard.job(f"{at}.md", Status.DEAD) for at in range(3))
    for id in ids:
        yard.letter(id)
    refused = {"__type": "AccessDenied", "message": "not now"}
    yard.aws.broken = lambda action: (403, refused) if action == breaks else None
    assert "AWS: " in yard(code=1)
    assert {yard.cloud.job(id).status for id in ids} == {Status.QUEUED}
    yard.aws.broken = lambda action: None
    monkeypatch.setattr(dead_letters, "HIDDEN_S", 120)
    assert "is sent again" in yard()
    assert {*yard.names("now")} == {*ids}
    assert yard.names("now-dlq") == []


def test_letters_of_jobs_that_are_over_or_forgotten_go_and_foreign_ones_stay(yard: Yard) -> None:
    failed, gone = yard.job("f.md", Status.FAILED), yard.job("g.md", Status.DEAD)
    yard.letter(failed)
    yard.letter(gone)
    yard.aws.boto("dynamodb").delete_item(TableName=TABLE, Key={"id": {"S": gone}})
    yard.send("now-dlq", "what is this?", "unknown")
    said = yard()
    assert "is failed; its letter goes" in said
    assert "was forgotten; its letter goes" in said
    assert "what is this?  no message of this kit; stays" in said
    assert "0 sent, 2 other letters removed, 1 left" in said
    assert yard.messages("now") == []
    assert yard.cloud.job(failed).status is Status.FAILED


def test_a_job_that_changes_while_it_is_read_keeps_its_letter(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = yard.job(status=Status.DEAD)
    yard.letter(id)

    def too_late(job: Job | None, **more: Any) -> Any:
        yard.cloud.change(id, fence={"N": "9"})
        return fate_of(job, **more)

    monkeypatch.setattr(redrive, "fate_of", too_late)
    assert "0 sent, 0 other letters removed, 1 left" in yard()
    assert yard.cloud.job(id).status is Status.DEAD


def test_one_failed_job_begins_anew_by_its_id(yard: Yard) -> None:
    id = yard.job(status=Status.FAILED)
    assert "begins anew" in yard("--job", id)
    assert yard.names("now") == [id]
    assert isinstance(yard.claim(id), Job)


def test_one_dead_job_begins_anew_by_its_id_and_only_its_letter_goes(yard: Yard) -> None:
    one, other = yard.job("a.md", Status.DEAD), yard.job("b.md", Status.DEAD)
    yard.letter(one)
    yard.letter(other)
    yard("--job", one)
    assert (yard.names("now"), yard.names("now-dlq")) == ([one], [other])
    assert yard.cloud.job(other).status is Status.DEAD


def test_one_can_begin_anew_in_the_batch_lane_and_back(yard: Yard) -> None:
    id = yard.job(status=Status.FAILED)
    yard("--job", id, "--lane", "batch")
    row = yard.cloud.job(id)
    assert (row.lane, row.waiting) == ("batch", row.model)
    assert yard.messages("batch") == [wake_up(row.model)]
    yard.cloud.change(id, status={"S": "failed"})
    yard("--job", id, "--lane", "now")
    row = yard.cloud.job(id)
    assert (row.lane, row.waiting) == ("now", None)
    assert yard.names("now") == [id]


def test_one_that_is_queued_is_sent_again_where_it_waits(yard: Yard) -> None:
    id = yard.job()
    assert "is sent again" in yard("--job", id)
    assert yard.names("now") == [id]
    assert "is queued for lane now already" in yard("--job", id, "--lane", "batch", code=1)


def test_a_long_one_keeps_its_own_line(yard: Yard) -> None:
    id = yard.job("l.md", Status.FAILED, long=True)
    assert "not the batch lane" in yard("--job", id, "--lane", "batch", code=2)
    yard("--job", id)
    assert yard.names("long") == [id]


def test_one_that_runs_is_over_or_unknown_is_left_alone(yard: Yard) -> None:
    id = yard.job()
    yard.claim(id)
    assert "is running: only one that is dead or failed" in yard("--job", id, code=1)
    done = yard.job("d.md")
    yard.cloud.change(done, status={"S": "done"})
    assert "is done: only one" in yard("--job", done, code=1)
    assert "there is no such job" in yard("--job", "job_x", code=1)
    assert "--lane goes with --job" in yard("--lane", "now", code=2)
    assert yard.messages("now") == []


def test_a_service_that_cannot_be_started_is_told_and_what_was_sent_is_safe(yard: Yard) -> None:
    id = yard.job(status=Status.DEAD)
    yard.letter(id)
    refused = {"__type": "AccessDenied", "message": "not yours"}
    yard.aws.broken = lambda action: (403, refused) if action.endswith("DescribeServices") else None
    said = yard()
    assert "now-service could not be started; jobs may wait" in said
    assert yard.names("now") == [id]
