"""The inbox: a file of lines that is read half-way, and what S3 has told of it."""

import json
from contextlib import closing
from urllib.parse import quote_plus

import pytest

from claude_core.row import Item
from lambda_src import line_jobs
from local.fake_claude.inprocess import Fake
from tests.contracts.jobs import client_row, objects
from tests.contracts.recording import Json, Recording, held_by, load
from tests.doubles import AwsDouble
from tests.handlers.dropping import Dropping
from tests.queueing import BUCKET, TABLE

NAME, REFUSED = "lines.jsonl", "notes.xyz"
LINES = (
    '{"doc_id": "1", "content": "one"}',
    '{"doc_id": "2"}',
    '{"doc_id": "3", "content": "three"}',
)
"""Of which the second is no job."""


def write(aws: AwsDouble, _: Fake) -> Recording:
    """A file of which two lines were read when the function's time ended; and one that is none."""
    with closing(Dropping(aws)) as inbox, pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_jobs, "WINDOW", 2)
        inbox.put(REFUSED, "a text")
        inbox.put(NAME, "\n".join(LINES))
        notices = [_notice(f"inbox/{inbox.client.id}/{name}") for name in (REFUSED, NAME)]
        assert inbox.tell(notices[0]) == []
        assert inbox.tell(notices[1], left_s=lambda: 0.0) == []
        assert inbox.cloud.sent("inbox") == [json.loads(notices[1])]
        moment = held_by(aws, TABLE)
        moment.objects = objects(inbox.cloud)
        moment.queues = {
            "now": [one["MessageBody"] for one in inbox.cloud.entries("now")],
        }
        moment.beside = {"notices": notices[1:]}
        client = inbox.client.id
    return Recording({"half-way": moment}, {"client": client}, {client: "{client}"})


def _notice(key: str) -> str:
    """S3's message of a file in a bucket without versions: a recorded version could not be put
    into another bucket."""
    found = {"key": quote_plus(key, safe="/"), "size": 1, "eTag": "e", "sequencer": "0055AE"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": BUCKET}, "object": found},
    }
    return json.dumps({"Records": [record]})


def read(recording: Recording, aws: AwsDouble) -> Json:
    """What becomes of the file when today's function goes on with it."""
    moment, client = recording.moments["half-way"], recording.known["client"]
    aws.reset()
    with closing(Dropping(aws)) as inbox:
        load(aws, moment)
        aws.boto("dynamodb").put_item(TableName=aws.table, Item=client_row(client)[1])
        for key, text in moment.objects.items():
            inbox.cloud.put(key, text)
        for notice in moment.beside["notices"]:
            assert inbox.tell(notice) == []
        jobs = {job.doc_id: [job.id, job.status.value] for job in inbox.cloud.jobs()}
        over = {
            item["id"]["S"]: item["over"]["BOOL"]
            for item in held_by(aws, TABLE).tables[TABLE]
            if item["id"]["S"].startswith("inbox#")
        }
        sent = [one["job"] for one in inbox.cloud.sent("now")]
        note = inbox.cloud.text(f"refused/{client}/{NAME}.txt")
    noted = (line in note for item in moment.tables[TABLE] for line in _said(item))
    return {"jobs": jobs, "over": over, "sent now": sent, "refused lines are noted": all(noted)}


def _said(item: Item) -> list[str]:
    """Why lines of a file were refused, as far as its checkpoint says."""
    return list(json.loads(item["said"]["S"])) if "said" in item else []
