"""A service in a fresh process, asked from here, and the CPU that it took in all."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

READY_S = 60.0
ANSWER_S = 120.0


def cpu_of(bundle: Path, module: str, env: dict[str, str], *, streams: int, tokens: int) -> float:
    """Seconds of CPU, user and system, of `python -m MODULE` from its start to its end, with so
    many streams at once of so many tokens each in between.

    Raises:
        RuntimeError: it did not come up, or a token did not arrive.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # The bundle alone on the path, and nothing left behind for the next run.
    command = [sys.executable, "-s", "-S", "-B", "-m", module]
    started = {**env, "AWS_LWA_PORT": str(port)}
    process = subprocess.Popen(command, cwd=bundle, env=started, stdout=subprocess.DEVNULL)
    try:
        _wait(process, port)
        with ThreadPoolExecutor(streams) as pool:
            asked = [pool.submit(_stream, port, env["CLIENT_KEY"], tokens) for _ in range(streams)]
            for one in asked:
                one.result()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the service ended at once")
        with suppress(OSError):
            asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            asking.request("GET", "/health")
            if asking.getresponse().read():
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    raise RuntimeError("the service did not come up")


def _stream(port: int, key: str, tokens: int) -> None:
    """Ask for a stream at the pace of a fast model, and see that every token arrives."""
    script = f"[[fake: answer tokens={tokens} per_token_ms=4]]"
    body = {
        "model": "claude-haiku-5-5",
        "max_tokens": tokens,
        "stream": True,
        "messages": [{"role": "user", "content": script}],
    }
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    asking.request(
        "POST",
        "/v1/messages",
        json.dumps(body),
        {"x-api-key": key, "content-type": "application/json"},
    )
    said = asking.getresponse().read()
    arrived = said.count(b"text_delta")
    if arrived != tokens:
        raise RuntimeError(f"{arrived} of {tokens} tokens arrived: {said[-500:].decode()}")
