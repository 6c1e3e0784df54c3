"""Who is served first: groups with fewer messages in flight, and roughly the oldest."""

from collections import Counter
from collections.abc import Callable

from tests.cloud.lane import Lane

MakeLane = Callable[..., Lane]


def test_ten_of_one_client_are_handed_out_before_a_hundred_thousand_of_another(
    lane: MakeLane,
) -> None:
    jobs = lane(visibility_s=600)

    async def fill() -> Counter[str]:
        for _ in range(100_000):
            await jobs.call("SendMessage", MessageBody="x", MessageGroupId="large")
        for _ in range(30):
            await jobs.receiving(10)
        for _ in range(10):
            await jobs.call("SendMessage", MessageBody="x", MessageGroupId="small")
        found = [await jobs.receiving(10) for _ in range(2)]
        return Counter(one["Attributes"]["MessageGroupId"] for page in found for one in page)

    assert jobs.run(fill()) == {"small": 10, "large": 10}


def test_clients_with_as_many_messages_get_as_many_places(lane: MakeLane) -> None:
    jobs = lane()
    for group in "abc":
        jobs.send(*"0123456789" * 3, MessageGroupId=group)
    got = Counter(one["Attributes"]["MessageGroupId"] for _ in range(6) for one in jobs.receive(10))
    assert got == {"a": 20, "b": 20, "c": 20}


def test_the_order_is_roughly_that_of_age_and_not_just_that(lane: MakeLane) -> None:
    jobs = lane()
    for at in range(100):
        jobs.send(str(at))
        jobs.wait(0.2)
    got = [int(one["Body"]) for _ in range(10) for one in jobs.receive(10)]
    assert sorted(got) == list(range(100))
    assert got != list(range(100))
    assert max(abs(place - one) for place, one in enumerate(got)) < 10
