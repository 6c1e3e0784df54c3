"""S3: what is there, what was there, and what is refused."""

import asyncio
import random
from collections.abc import Callable

import pytest

from claude_core.aws import AwsRefused
from tests.cloud.refusing import Mistake
from tests.cloud.s3 import S3


@pytest.fixture
def s3() -> S3:
    made = S3(random.Random(1))
    made.add("inbox")
    return made


def refusal(do: Callable[[], object]) -> str:
    with pytest.raises(AwsRefused) as refused:
        do()
    return refused.value.code


def test_what_is_put_is_got_at_once_and_the_newest_is_the_one() -> None:
    async def twice() -> tuple[bytes, bytes]:
        s3 = S3(random.Random(1))
        s3.add("inbox")
        first = await s3.put_object("inbox", "a/b", b"one")
        await s3.put_object("inbox", "a/b", b"two", content_type="text/plain")
        newest = await s3.get_object("inbox", "a/b")
        return newest, await s3.get_object("inbox", "a/b", version=first)

    assert asyncio.run(twice()) == (b"two", b"one")


def test_a_deleted_object_is_gone_but_for_its_versions(s3: S3) -> None:
    version = s3.put("inbox", "a", b"one")
    s3.delete("inbox", "a")
    s3.delete("inbox", "never was")
    assert refusal(lambda: s3.get("inbox", "a")) == "NoSuchKey"
    assert s3.get("inbox", "a", version) == b"one"
    assert s3.keys("inbox") == []
    s3.put("inbox", "a", b"two")
    assert s3.keys("inbox") == ["a"]


def test_without_versions_only_the_newest_is_kept(s3: S3) -> None:
    s3.add("plain", versioned=False)
    assert s3.put("plain", "a", b"one") == s3.put("plain", "a", b"two") == "null"
    s3.delete("plain", "a")
    assert refusal(lambda: s3.get("plain", "a")) == "NoSuchKey"


def test_who_may_not_list_is_not_told_what_is_missing(s3: S3) -> None:
    s3.add("closed", listable=False)
    assert refusal(lambda: s3.get("closed", "a")) == "AccessDenied"
    assert refusal(lambda: s3.get("nowhere", "a")) == "NoSuchBucket"
    assert refusal(lambda: s3.get("inbox", "a", "1")) in ("NoSuchVersion", "NoSuchKey")


def test_an_object_may_be_written_only_if_there_is_none(s3: S3) -> None:
    async def put(body: bytes, condition: str = "*") -> None:
        await s3.put_object("inbox", "a", body, if_none_match=condition)

    asyncio.run(put(b"one"))
    assert refusal(lambda: asyncio.run(put(b"two"))) == "PreconditionFailed"
    assert s3.get("inbox", "a") == b"one"
    s3.delete("inbox", "a")
    asyncio.run(put(b"three"))
    with pytest.raises(Mistake):
        asyncio.run(put(b"four", "an etag"))


def test_keys_have_at_most_1024_bytes_and_begin_as_asked(s3: S3) -> None:
    s3.put("inbox", "é" * 512, b"")
    assert refusal(lambda: s3.put("inbox", "é" * 512 + "x", b"")) == "KeyTooLongError"
    for key in ("b/2", "b/1", "c"):
        s3.put("inbox", key, b"")
    assert s3.keys("inbox", "b/") == ["b/1", "b/2"]


def test_a_body_is_bytes(s3: S3) -> None:
    with pytest.raises(Mistake):
        s3.put("inbox", "a", "text")  # type: ignore[arg-type]
