"""The caller's headers that go along: its version of the API, and the betas that it may use."""

import re
from collections.abc import Mapping

from claude_core.errors import InvalidRequest
from claude_core.extras import NAME, of_beta
from claude_core.fields import MOST_EXTRAS

BETAS = frozenset(
    {
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
        "structured-outputs-2025-11-13",
        "thinking-binding-controls-2026-08-01",
        "token-efficient-tools-2025-02-19",
    }
)
"""Betas that change neither price nor tenancy."""


def check_headers(headers: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """The caller's headers that go along, and the extras that its betas need: answers have the
    shape of its `anthropic-version`.

    Raises:
        InvalidRequest: a version that is no date, or what is no name of a beta.
    """
    passed, needs = dict[str, str](), set[str]()
    if version := headers.get("anthropic-version", "").strip():
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
            raise InvalidRequest("anthropic-version: must be a date, such as 2023-06-01")
        passed["anthropic-version"] = version
    betas = [beta.strip() for beta in headers.get("anthropic-beta", "").split(",") if beta.strip()]
    for beta in sorted(set(betas) - BETAS):
        if not NAME.fullmatch(beta) or len(needs) >= MOST_EXTRAS:
            raise InvalidRequest(f"anthropic-beta: {beta[:100]!r} is not allowed here")
        needs.add(of_beta(beta))
    if betas:
        passed["anthropic-beta"] = ",".join(betas)
    return passed, needs
