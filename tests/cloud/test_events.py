"""PutEvents: refused as a whole for its form, answered entry by entry for the rest."""

import asyncio
import json
import random
from typing import Any

import pytest

from claude_core.aws import AwsRefused
from tests.cloud.events import LARGEST, Event, Events
from tests.cloud.refusing import Mistake

ENTRY = {"Source": "kit", "DetailType": "job done", "Detail": '{"job_id": "1"}'}


def made() -> Events:
    return Events(lambda: 1_795_000_000.0, random.Random(1))


def put(events: Events, *entries: dict[str, Any]) -> dict[str, Any]:
    return asyncio.run(events.call("PutEvents", {"Entries": list(entries)}))


def test_what_was_put_is_recorded() -> None:
    events = made()
    answer = put(events, ENTRY)
    (event,) = events.taken
    assert answer == {"FailedEntryCount": 0, "Entries": [{"EventId": event.id}]}
    assert event == Event(event.id, "default", "kit", "job done", {"job_id": "1"}, 1_795_000_000.0)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no JSON": ({"Detail": "job"}, "MalformedDetail"),
    "no object": ({"Detail": "[]"}, "MalformedDetail"),
    "AWS's own source": ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
    "a long type": ({"DetailType": "x" * 129}, "InvalidArgument"),
    "no type": ({"DetailType": ""}, "InvalidArgument"),
    "another bus": ({"EventBusName": "other"}, "InvalidArgument"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_entry_fails_by_itself(what: str) -> None:
    events = made()
    change, code = WRONG[what]
    answer = put(events, ENTRY, ENTRY | change, ENTRY)
    assert answer["FailedEntryCount"] == 1
    assert [one.get("ErrorCode") for one in answer["Entries"]] == [None, code, None]
    assert len(events.taken) == 2


def test_an_entry_may_fail_though_nothing_is_wrong_with_it() -> None:
    events = made()
    fails = iter(["ThrottlingException", None])
    events.fails = lambda entry: next(fails)
    answer = put(events, ENTRY, ENTRY)
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "ThrottlingException"
    assert "EventId" in answer["Entries"][1]


def detail(size: int) -> str:
    return json.dumps({"x": "y" * (size - len('{"x": ""}'))})


def test_all_entries_together_have_256_kb() -> None:
    room = (LARGEST - 2 * len("kitjob done")) // 2
    full = ENTRY | {"Detail": detail(room)}
    put(made(), full, full)
    for more in ({"Resources": ["x"]}, {"Time": 1}, {"Detail": detail(room + 1)}):
        with pytest.raises(AwsRefused, match="ValidationException"):
            put(made(), full, full | more)


@pytest.mark.parametrize("entries", [[], [ENTRY] * 11, [ENTRY | {"Source": ""}]])
def test_a_request_of_none_of_eleven_or_of_nothing_whole_fails_as_a_whole(
    entries: list[dict[str, Any]],
) -> None:
    events = made()
    with pytest.raises(AwsRefused, match="ValidationException"):
        put(events, *entries)
    assert events.taken == []


def test_a_name_that_aws_does_not_know_is_an_error_of_the_test() -> None:
    with pytest.raises(Mistake):
        put(made(), ENTRY | {"detail": "{}"})
    with pytest.raises(Mistake):
        put(made(), ENTRY | {"Detail": {"job_id": "1"}})
