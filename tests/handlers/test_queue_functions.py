"""Lambda's way in: the functions of jobs and of the inbox read what the stack has told them."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from claude_core.jobs.settings import InboxSettings
from lambda_src import inbox, jobs
from tests.doubles import REGION, AwsDouble
from tests.events import event, parsed
from tests.handlers.dropping import notified
from tests.queueing import Queueing


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 120_000


@pytest.fixture
def cloud(aws: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queueing]:
    made = Queueing(aws)
    told = (
        aws.settings("http://127.0.0.1:9"),
        made.settings(),
        made.starting(),
        InboxSettings(inbox_queue=made.urls["inbox"]),
    )
    env = {name: value for one in told for name, value in one.to_env().items()}
    env |= {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": aws.url}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    yield made
    modules: list[tuple[Any, str]] = [(jobs, "_api"), (inbox, "_inbox")]
    for module, name in modules:
        if running := getattr(module, name):
            module._runner.run(running.close())
        setattr(module, name, None)
        module._runner.close()
        module._runner = asyncio.Runner()


def test_a_job_comes_in_by_http_and_another_by_a_file(cloud: Queueing) -> None:
    key, client = cloud.aws.add_client()
    body = {"doc_id": "a", "content": "hello"}
    for _ in range(2):
        assert parsed(jobs.handler(event("POST /v1/jobs", body, key=key), None))[0] == 202
    place = f"inbox/{client.id}/a.txt"
    message: dict[str, Any] = {"messageId": "1", "body": notified(place, cloud.put(place, "hello"))}
    for _ in range(2):
        answer = inbox.handler({"Records": [message]}, Context())
        assert answer == {"batchItemFailures": []}
    assert [job.doc_id for job in cloud.jobs()] == ["a", "a", "a.txt"]
