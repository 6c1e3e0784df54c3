"""Documents as they come in: text as it is, a PDF as the block in which Claude reads it itself."""

from base64 import b64encode
from typing import Any

from claude_core.errors import InvalidRequest, TooLarge
from claude_core.wire import Json

PDF = "application/pdf"
ENDINGS = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".pdf": PDF,
}
TYPES = tuple(dict.fromkeys(ENDINGS.values()))
MOST_BYTES = 20_000_000
"""In base64 it still fits a request of Claude, which has 32 MB:
https://platform.claude.com/docs/en/api/overview"""
PDF_BEGINS_WITHIN = 1_024
"""Readers look for `%PDF-` so far."""

Content = str | Json
"""Text, or a content block."""


def content_of(body: bytes, content_type: str) -> Content:
    """What a document says, for a job.

    Raises:
        TooLarge; InvalidRequest: it is not what it is said to be.
    """
    if len(body) > MOST_BYTES:
        raise TooLarge(f"the document has {len(body)} bytes; the limit is {MOST_BYTES}")
    if content_type == PDF:
        return _block(body)
    try:
        # Editors on Windows write a mark before UTF-8, which is no part of the text.
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise InvalidRequest(
            f"the document is not valid UTF-8 (byte {err.start}); save it as UTF-8"
        ) from err
    if not text.strip():
        raise InvalidRequest("the document has no text in it")
    return text


def _block(body: bytes) -> dict[str, Any]:
    if b"%PDF-" not in body[:PDF_BEGINS_WITHIN]:
        raise InvalidRequest("the document is no PDF: it does not begin with %PDF-")
    data = b64encode(body).decode()
    return {"type": "document", "source": {"type": "base64", "media_type": PDF, "data": data}}
