"""What SQS does not take, it does not take here: limits, characters, batches."""

from collections.abc import Callable
from typing import Any

import pytest

from claude_core.aws import AwsRefused
from tests.cloud.lane import Lane
from tests.cloud.refusing import Mistake

MakeLane = Callable[..., Lane]
MIB = 1_048_576


def refusal(lane: Lane, action: str, **asked: Any) -> str:
    with pytest.raises(AwsRefused) as refused:
        lane.do(action, **asked)
    return refused.value.code


def entries(*bodies: str) -> list[dict[str, str]]:
    return [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies)]


def test_a_body_has_at_most_one_mebibyte_in_utf_8(lane: MakeLane) -> None:
    jobs = lane()
    jobs.send("x" * MIB, "é" * (MIB // 2))
    for body in ("x" * (MIB + 1), "é" * (MIB // 2) + "x"):
        assert refusal(jobs, "SendMessage", MessageBody=body) == "InvalidParameterValueException"


def test_attributes_count_as_the_body_does(lane: MakeLane) -> None:
    trace = {"trace": {"DataType": "String", "StringValue": "abc"}}
    room = MIB - len("trace" + "String" + "abc")
    jobs = lane()
    jobs.send("x" * room, MessageAttributes=trace)
    code = refusal(jobs, "SendMessage", MessageBody="x" * (room + 1), MessageAttributes=trace)
    assert code == "InvalidParameterValueException"
    (message,) = jobs.receive(MessageAttributeNames=["trace"])
    assert message["MessageAttributes"] == trace


def test_a_batch_has_at_most_one_mebibyte_together_and_fails_as_a_whole(lane: MakeLane) -> None:
    jobs = lane()
    half = "x" * (MIB // 2)
    jobs.do("SendMessageBatch", Entries=entries(half, half))
    code = refusal(jobs, "SendMessageBatch", Entries=entries(half, half, "x"))
    assert code == "BatchRequestTooLong"
    assert jobs.counts() == (2, 0, 0)


@pytest.mark.parametrize("text", ["\0", "\x08", "a\x1fb", "\ud800", "\ufffe", "\uffff"])
def test_characters_outside_xml_are_refused(lane: MakeLane, text: str) -> None:
    jobs = lane()
    assert refusal(jobs, "SendMessage", MessageBody=text) == "InvalidMessageContents"
    answer = jobs.do("SendMessageBatch", Entries=entries("fine", text))
    assert [one["Id"] for one in answer["Successful"]] == ["0"]
    (failed,) = answer["Failed"]
    assert (failed["Id"], failed["Code"]) == ("1", "InvalidMessageContents")
    assert failed["SenderFault"]


def test_all_other_characters_are_taken(lane: MakeLane) -> None:
    jobs = lane()
    body = "\t\n\r \x7f\x85\ud7ff\ue000\ufffd\U00010000\U0010ffff"
    jobs.send(body)
    (message,) = jobs.receive()
    assert message["Body"] == body


def test_an_empty_body_is_none(lane: MakeLane) -> None:
    code = refusal(lane(), "SendMessage", MessageBody="")
    assert code == "MissingRequiredParameterException"


@pytest.mark.parametrize("seconds", [-1, 901])
def test_a_delay_is_at_most_fifteen_minutes(lane: MakeLane, seconds: int) -> None:
    code = refusal(lane(), "SendMessage", MessageBody="x", DelaySeconds=seconds)
    assert code == "InvalidParameterValueException"


def test_a_delayed_message_comes_when_its_delay_is_over(lane: MakeLane) -> None:
    jobs = lane(delay_s=30, visibility_s=3_600)
    jobs.send("asked", DelaySeconds=900)
    jobs.send("by default")
    jobs.send("now", DelaySeconds=0)
    assert jobs.counts() == (1, 0, 2)
    assert [one["Body"] for one in jobs.receive(10)] == ["now"]
    jobs.wait(30)
    assert [one["Body"] for one in jobs.receive(10)] == ["by default"]
    jobs.wait(869)
    assert jobs.receive(10) == []
    jobs.wait(1)
    assert [one["Body"] for one in jobs.receive(10)] == ["asked"]


@pytest.mark.parametrize("group", ["", "x" * 129, "with space", "é"])
def test_a_group_is_a_short_word(lane: MakeLane, group: str) -> None:
    code = refusal(lane(), "SendMessage", MessageBody="x", MessageGroupId=group)
    assert code == "InvalidParameterValueException"


BATCHES: dict[str, tuple[list[str], str]] = {
    "empty": ([], "EmptyBatchRequest"),
    "eleven": ([str(at) for at in range(11)], "TooManyEntriesInBatchRequest"),
    "one id twice": (["a", "b", "a"], "BatchEntryIdsNotDistinct"),
    "a dot": (["a.b"], "InvalidBatchEntryId"),
    "81 letters": (["a" * 81], "InvalidBatchEntryId"),
}
ACTIONS: dict[str, dict[str, Any]] = {
    "SendMessageBatch": {"MessageBody": "x"},
    "DeleteMessageBatch": {"ReceiptHandle": "jobs/0/1"},
    "ChangeMessageVisibilityBatch": {"ReceiptHandle": "jobs/0/1", "VisibilityTimeout": 1},
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("form", BATCHES)
def test_a_batch_has_1_to_10_entries_with_ids_that_are_distinct(
    lane: MakeLane, action: str, form: str
) -> None:
    ids, code = BATCHES[form]
    asked = [{"Id": id, **ACTIONS[action]} for id in ids]
    assert refusal(lane(), action, Entries=asked) == code


def test_a_list_of_nothing_is_left_out_of_a_batchs_answer(lane: MakeLane) -> None:
    jobs = lane()
    assert jobs.do("SendMessageBatch", Entries=entries("x")).keys() == {"Successful"}
    far = [{"Id": "0", "MessageBody": "x", "DelaySeconds": 901}]
    assert jobs.do("SendMessageBatch", Entries=far).keys() == {"Failed"}


def test_a_queue_that_does_not_exist_says_so(lane: MakeLane) -> None:
    jobs = lane()
    jobs.url += "2"
    assert refusal(jobs, "SendMessage", MessageBody="x") == "QueueDoesNotExist"


@pytest.mark.parametrize(
    "asked",
    [
        {"MessageBody": "x", "DelaySecond": 1},
        {"MessageBody": "x", "DelaySeconds": "1"},
        {"MessageBody": "x", "DelaySeconds": 1.0},
        {"DelaySeconds": 1},
    ],
)
def test_what_no_sender_may_write_is_an_error_of_the_test(
    lane: MakeLane, asked: dict[str, Any]
) -> None:
    with pytest.raises(Mistake):
        lane().do("SendMessage", **asked)
