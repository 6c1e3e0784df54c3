"""What is said of a worker is what it took: all of its processes, and nobody else's."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import httpx2
import pytest

from benchmarks.beside import slow_claude
from benchmarks.broker import MISSING, broker
from benchmarks.worker import Figures, measure_worker, medians

pytestmark = pytest.mark.check

# A worker whose child does the jobs, at 5 ms of CPU each, and whose own memory is 50 MB.
WORKER = """
import os, sys, time
if os.fork():
    held = b"x" * 50_000_000
    os.wait()
else:
    while os.path.getsize(sys.argv[1]) < 200:
        end = time.process_time() + 0.005
        while time.process_time() < end:
            pass
        with open(sys.argv[1], "ab") as done:
            done.write(b".")
    time.sleep(60)
"""


def test_a_worker_is_charged_for_its_children(tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.touch()
    command = [sys.executable, "-c", WORKER, str(done)]
    figures = measure_worker(command, {}, lambda: done.stat().st_size, 200)
    assert 4.5 < figures.cpu_ms_per_job < 8
    assert figures.jobs_per_s_per_core == pytest.approx(1_000 / figures.cpu_ms_per_job)
    assert 50 < figures.memory_mb < 100
    assert figures.jobs_per_s < 210  # by the clock, which is looked at ten times a second


def test_a_worker_that_ends_says_why() -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such queue')"]
    with pytest.raises(RuntimeError, match="with 0 jobs done:\nno such queue"):
        measure_worker(command, {}, lambda: 0, 10)


def test_medians_are_of_each_figure() -> None:
    runs = [Figures(1, 2, 3, 4, 5), Figures(3, 1, 2, 9, 4), Figures(2, 3, 1, 5, 3)]
    assert medians(runs) == Figures(2, 2, 2, 5, 4)


def test_the_slow_claude_takes_a_second_for_all_at_once() -> None:
    async def ask(url: str) -> list[str]:
        async with httpx2.AsyncClient(timeout=30) as http:
            asked = [http.post(f"{url}/v1/messages", json={"n": n}) for n in range(50)]
            return [answer.text for answer in await asyncio.gather(*asked)]

    with slow_claude() as url:
        began = time.monotonic()
        texts = asyncio.run(ask(url))
        took_s = time.monotonic() - began
    assert {json.loads(text)["content"][0]["type"] for text in texts} == {"text"}
    assert 1.0 <= took_s < 25  # one after the other they would take 50


def test_without_redis_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(SystemExit, match=MISSING), broker():
        pass
