"""What counts as a token here.

In: one for every four bytes of UTF-8, rounded up, block by block; an image is 1,500 and a document
sent as bytes 3,000. Out: a token is up to eight characters of a word with the space before it, and
each makes one delta, so that what is counted is what was sent.
"""

import re

BYTES_A_TOKEN = 4
IMAGE_TOKENS = 1_500
DOCUMENT_TOKENS = 3_000
PIECE = re.compile(r"\s*\S{1,8}|\s+")


def estimate(text: str) -> int:
    """How many tokens a piece of the prompt is."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)


def pieces(text: str) -> tuple[str, ...]:
    """The tokens of an answer; joined they are the text again."""
    return tuple(PIECE.findall(text))


def words(count: int) -> str:
    """A text of exactly `count` tokens, for answers of a given length."""
    return " ".join(f"w{number % 1_000_000}" for number in range(count))
