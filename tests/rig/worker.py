"""`python -m tests.rig.worker`: the real worker, which a poisoned job kills."""

import os
from typing import Any

from claude_core.client import Claude
from claude_core.messages import Request
from worker_src.__main__ import main

POISON = "this one is poison"
KILLED = 137

_ask = Claude.ask


async def ask(self: Claude, request: Request, **more: Any) -> Any:
    if POISON.encode() in request.wire:
        os._exit(KILLED)
    return await _ask(self, request, **more)


if __name__ == "__main__":
    Claude.ask = ask  # type: ignore[method-assign]
    main()
