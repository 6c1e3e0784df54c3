"""What of a job is too large for its row: in a bucket, under the client it belongs to.

uploads/CLIENT/ID               what a caller has put there itself, with a presigned URL
bodies/CLIENT/JOB-DIGEST.json   what a job asks
results/CLIENT/JOB.json         its result: where it is too large for the row, or was asked for
inbox/CLIENT/...                dropped in by hand or by other systems: each becomes a job
refused/...                     why something in the inbox did not
"""

import json

from claude_core.aws import Aws
from claude_core.aws_shapes import Found
from claude_core.wire import Json, to_bytes

UPLOAD_S = 900
"""That a presigned URL can be used."""


class Files:
    """One bucket. Every method raises AwsRefused and AwsUnreachable."""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws, self.bucket = aws, bucket

    async def read(self, key: str) -> bytes:
        return await self._aws.get_object(self.bucket, key)

    async def find(
        self, key: str, *, version: str | None = None, part: range | None = None
    ) -> Found:
        """The same, or some of its bytes, with what S3 says of it."""
        return await self._aws.read_object(self.bucket, key, version=version, part=part)

    async def read_json(self, key: str) -> Json:
        found: Json = json.loads(await self.read(key))
        return found

    async def write_json(self, key: str, value: Json, *, bucket: str | None = None) -> None:
        await self._aws.put_object(bucket or self.bucket, key, to_bytes(value))

    async def write_text(self, key: str, text: str) -> None:
        kind = "text/plain; charset=utf-8"
        await self._aws.put_object(self.bucket, key, text.encode(), content_type=kind)

    async def upload_url(self, key: str, *, size: int, content_type: str) -> str:
        """A URL that takes one PUT of just so many bytes of this type, for a quarter of an hour."""
        headers = {"content-length": str(size), "content-type": content_type}
        return await self._aws.presigned(self.bucket, key, headers, expires_s=UPLOAD_S)


def body_key(client: str, job: str, sha256: str) -> str:
    """By what is asked, too: a second body under one Idempotency-Key must not replace the first."""
    return f"bodies/{client}/{job}-{sha256[:16]}.json"


def result_key(client: str, job: str) -> str:
    return f"results/{client}/{job}.json"


def upload_key(client: str, id: str) -> str:
    return f"uploads/{client}/{id}"
