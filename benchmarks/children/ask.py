"""Runs in a fresh process: `ask.py BUNDLE URL KEY CALLS`.

The way to Claude alone, from a bundle alone: `claude_core.client` asks CALLS times.
"""

import asyncio
import json
import sys
import time
from typing import Any


class Key:
    """In the place of `claude_core.secret.Secret`, with nothing to read."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def get(self) -> str:
        return self._key


async def main(url: str, key: str, calls: int) -> None:
    from claude_core.client import Claude
    from claude_core.messages import prompt_request
    from claude_core.retry import RetryBudget
    from claude_core.sdk_options import claude_http

    secret: Any = Key(key)
    request, found = prompt_request({"prompt": "hello"}), {"warm_ms": 0.0}
    async with claude_http() as http:
        claude = Claude(url=url, secret=secret, http=http, retries=RetryBudget())
        for call in range(calls):
            if call == 1:
                began = time.process_time()
            deadline = asyncio.get_running_loop().time() + 25
            reply = await claude.ask(request, deadline=deadline)
            if not reply.text:
                raise SystemExit("no answer")
        if calls > 1:
            found["warm_ms"] = (time.process_time() - began) / (calls - 1) * 1_000
    print(json.dumps(found), file=sys.stderr)


sys.path.insert(0, sys.argv[1])
asyncio.run(main(sys.argv[2], sys.argv[3], int(sys.argv[4])))
