"""A receipt handle is good for as long as the message is not received again."""

from collections.abc import Callable

import pytest

from claude_core.aws import AwsRefused
from tests.cloud.lane import Lane, Message

MakeLane = Callable[..., Lane]
HOUR = 3_600


def twice(jobs: Lane) -> tuple[Message, Message]:
    """One message, received, and once more when its visibility was over."""
    jobs.send("job")
    (old,) = jobs.receive()
    jobs.wait(jobs.sqs.queues[jobs.url].visibility_s)
    (new,) = jobs.receive()
    assert new["MessageId"] == old["MessageId"]
    return old, new


def refusal(jobs: Lane, message: Message, seconds: int) -> str:
    with pytest.raises(AwsRefused) as refused:
        jobs.change(message, seconds)
    return refused.value.code


def test_a_stale_handle_deletes_nothing_though_the_call_succeeds(lane: MakeLane) -> None:
    jobs = lane()
    old, new = twice(jobs)
    jobs.delete(old)
    assert jobs.counts() == (0, 1, 0)
    jobs.delete(new)
    assert jobs.counts() == (0, 0, 0)


def test_the_newest_handle_deletes_also_after_its_visibility_and_twice_is_as_once(
    lane: MakeLane,
) -> None:
    jobs = lane()
    jobs.send("job")
    (message,) = jobs.receive()
    jobs.wait(31)
    jobs.delete(message)
    jobs.delete(message)
    assert jobs.receive() == []


def test_a_stale_handle_changes_no_visibility_and_says_so(lane: MakeLane) -> None:
    jobs = lane()
    old, new = twice(jobs)
    assert refusal(jobs, old, 100) == "InvalidParameterValueException"
    jobs.wait(30)
    assert refusal(jobs, new, 100) == "MessageNotInflight"
    jobs.delete(new)
    assert refusal(jobs, new, 100) == "InvalidParameterValueException"


@pytest.mark.parametrize("handle", ["", "nonsense", "others/1/1", "jobs/1/"])
def test_what_never_was_a_handle_of_this_queue_is_invalid(lane: MakeLane, handle: str) -> None:
    jobs = lane()
    assert refusal(jobs, {"ReceiptHandle": handle}, 1) == "ReceiptHandleIsInvalid"
    with pytest.raises(AwsRefused, match="ReceiptHandleIsInvalid"):
        jobs.delete({"ReceiptHandle": handle})


def test_a_batch_answers_for_each_handle(lane: MakeLane) -> None:
    jobs = lane()
    old, new = twice(jobs)
    handles = [old["ReceiptHandle"], new["ReceiptHandle"], "nonsense"]
    asked = [{"Id": str(at), "ReceiptHandle": handle} for at, handle in enumerate(handles)]
    changes = [{**one, "VisibilityTimeout": 50} for one in asked]
    answer = jobs.do("ChangeMessageVisibilityBatch", Entries=changes)
    assert answer["Successful"] == [{"Id": "1"}]
    # Entries kept the error names of the older protocol.
    assert [(one["Id"], one["Code"], one["SenderFault"]) for one in answer["Failed"]] == [
        ("0", "InvalidParameterValue", True),
        ("2", "ReceiptHandleIsInvalid", True),
    ]
    answer = jobs.do("DeleteMessageBatch", Entries=asked)
    assert answer["Successful"] == [{"Id": "0"}, {"Id": "1"}]
    assert [one["Id"] for one in answer["Failed"]] == ["2"]
    assert jobs.counts() == (0, 0, 0)


def test_visibility_counts_from_the_change_on(lane: MakeLane) -> None:
    jobs = lane()
    jobs.send("job")
    (message,) = jobs.receive()
    jobs.wait(20)
    jobs.change(message, 40)
    jobs.wait(39)
    assert jobs.receive() == []
    jobs.wait(1)
    assert jobs.receive()


def test_a_visibility_of_0_gives_the_message_back_at_once(lane: MakeLane) -> None:
    jobs = lane()
    jobs.send("job")
    (message,) = jobs.receive()
    jobs.change(message, 0)
    assert jobs.counts() == (1, 0, 0)
    (again,) = jobs.receive()
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_changed_visibility_is_for_this_receive_alone(lane: MakeLane) -> None:
    jobs = lane()
    jobs.send("job")
    (message,) = jobs.receive()
    jobs.change(message, 5)
    jobs.wait(5)
    assert jobs.receive()
    jobs.wait(29)
    assert jobs.receive() == []


@pytest.mark.parametrize("seconds", [-1, 12 * HOUR + 1])
def test_no_visibility_is_longer_than_twelve_hours(lane: MakeLane, seconds: int) -> None:
    jobs = lane()
    jobs.send("job")
    (message,) = jobs.receive()
    assert refusal(jobs, message, seconds) == "InvalidParameterValueException"
    with pytest.raises(AwsRefused, match="VisibilityTimeout"):
        jobs.receive(VisibilityTimeout=seconds)


def test_a_heartbeat_keeps_a_message_for_twelve_hours_from_its_receive_and_no_longer(
    lane: MakeLane,
) -> None:
    jobs = lane(visibility_s=HOUR)
    jobs.send("job")
    (message,) = jobs.receive()
    for _ in range(11):
        jobs.wait(HOUR - 60)
        jobs.change(message, HOUR)
    left = HOUR + 11 * 60
    assert refusal(jobs, message, left + 1) == "InvalidParameterValueException"
    # Refused is not shortened: what was there before still holds.
    assert jobs.counts() == (0, 1, 0)
    jobs.change(message, left)
    jobs.wait(left)
    (again,) = jobs.receive()
    jobs.change(again, 12 * HOUR)
