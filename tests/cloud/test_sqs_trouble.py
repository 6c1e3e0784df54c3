"""What a standard queue may do, and does when it is told to."""

import asyncio
from collections.abc import Callable

import pytest

from claude_core.errors import AwsUnreachable
from tests.cloud.lane import Lane, Message
from tests.cloud.receiving import Trouble

MakeLane = Callable[..., Lane]


def test_a_duplicate_reaches_two_receivers_at_once_and_only_the_newer_handle_deletes(
    lane: MakeLane,
) -> None:
    jobs = lane()
    jobs.sqs.trouble = Trouble(duplicates=1)

    async def poll() -> list[list[Message]]:
        polls = [asyncio.create_task(jobs.receiving(10, wait_s=20)) for _ in range(2)]
        await asyncio.sleep(1)
        await jobs.call("SendMessage", MessageBody="job")
        await asyncio.wait(polls)
        jobs.sqs.trouble = Trouble()
        return [one.result() for one in polls]

    (first,), (second,) = jobs.run(poll())
    assert first["MessageId"] == second["MessageId"]
    assert first["ReceiptHandle"] != second["ReceiptHandle"]
    jobs.delete(first)
    assert jobs.counts()[1] == 1
    jobs.delete(second)
    assert jobs.counts() == (0, 0, 0)


def test_no_answer_holds_a_message_twice(lane: MakeLane) -> None:
    jobs = lane()
    jobs.sqs.trouble = Trouble(duplicates=1)
    jobs.send(*"abc")
    for _ in range(5):
        assert sorted(one["Body"] for one in jobs.receive(10)) == ["a", "b", "c"]


def test_a_deleted_message_may_come_once_more_within_a_minute(lane: MakeLane) -> None:
    jobs = lane()
    jobs.sqs.trouble = Trouble(late=1)
    jobs.send("job")
    (message,) = jobs.receive()
    jobs.delete(message)
    jobs.wait(60)
    (again,) = jobs.receive()
    assert again["MessageId"] == message["MessageId"]
    jobs.delete(again)
    jobs.wait(600)
    assert jobs.counts() == (0, 0, 0)


def test_an_entry_of_a_batch_may_fail_without_the_senders_fault(lane: MakeLane) -> None:
    jobs = lane()
    jobs.sqs.trouble = Trouble(failed=0.5)
    asked = [{"Id": str(at), "MessageBody": "x"} for at in range(10)]
    answer = jobs.do("SendMessageBatch", Entries=asked)
    assert len(answer["Successful"]) + len(answer["Failed"]) == 10
    assert {(one["Code"], one["SenderFault"]) for one in answer["Failed"]} == {
        ("InternalError", False)
    }
    assert jobs.counts()[0] == len(answer["Successful"])


def test_an_answer_may_be_lost_when_all_was_done(lane: MakeLane) -> None:
    jobs = lane()
    jobs.sqs.trouble = Trouble(lost=1)
    with pytest.raises(AwsUnreachable):
        jobs.send("job")
    with pytest.raises(AwsUnreachable):
        jobs.receive()
    jobs.sqs.trouble = Trouble()
    assert jobs.counts() == (0, 1, 0)


def test_the_same_seed_makes_the_same_trouble(lane: MakeLane) -> None:
    def run(seed: int) -> list[str]:
        jobs = lane(seed=seed)
        jobs.sqs.trouble = Trouble(duplicates=0.3, late=0.3)
        jobs.send(*"abcdefghij" * 3)
        seen: list[str] = []
        while any(jobs.counts()):
            for message in jobs.receive(10, wait_s=20):
                seen.append(message["Body"])
                jobs.delete(message)
        return seen

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert len(run(1)) > 30
