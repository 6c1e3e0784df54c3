"""The same commands against the function itself, with moto below: what the double plays holds."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from claude_core.jobs.job import Job
from lambda_src.jobs import ROUTES, JobsApi
from tests.doubles import AwsDouble
from tests.events import event
from tests.kit.jobs_api import JobsDouble
from tests.kit.jobs_shell import Shell
from tests.queueing import Queueing
from tests.serving import serving


class Deployed:
    """The function behind a socket, as API Gateway would call it."""

    def __init__(self, aws: AwsDouble) -> None:
        settings = aws.settings("http://127.0.0.1:9")  # nobody is there, or asked
        self.cloud, (self.key, _) = Queueing(aws), aws.add_client()
        told = settings, self.cloud.settings(), self.cloud.starting(), aws.runtime

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            app.state.api = JobsApi(*told)
            yield
            await app.state.api.close()

        routes = [Route(one.split()[1], self.serve, methods=[one.split()[0]]) for one in ROUTES]
        self.app = Starlette(routes=routes, lifespan=lifespan)

    async def serve(self, request: Request) -> Response:
        sent = event(f"{request.method} {request.scope['route'].path}")
        sent["headers"] = dict(request.headers)
        sent["pathParameters"] = dict(request.path_params) or None
        sent["queryStringParameters"] = dict(request.query_params) or None
        sent["body"] = (await request.body()).decode()
        answer = await request.app.state.api.handle(sent)
        return Response(answer["body"], answer["statusCode"], answer["headers"])


@pytest.fixture
def deployed(aws: AwsDouble) -> Deployed:
    return Deployed(aws)


@pytest.fixture
def shell(deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIT_CLIENT_KEY", deployed.key)
    with serving(deployed.app) as url:
        monkeypatch.setenv("KIT_JOBS_URL", url)
        yield Shell(JobsDouble(key=deployed.key), tmp_path, monkeypatch)


def answer(deployed: Deployed, job: Job) -> None:
    """What a worker writes."""
    message = {"type": "message", "content": [{"type": "text", "text": f"of {job.doc_id}"}]}
    deployed.cloud.change(
        job.id,
        status={"S": "done"},
        listed={"S": f"done#{job.place}"},
        result={"S": json.dumps(message)},
        usage={"S": json.dumps({"input_tokens": 9, "output_tokens": 3})},
        cost={"N": "2000000"},
        stop_reason={"S": "end_turn"},
        finished={"S": "2026-11-24T10:00:00Z"},
        attempts={"N": "1"},
    )


def told(shell: Shell, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = shell.json("submit", *arguments)
    return {"new": found["new"], "before": found["before"]}


def test_a_folder_is_kept_once_and_its_messages_are_sent(deployed: Deployed, shell: Shell) -> None:
    shell.write(12)
    shell.file("docs/scan.pdf", b"%PDF-1.7 and so on")
    shell.file("docs/large.txt", "words " * 800_000)
    assert told(shell, "docs") == {"new": 14, "before": 0}
    assert told(shell, "docs") == {"new": 0, "before": 14}
    jobs = deployed.cloud.jobs()
    assert {job.doc_id for job in jobs} >= {"docs/000.md", "docs/scan.pdf", "docs/large.txt"}
    assert {one["job"] for one in deployed.cloud.sent("now")} == {job.id for job in jobs}


def test_done_jobs_are_waited_for_written_listed_shown_and_exported(
    deployed: Deployed, shell: Shell
) -> None:
    shell.write(11)
    told(shell, "docs")
    for job in deployed.cloud.jobs():
        answer(deployed, job)
    said = shell.said("submit", "docs", "--wait", "--output", "out")
    assert "11 done (11 were there already)" in said
    assert (shell.folder / "out/docs/003.md").read_text() == "of docs/003.md"
    (first, *_) = shell.json("jobs", "list", "--status", "done")
    assert first["cost_usd"] == 0.002
    shown = shell.said("jobs", "show", first["job_id"])
    assert f"of {first['doc_id']}" in shown
    shell("jobs", "export", "all.jsonl")
    rows = [json.loads(line) for line in (shell.folder / "all.jsonl").read_text().splitlines()]
    assert {row["text"] for row in rows} == {f"of docs/{at:03}.md" for at in range(11)}


def test_what_waits_is_cancelled_and_submitted_again_only_with_retry(shell: Shell) -> None:
    shell.write(1)
    (job,) = shell.json("submit", "docs")["jobs"]
    assert "cancelled 1" in shell.said("jobs", "cancel", job["job_id"])
    assert "cancelled" in shell.said("submit", "docs", code=1)
    assert told(shell, "docs", "--retry") == {"new": 1, "before": 0}


def test_a_refusal_is_the_functions_own_word(deployed: Deployed, shell: Shell) -> None:
    shell.write(1)
    said = shell.said("submit", "docs", "--result-bucket", "elsewhere", code=1)
    assert "400 result_bucket: elsewhere is not one of those allowed" in said
    said = shell.said("submit", "docs", "--model", "deep", code=1)
    assert "403 model: this client may not use claude-opus-5-5" in said
    assert deployed.cloud.jobs() == []
