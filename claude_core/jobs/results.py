"""Claude's answer to a job, kept where it fits."""

from claude_core.jobs.files import Files, result_key
from claude_core.jobs.job import ROW_BYTES, Job
from claude_core.wire import Json


async def keep_result(files: Files, job: Job, message: Json, *, size: int) -> str | None:
    """Write a result to where it was asked for, and to a file if it is too large for its row.

    Args:
        size: of the message, in bytes.

    Returns:
        Where it is, for the row; None where the row is to hold it.

    Raises:
        AwsRefused, AwsUnreachable.
    """
    key = result_key(job.client, job.id)
    if job.result_bucket is not None:
        await files.write_json(key, message, bucket=job.result_bucket)
    if size <= ROW_BYTES:
        return None
    await files.write_json(key, message)
    return key
