"""A function's web service, run here as the Lambda Web Adapter runs it on Lambda.

Same start script, same environment, readiness before the first request, SnapStart's hooks in their
order. One process answers all requests, where Lambda would start one for each at a time.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import httpx2

from local.paths import STATE, clean_env
from local.processes import Guarded, free_port

HOOK_TIMEOUT_S = 60.0
HOOKS = ("AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH", "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH")


class Adapted:
    """One function's service: a guarded process, and where it listens."""

    def __init__(self, name: str, handler: str, bundle: Path, env: Mapping[str, str]) -> None:
        """Start `handler` of `bundle` with the function's own environment and what Lambda adds."""
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._env = {
            **clean_env(),
            **env,
            "PATH": f"{_bare_python()}:/usr/bin:/bin",
            "LAMBDA_TASK_ROOT": str(bundle),
            "AWS_LWA_PORT": str(port),
        }
        self.process = Guarded(name, [str(bundle / handler)], self._env)

    def ready(self, *, snap_start: bool) -> None:
        """Until the service answers its readiness check, and has been through a snapshot.

        Raises:
            SystemExit: it ended, or did not answer in time; httpx2.HTTPStatusError: a hook failed.
        """
        self.process.wait_for(self.url + self._env["AWS_LWA_READINESS_CHECK_PATH"])
        for hook in HOOKS if snap_start else ():
            if path := self._env.get(hook):
                httpx2.post(self.url + path, timeout=HOOK_TIMEOUT_S).raise_for_status()


def _bare_python() -> Path:
    """A folder whose `python3` is this Python without its packages: as on Lambda, a bundle must
    bring what it imports."""
    folder = STATE / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "python3"
    base = getattr(sys, "_base_executable", sys.executable)
    script.write_text(f'#!/bin/sh\nexec "{base}" -S "$@"\n')
    script.chmod(0o755)
    return folder
