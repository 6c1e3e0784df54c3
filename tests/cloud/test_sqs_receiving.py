"""Receiving: long polls, dead letters, when messages end."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from claude_core.aws import AwsRefused
from tests.cloud import standard_queue
from tests.cloud.lane import Lane, Message
from tests.cloud.refusing import Mistake

MakeLane = Callable[..., Lane]
DAY = 86_400


def test_nothing_to_receive_is_no_list_and_no_error(lane: MakeLane) -> None:
    assert lane().do("ReceiveMessage") == {}


@pytest.mark.parametrize(
    "asked",
    [{"MaxNumberOfMessages": 0}, {"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21}],
)
def test_a_receive_takes_1_to_10_messages_and_waits_for_20_seconds_at_most(
    lane: MakeLane, asked: dict[str, Any]
) -> None:
    with pytest.raises(AwsRefused, match="InvalidParameterValue"):
        lane().do("ReceiveMessage", **asked)


def test_attributes_come_only_when_asked_for(lane: MakeLane) -> None:
    jobs = lane()
    sent = jobs.loop.clock()
    jobs.send("job", MessageGroupId="client")
    jobs.wait(3)
    (message,) = jobs.do("ReceiveMessage", VisibilityTimeout=0)["Messages"]
    assert message.keys() == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}
    wanted = ["ApproximateReceiveCount", "SentTimestamp", "MessageGroupId"]
    (message,) = jobs.do("ReceiveMessage", MessageSystemAttributeNames=wanted)["Messages"]
    assert message["Attributes"] == {
        "ApproximateReceiveCount": "2",
        "SentTimestamp": str(int(sent * 1_000)),
        "MessageGroupId": "client",
    }
    with pytest.raises(Mistake):
        jobs.do("ReceiveMessage", MessageSystemAttributeNames=["ReceiveCount"])


def test_a_long_poll_ends_with_the_first_message_or_when_its_time_is_over(lane: MakeLane) -> None:
    jobs = lane()

    async def poll() -> list[tuple[float, list[str]]]:
        start, ends = jobs.loop.time(), []
        jobs.loop.call_later(25, jobs.loop.create_task, jobs.call("SendMessage", MessageBody="a"))
        for _ in range(2):
            found = await jobs.receiving(10, wait_s=20)
            ends.append((jobs.loop.time() - start, [one["Body"] for one in found]))
        return ends

    assert jobs.run(poll()) == [(20, []), (25, ["a"])]


def test_a_long_poll_wakes_for_what_becomes_visible_by_itself_and_for_what_is_given_back(
    lane: MakeLane,
) -> None:
    jobs = lane(visibility_s=7)
    jobs.send("late", DelaySeconds=5)

    async def poll() -> list[float]:
        start, ends = jobs.loop.time(), []
        for _ in range(2):  # the delay's end, and then the visibility's
            (message,) = await jobs.receiving(wait_s=20)
            ends.append(jobs.loop.time() - start)
        back = {"ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
        polling = asyncio.create_task(jobs.receiving(wait_s=20))
        await asyncio.sleep(3)
        await jobs.call("ChangeMessageVisibility", **back)
        await polling
        return [*ends, jobs.loop.time() - start]

    assert jobs.run(poll()) == pytest.approx([5, 12, 15])


def test_polls_are_served_in_turn_and_one_that_was_cancelled_takes_nothing(lane: MakeLane) -> None:
    jobs = lane()

    async def poll() -> list[list[Message]]:
        polls = [asyncio.create_task(jobs.receiving(wait_s=20)) for _ in range(4)]
        await asyncio.sleep(1)
        polls[0].cancel()
        await asyncio.sleep(1)
        for body in "ab":
            await jobs.call("SendMessage", MessageBody=body)
        done, _ = await asyncio.wait(polls[1:3])
        assert not polls[3].done()
        return [one.result() for one in polls[1:3] if one in done]

    assert [[one["Body"] for one in found] for found in jobs.run(poll())] == [["a"], ["b"]]


def test_each_receive_counts_also_one_whose_receiver_has_died(lane: MakeLane) -> None:
    jobs = lane()
    jobs.send("job")
    for count in range(1, 4):
        (message,) = jobs.receive()
        assert message["Attributes"]["ApproximateReceiveCount"] == str(count)
        jobs.wait(30)


def test_a_message_ends_after_the_retention_wherever_it_is(lane: MakeLane) -> None:
    jobs = lane(retention_s=DAY, visibility_s=600)
    jobs.send("waits", "flies")
    jobs.wait(DAY - 300)
    jobs.receive()
    assert jobs.counts() == (1, 1, 0)
    jobs.wait(300)
    assert jobs.counts() == (0, 0, 0)
    jobs.wait(600)
    assert jobs.receive() == []


def test_after_so_many_receives_a_message_goes_to_the_dead_letters_and_keeps_its_age(
    lane: MakeLane,
) -> None:
    jobs = lane()
    dead = jobs.sqs.add("dead", retention_s=4 * DAY)
    jobs.url = jobs.sqs.add("living", dead_letters=jobs.sqs.queues[dead], max_receives=3)
    jobs.send("poison", MessageGroupId="client")
    for _ in range(3):
        (message,) = jobs.receive(VisibilityTimeout=DAY // 2)
        jobs.wait(DAY // 2)
    # It goes when it would be received the next time, and its handle reaches it no more.
    assert jobs.counts() == (1, 0, 0)
    assert jobs.receive() == []
    jobs.delete(message)
    jobs.url = dead
    assert jobs.counts() == (1, 0, 0)
    (found,) = jobs.receive()
    assert found["MessageId"] == message["MessageId"]
    assert found["Attributes"]["ApproximateReceiveCount"] == "4"
    # A day and a half of its four days had passed.
    jobs.wait(2.5 * DAY)
    assert jobs.counts() == (0, 0, 0)


def test_with_all_places_in_flight_a_short_poll_fails_and_a_long_one_waits(
    lane: MakeLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standard_queue, "MOST_FLYING", 3)
    jobs = lane(visibility_s=600)
    jobs.send(*"abcde")
    (message, *_) = jobs.receive(10)
    assert jobs.counts() == (2, 3, 0)
    with pytest.raises(AwsRefused, match="OverLimit"):
        jobs.receive()

    async def poll() -> list[Message]:
        polling = asyncio.create_task(jobs.receiving(10, wait_s=20))
        await asyncio.sleep(5)
        assert not polling.done()
        await jobs.call("DeleteMessage", ReceiptHandle=message["ReceiptHandle"])
        return await polling

    assert len(jobs.run(poll())) == 1
