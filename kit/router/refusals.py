"""What a refused classification means: this one failed, it was not made yet, or none will be."""

import httpx2

from claude_core.errors import AnswerLost, DeadlinePassed, KitError, UpstreamFailed, UpstreamRefused
from claude_core.wire import Json
from kit.patience import LONGEST_WAIT_S, json_of
from kit.say import Stop

WHO_ASKS = (401, 403, 404)
"""About the key, the client or the address: the next question hears the same."""
PACED = 429, 503
LESS = "ask fewer at once (--parallel), or raise it: kit clients set NAME --rpm 1000 --budget 20"


class Later(Exception):
    """The client's own limit did not admit it: Claude was not asked, and a wait will do."""

    def __init__(self, words: str, wait_s: float) -> None:
        super().__init__(words)
        self.wait_s = wait_s


def refusal(answer: httpx2.Response) -> Exception:
    """What to raise for an answer that is not 200."""
    status, words = answer.status_code, _words(answer)
    again = answer.headers.get("x-should-retry")
    if status in WHO_ASKS or (status in PACED and again == "false"):
        return Stop(words)
    if status == 429 and again == "true" and _own(answer):
        wait_s = _retry_after_s(answer)
        return Later(words, wait_s) if wait_s <= LONGEST_WAIT_S else Stop(f"{words}\n{LESS}")
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
    """By the client's requests a minute or its budget, which open calls hold; or by API Gateway,
    which tells no limits. Else it is Claude's, which the router would hear, too."""
    left = answer.headers.get("anthropic-ratelimit-requests-remaining", "0")
    return left == "0" or "budget" in _error(answer)


def _retry_after_s(answer: httpx2.Response) -> float:
    try:
        return max(0.0, float(answer.headers["retry-after"]))
    except (KeyError, ValueError):
        return 1.0


def _words(answer: httpx2.Response) -> str:
    words = _error(answer).get("message") or json_of(answer).get("message")
    return f"{answer.status_code} {words or answer.reason_phrase}"


def _error(answer: httpx2.Response) -> Json:
    error = json_of(answer).get("error")
    return error if isinstance(error, dict) else {}
