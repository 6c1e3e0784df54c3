"""A detect-secrets rule: Claude API keys and the kit's client keys never go into the repository."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class ClaudeKeyDetector(RegexBasedDetector):
    """Finds `sk-ant-…` of a real key's length, and `ck_` with its 43 characters."""

    secret_type = "Claude or client key"  # pragma: allowlist secret
    denylist = (
        re.compile(r"sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{60,}"),
        re.compile(r"ck_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    )
