"""`kit submit`: documents become jobs, each once, and are waited for if that is wanted."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from kit.again import again
from kit.board import Board
from kit.deployment import Deployment
from kit.documents import find
from kit.job_api import JobApi, Key, Url
from kit.options import Json, deployed
from kit.order import Lane, Order
from kit.results import Folder, text_of
from kit.say import Stop, err
from kit.submission import Submission
from kit.submitted import failures, interrupted, sent, waited


@deployed
def submit(
    deployment: Deployment,
    files: Annotated[
        list[str], typer.Argument(help="Files, folders, .jsonl with a job a line, or - for input.")
    ],
    instruction: Annotated[
        str | None, typer.Option(help="What to do with each; else: Summarize.")
    ] = None,
    lane: Annotated[Lane, typer.Option(help="batch: half the price, within a day.")] = "now",
    long: Annotated[bool, typer.Option("--long", help="Answers may take an hour.")] = False,
    model: Annotated[str | None, typer.Option(help="A role or a model id; else balanced.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="The longest answer; else 2048.")] = None,
    result_bucket: Annotated[str | None, typer.Option(help="Copy the results there.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until all are over.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --wait: each answer as DIR/NAME.md.")
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Once more what failed or was cancelled before.")
    ] = False,
    as_json: Json = False,
    key: Key = None,
    url: Url = None,
) -> None:
    """Submit documents, each as a job; what was submitted before is not submitted again."""
    if output and not wait:
        raise Stop("--output writes what is done; give --wait, too", code=2)
    order = Order(
        instruction=instruction,
        lane=lane,
        long=long,
        model=model,
        max_tokens=max_tokens,
        result_bucket=result_bucket,
    ).checked()
    documents = find(files)
    api = JobApi.of(deployment, key, url)
    folder = Folder(output) if output else None
    if folder:
        folder.check(documents)
    submission, began = Submission(api, Board(len(documents)), folder), time.monotonic()
    board, command = submission.board, again(sys.argv[1:], files)
    try:
        asyncio.run(submission.run(documents, order, wait=wait, retry=retry))
    except KeyboardInterrupt:
        err.print(interrupted(board, command), markup=False)
        sys.exit(130)
    if as_json:
        print(json.dumps(board.to_json(), indent=2))
    elif wait:
        if submission.answer is not None:
            print(text_of(submission.answer))
        waited(board, time.monotonic() - began, output)
    else:
        sent(board, command)
    if board.unanswered():
        if not as_json:
            failures(board)
        sys.exit(1)
