"""`kit jobs`: what has become of them: listed, shown, cancelled, exported; and tried again."""

import asyncio
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from claude_core.jobs.job import Status
from claude_core.wire import Json as Row
from kit.deployment import Deployment
from kit.export import STDOUT, write
from kit.job_api import JobApi, Key, Url
from kit.job_views import shown, table
from kit.options import Json, deployed
from kit.patience import Refusal
from kit.redrive import redrive
from kit.results import text_of
from kit.say import Stop, err, out
from kit.together import each

app = typer.Typer(no_args_is_help=True, help="What has become of jobs; and once more.")
Id = Annotated[str, typer.Argument(metavar="JOB", help="Its id.")]
Of = Annotated[Status | None, typer.Option("--status", help="Only these.")]


@app.command("list", epilog="Example: kit jobs list --status failed --limit 100")
@deployed
def list_jobs(
    deployment: Deployment,
    status: Of = None,
    limit: Annotated[int, typer.Option(min=1, help="So many, the newest first.")] = 20,
    as_json: Json = False,
    key: Key = None,
    url: Url = None,
) -> None:
    """The newest jobs of a client: status, document, model, age, cost."""
    api = JobApi.of(deployment, key, url)
    found, more = asyncio.run(_list(api, status, limit))
    if as_json:
        print(json.dumps(found, indent=2))
    elif not found:
        out.print("no jobs yet; try: kit submit FILE" if status is None else f"none is {status}")
    else:
        out.print(table(found, width=out.width))
        if more:
            out.print(f"[dim]older ones: --limit {limit * 5}; all: kit jobs export FILE.csv[/]")


@app.command(epilog="Example: kit jobs show job_… --text > answer.md")
@deployed
def show(
    deployment: Deployment,
    job: Id,
    text: Annotated[bool, typer.Option("--text", help="The answer alone.")] = False,
    as_json: Json = False,
    key: Key = None,
    url: Url = None,
) -> None:
    """One job: how it stands, and its answer."""
    found = asyncio.run(_get(JobApi.of(deployment, key, url), job))
    if found is None:
        raise Stop(f"{job}: there is no such job of this client; see: kit jobs list")
    if as_json:
        print(json.dumps(found, indent=2))
        return
    if not text:
        out.print(shown(found))
    elif found["status"] != Status.DONE:
        raise Stop(f"{job} is {found['status']}: it has no answer")
    if answer := text_of(found):
        print(answer if text else f"\n{answer}")


@app.command(
    epilog="All that wait: kit jobs list --status queued --limit 1000 --json | "
    "jq -r '.[].job_id' | xargs kit jobs cancel"
)
@deployed
def cancel(
    deployment: Deployment,
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="Their ids.")],
    key: Key = None,
    url: Url = None,
) -> None:
    """Cancel jobs that nobody has begun; they cost nothing."""
    refused = asyncio.run(_cancel(JobApi.of(deployment, key, url), jobs))
    if gone := len(jobs) - len(refused):
        out.print(f"cancelled {gone:,}")
    for job, why in refused.items():
        err.print(f"{job}: {why}", markup=False)
    if refused:
        sys.exit(1)


@app.command(epilog="Example: kit jobs export results.jsonl --status done   (or: .csv, -)")
@deployed
def export(
    deployment: Deployment,
    file: Annotated[
        str, typer.Argument(help="FILE.jsonl: with results; FILE.csv: without; -: lines of JSON.")
    ],
    status: Of = None,
    key: Key = None,
    url: Url = None,
) -> None:
    """Write all jobs of a client to a file, the newest first."""
    if file != STDOUT and Path(file).suffix not in (".jsonl", ".csv"):
        raise Stop(f"{file}: give it a name that ends in .jsonl or .csv, or -", code=2)
    api = JobApi.of(deployment, key, url)
    with err.status("0 jobs") if err.is_terminal else nullcontext() as screen:

        def seen(count: int) -> None:
            if screen:
                screen.update(f"{count:,} jobs")

        count = asyncio.run(write(api, file, status, seen))
    if file != STDOUT:
        out.print(f"{count:,} jobs in {file}", markup=False)


app.command(epilog="Example: kit jobs redrive --dry-run   (or: --job job_… --lane now)")(redrive)


async def _list(api: JobApi, status: str | None, limit: int) -> tuple[list[Row], bool]:
    found, more = list[Row](), False
    async with api:
        async for page in api.pages(status=status, most=limit):
            found += page.jobs
            more = page.next is not None
    return found, more


async def _get(api: JobApi, job: str) -> Row | None:
    async with api:
        return await api.get(job)


async def _cancel(api: JobApi, jobs: list[str]) -> dict[str, str]:
    """Those that could not be cancelled, and why."""
    refused: dict[str, str] = {}

    async def one(job: str) -> None:
        try:
            await api.cancel(job)
        except Refusal as err:
            if err.status not in (404, 409):
                raise
            refused[job] = err.message

    async with api:
        await each(jobs, one)
    return refused
