"""`python -m tests.rig.worker FILE`: the real worker, which a poisoned job kills.

FILE is there once it has asked Claude.
"""

import os
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from claude_core.client import Claude
from claude_core.messages import Request
from worker_src.__main__ import main

POISON = "this one is poison"
KILLED = 137
ASKED = Path(sys.argv[-1])

_ask = Claude.ask


def ask(self: Claude, request: Request, **more: Any) -> Awaitable[Any]:
    ASKED.touch()
    if POISON.encode() in request.wire:
        os._exit(KILLED)
    return _ask(self, request, **more)


if __name__ == "__main__":
    Claude.ask = ask  # type: ignore[method-assign, assignment]
    main()
