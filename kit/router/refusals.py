"""What a refused classification means: this one failed, it was not made yet, or none will be."""

import httpx2

from claude_core.errors import AnswerLost, DeadlinePassed, KitError, UpstreamFailed, UpstreamRefused
from kit.patience import LONGEST_WAIT_S, json_of
from kit.say import Stop

WHO_ASKS = (401, 403, 404)
"""About the key, the client or the address: the next question hears the same."""
PACED = 429, 503
RAISE_IT = "give the client more of them: kit clients set NAME --rpm 1000"


class Later(Exception):
    """The client's own requests a minute are used up: Claude was not asked."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"in {wait_s:g} s")
        self.wait_s = wait_s


def refusal(answer: httpx2.Response) -> Exception:
    """What to raise for an answer that is not 200."""
    status, words = answer.status_code, _words(answer)
    again = answer.headers.get("x-should-retry")
    if status in WHO_ASKS or (status in PACED and again == "false"):
        return Stop(words)
    if status == 429 and again == "true" and _own(answer):
        wait_s = _retry_after_s(answer)
        return Later(wait_s) if wait_s <= LONGEST_WAIT_S else Stop(f"{words}; {RAISE_IT}")
    return _failure(status, words)


def _failure(status: int, words: str) -> KitError:
    if status == 504:
        return DeadlinePassed(words)
    if status == 502:
        return AnswerLost(words)  # it may be one that Claude has billed; nobody says
    if status < 500 and status != 429:
        return UpstreamRefused(words, status=status, type="")
    return UpstreamFailed(words)


def _own(answer: httpx2.Response) -> bool:
    """By the client's limit, or API Gateway's, which tells none; not by Claude's."""
    return answer.headers.get("anthropic-ratelimit-requests-remaining", "0") == "0"


def _retry_after_s(answer: httpx2.Response) -> float:
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return 1.0


def _words(answer: httpx2.Response) -> str:
    found = json_of(answer)
    error = found.get("error")
    words = error.get("message") if isinstance(error, dict) else found.get("message")
    return f"{answer.status_code} {words or answer.reason_phrase}"
