"""JSON schemas of jobs, by the names that `http_routes.py` knows them by."""

from claude_core import fields
from claude_core.fields import ref
from claude_core.jobs import intake, listing, uploads
from claude_core.jobs.job import JOB_ID, Status
from claude_core.schemas import BOOLEAN, INTEGER, NUMBER, OBJECT, STRING, array, error, record
from claude_core.wire import Json


def job_schemas() -> dict[str, Json]:
    """The schemas that the routes of jobs need beside the core's."""
    return {
        "IdempotencyKey": {
            "type": "string",
            "minLength": 1,
            "maxLength": intake.KEY_CHARACTERS,
            "pattern": f"^{intake.IDEMPOTENCY_KEY.pattern}$",
        },
        "JobId": {"type": "string", "pattern": f"^{JOB_ID.pattern}$"},
        "JobStatus": {"enum": [status.value for status in Status]},
        "PageLimit": {
            "type": "integer",
            "minimum": 1,
            "maximum": listing.MOST,
            "default": listing.USUAL,
        },
        "PlaceInList": {"type": "string", "pattern": f"^{listing.PLACE.pattern}$"},
        "NewJob": intake.schema(),
        "Accepted": record({"job_id": STRING, "status": ref("JobStatus")}),
        "Job": record(
            {
                "job_id": STRING,
                "status": ref("JobStatus"),
                "lane": {"enum": list(intake.LANES)},
                "model": STRING,
                "created_at": STRING,
                "attempts": INTEGER,
            },
            {
                "doc_id": STRING,
                "finished_at": STRING,
                "stop_reason": STRING,
                "usage": OBJECT,
                "cost_usd": NUMBER,
                "error": error(),
                "result": ref("Message"),
                "text": {**STRING, "description": "Of the result of a document job."},
            },
        ),
        "Jobs": record(
            {
                "data": array(ref("Job")),
                "has_more": BOOLEAN,
                "next": {
                    "type": ["string", "null"],
                    "description": "For `after` of the next page.",
                },
            }
        ),
        "NewUpload": fields.schema(uploads.FIELDS),
        "Upload": record(
            {
                "upload": STRING,
                "method": {"const": "PUT"},
                "url": STRING,
                "headers": OBJECT,
                "expires_in_s": INTEGER,
            }
        ),
    }
