"""What is too long for a request: its caller puts it into the bucket itself, and names it then."""

import re
import secrets
from typing import Any

from claude_core.aws import AwsRefused
from claude_core.errors import InvalidRequest, NotFound, TooLarge
from claude_core.fields import Field, check, choice, whole
from claude_core.jobs.documents import MOST_BYTES, TYPES, Content, content_of
from claude_core.jobs.files import UPLOAD_S, Files, upload_key
from claude_core.reached import reached
from claude_core.wire import Json

UPLOAD = re.compile(r"upload_[A-Za-z0-9_-]{22}")
ABSENT = ("NoSuchKey", "AccessDenied")
"""The second is S3's word for it to who may not list the bucket, as nobody here may."""
FIELDS = {
    "bytes": Field(whole().narrowed(maximum=MOST_BYTES), required=True),
    "content_type": Field(choice(*TYPES), required=True),
}


class Uploads:
    """The uploads of all clients; each reaches its own alone. Methods raise AwsUnreachable."""

    def __init__(self, files: Files) -> None:
        self._files = files

    @staticmethod
    def check(body: Json) -> None:
        """Hold the body of `POST /v1/uploads` against its rules.

        Raises:
            InvalidRequest: names the field and the rule; TooLarge.
        """
        for name in sorted(body.keys() - FIELDS.keys()):
            raise InvalidRequest(f"{name[:100]}: no such field of an upload")
        check(body, FIELDS)
        if body["bytes"] > MOST_BYTES:
            raise TooLarge(f"bytes: {body['bytes']} is above {MOST_BYTES}")

    async def offer(self, client: str, body: Json) -> dict[str, Any]:
        """Where to put what was checked, and how: the answer of `POST /v1/uploads`."""
        id, kind = f"upload_{secrets.token_urlsafe(16)}", body["content_type"]
        key = upload_key(client, id)
        return {
            "upload": id,
            "method": "PUT",
            "url": await self._files.upload_url(key, size=body["bytes"], content_type=kind),
            "headers": {"content-type": kind, "content-length": str(body["bytes"])},
            "expires_in_s": UPLOAD_S,
        }

    async def read(self, client: str, id: str) -> Content:
        """What a client has put there.

        Raises:
            NotFound: nothing yet; InvalidRequest, TooLarge: a document that cannot be read.
        """
        missing = NotFound("upload: there is none of this name, or nothing was PUT to its URL yet")
        if not UPLOAD.fullmatch(id):
            raise missing
        with reached("the bucket"):
            try:
                found = await self._files.find(upload_key(client, id))
            except AwsRefused as err:
                if err.code in ABSENT:
                    raise missing from err
                raise
        return content_of(found.body, found.content_type)
