"""Rows of the jobs table that are no jobs: kept, read as they stand, changed on a condition."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from claude_core.errors import AwsUnreachable
from claude_core.jobs.rows import Rows
from tests.core.jobs_cloud import JobsCloud

ROW = {"id": {"S": "intent#1"}, "fence": {"N": "1"}, "waiting": {"S": "m"}}


@pytest.fixture
def cloud() -> JobsCloud:
    return JobsCloud()


def test_a_row_is_read_as_it_was_kept_last(cloud: JobsCloud) -> None:
    rows = Rows(cloud.aws, "jobs")
    cloud.dynamo.lag = lambda: 60.0  # of reads that ask for no consistency

    async def go() -> None:
        assert await rows.read("intent#1") is None
        await rows.put(ROW | {"more": {"S": "x"}})
        await rows.put(ROW)
        assert await rows.read("intent#1") == ROW

    asyncio.run(go())
    assert not cloud.mistakes


def test_a_row_is_changed_where_it_is_as_it_was_thought_to_be(cloud: JobsCloud) -> None:
    rows = Rows(cloud.aws, "jobs")

    async def change(fence: str) -> tuple[bool, Any]:
        values = {":fence": {"N": fence}}
        return await rows.update("intent#1", "REMOVE waiting", "fence = :fence", values, {})

    async def go() -> None:
        assert await change("1") == (False, {})
        await rows.put(ROW)
        assert await change("2") == (False, ROW)
        gone = {"id": ROW["id"], "fence": ROW["fence"]}
        assert await change("1") == (True, gone)
        assert await rows.read("intent#1") == gone

    asyncio.run(go())
    assert not cloud.mistakes


def test_a_table_that_refuses_is_named(cloud: JobsCloud) -> None:
    rows = Rows(cloud.aws, "another")
    asked: list[Coroutine[Any, Any, Any]] = [
        rows.read("intent#1"),
        rows.put(ROW),
        rows.update("intent#1", "REMOVE waiting", "fence = :fence", {":fence": {"N": "1"}}, {}),
    ]
    for asking in asked:
        with pytest.raises(AwsUnreachable, match=r"^the jobs table refused: ResourceNotFound"):
            asyncio.run(asking)
