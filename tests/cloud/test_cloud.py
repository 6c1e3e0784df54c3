"""The whole: one seam for all services, and one hook in which every call can go wrong."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from claude_core.aws import AwsRefused
from claude_core.errors import AwsUnreachable
from tests.cloud.cloud import Cloud, Do
from tests.cloud.faults import Faults, losing, throttled
from tests.cloud.keys import Keys
from tests.cloud.refusing import Mistake
from tests.cloud.virtual import VirtualLoop

PUT = "DynamoDB_20120810.PutItem"
ITEM = {"TableName": "jobs", "Item": {"id": {"S": "a"}}}


def made(**more: Any) -> Cloud:
    cloud = Cloud(**more)
    cloud.dynamo.add("jobs", Keys("id"))
    return cloud


async def one_of_each(cloud: Cloud) -> None:
    url = cloud.sqs.add("jobs")
    cloud.s3.add("results")
    await cloud.call("dynamodb", PUT, ITEM)
    await cloud.call("sqs", "AmazonSQS.SendMessage", {"QueueUrl": url, "MessageBody": "x"})
    event = {"Source": "kit", "DetailType": "done", "Detail": "{}"}
    await cloud.call("events", "AWSEvents.PutEvents", {"Entries": [event]})
    await cloud.put_object("results", "a", b"x", content_type="text/plain")
    assert await cloud.get_object("results", "a") == b"x"
    await cloud.publish("topic", subject="told", message="x")


CALLS = {
    "dynamodb:PutItem": 1,
    "sqs:SendMessage": 1,
    "events:PutEvents": 1,
    "s3:PutObject": 1,
    "s3:GetObject": 1,
    "sns:Publish": 1,
}


def test_all_services_are_reached_through_the_methods_of_aws_and_counted() -> None:
    cloud = made()
    asyncio.run(one_of_each(cloud))
    assert cloud.calls == CALLS
    assert len(cloud.dynamo.tables["jobs"].items) == len(cloud.events.taken) == 1
    assert cloud.topic == [("told", "x")]
    assert cloud.mistakes == []


def test_every_call_goes_through_the_hook() -> None:
    cloud, seen = made(), Counter[str]()

    async def around(service: str, action: str, payload: dict[str, Any], do: Do) -> Any:
        seen[f"{service}:{action}"] += 1
        return await do()

    cloud.around = around
    asyncio.run(one_of_each(cloud))
    assert seen == CALLS


@pytest.mark.parametrize("lost", ["before", "after"])
def test_an_answer_is_lost_before_or_after_it_is_done(lost: str) -> None:
    cloud = made()
    cloud.around = losing(lambda action: lost if action == "PutItem" else None)
    with pytest.raises(AwsUnreachable):
        asyncio.run(cloud.call("dynamodb", PUT, ITEM))
    assert len(cloud.dynamo.tables["jobs"].items) == (lost == "after")


def test_throttling_looks_as_it_does_behind_aws_which_tries_again_by_itself() -> None:
    for service in ("dynamodb", "events", "s3", "sqs"):
        assert isinstance(throttled(service), AwsUnreachable)


def test_faults_come_in_their_shares_and_the_same_ones_for_a_seed() -> None:
    def run(seed: int) -> list[str]:
        loop = VirtualLoop()
        cloud = made(clock=loop.clock)
        cloud.around = Faults(
            random.Random(seed), before=0.1, after=0.1, throttled=0.1, hang=0.1, longest_s=2
        )

        async def all() -> list[str]:
            came: list[str] = []
            for at in range(1_000):
                item = {"TableName": "jobs", "Item": {"id": {"S": str(at)}}}
                before = loop.time()
                try:
                    async with asyncio.timeout(10):
                        await cloud.call("dynamodb", PUT, item)
                except AwsUnreachable as err:
                    throttling = "throttled" in str(err)
                    done = str(at) in cloud.dynamo.tables["jobs"].items
                    came.append("throttled" if throttling else "after" if done else "before")
                except TimeoutError:
                    came.append("hang")
                else:
                    assert loop.time() - before <= 2
                    came.append("fine")
            return came

        found: list[str] = loop.run(all())
        loop.close()
        return found

    came = run(1)
    counts = Counter(came)
    assert run(1) == came != run(2)
    assert all(70 < counts[fault] < 130 for fault in ("before", "after", "throttled", "hang"))
    assert 540 < counts["fine"] < 660


def test_a_request_that_makes_no_sense_is_noted_also_if_the_caller_caught_it() -> None:
    cloud = made()
    wrong: list[tuple[str, str, dict[str, Any]]] = [
        ("dynamodb", PUT, {"TableName": "jobs", "Items": {}}),
        ("dynamodb", "DynamoDB.PutItem", ITEM),
        ("sqs", "AmazonSQS.PurgeQueue", {"QueueUrl": cloud.sqs.add("jobs")}),
        ("kinesis", "Kinesis.PutRecord", {}),
    ]

    async def all() -> None:
        for service, target, payload in wrong:
            with pytest.raises((Mistake, LookupError)):
                await cloud.call(service, target, payload)

    asyncio.run(all())
    assert len(cloud.mistakes) == len(wrong)


def test_a_subject_has_one_line_and_less_than_100_characters() -> None:
    cloud = made()
    for subject in ("", "x" * 100, "two\nlines"):
        with pytest.raises(AwsRefused, match="InvalidParameter"):
            asyncio.run(cloud.publish("topic", subject=subject, message="x"))
    asyncio.run(cloud.publish("topic", subject="é" * 99, message="x"))


def test_a_service_of_the_tests_own_may_stand_beside_the_others() -> None:
    class Ecs:
        async def call(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
            return {action: asked}

    cloud = made()
    cloud.services["ecs"] = ("AmazonEC2ContainerServiceV20141113", Ecs())
    target = "AmazonEC2ContainerServiceV20141113.UpdateService"
    answer = asyncio.run(cloud.call("ecs", target, {"desiredCount": 1}))
    assert answer == {"UpdateService": {"desiredCount": 1}}
