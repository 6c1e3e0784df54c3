"""As a program of its own it says where it is, and goes when it is told to."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from local.fake_claude.inprocess import serve
from local.fake_claude.remote import Fake
from tests.fake_claude.conftest import HEADERS, KEY, ask

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "local.fake_claude"]


@contextmanager
def program(*options: str) -> Iterator[tuple[subprocess.Popen[str], Fake]]:
    with subprocess.Popen(
        [*COMMAND, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            assert line.startswith("fake Claude on http://127.0.0.1:")
            yield running, Fake(line.split()[-1])
        finally:
            running.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_soon_even_while_a_request_hangs(
    how: signal.Signals,
) -> None:
    def hang() -> None:
        try:
            httpx2.post(f"{fake.url}/v1/messages", json=ask(), headers=HEADERS, trust_env=False)
        except httpx2.HTTPError as err:
            broken.append(err)

    broken: list[Exception] = []
    with program() as (running, fake):
        fake.plan(["hang"])
        caller = threading.Thread(target=hang)
        caller.start()
        fake.wait(in_flight=1)
        running.send_signal(how)
        out, err = running.communicate(timeout=5)
        caller.join()
    assert (running.returncode, out, err) == (0, "", "")
    assert broken


def test_the_port_file_is_there_when_it_is_ready_and_the_keys_are_those_given(
    tmp_path: Path,
) -> None:
    where = tmp_path / "port"
    keys = ("--key", KEY, "--key", "sk-ant-2")
    with program("--port-file", str(where), *keys) as (_, fake):
        assert fake.url.endswith(f":{where.read_text().strip()}")
        for key, status in [(KEY, 200), ("sk-ant-2", 200), ("sk-ant-3", 401)]:
            headers = {**HEADERS, "x-api-key": key}
            answer = httpx2.post(
                f"{fake.url}/v1/messages", json=ask(), headers=headers, trust_env=False
            )
            assert answer.status_code == status
    assert list(tmp_path.iterdir()) == [where]


def test_limits_and_the_time_of_batches_can_be_given_at_the_start() -> None:
    limits = ["--limits", '{"requests": 5}', "--limits", '{"requests": 1, "line": "haiku"}']
    with (
        program(*limits, "--batch-after-s", "0.01") as (_, fake),
        httpx2.Client(base_url=fake.url, headers=HEADERS, trust_env=False) as http,
    ):
        models = ["claude-haiku-5-5"] * 2 + ["claude-opus-5-5"] * 2
        answers = [http.post("/v1/messages", json=ask(model=model)) for model in models]
        assert [answer.status_code for answer in answers] == [200, 429, 200, 200]
        wanted = [{"custom_id": "a", "params": ask()}]
        assert http.post("/v1/messages/batches", json={"requests": wanted}).status_code == 200
        fake.wait(batches_ended=1)


def test_a_limit_that_is_none_is_said_in_a_sentence() -> None:
    done = subprocess.run(
        [*COMMAND, "--limits", '{"requests": 0}'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert "requests: 0 is not a number above 0" in done.stderr


def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot listen on 127.0.0.1:{port}")
    assert "Traceback" not in done.stderr


def test_in_process_it_is_gone_when_the_block_ends_however_it_ends() -> None:
    def fail() -> None:
        with serve(keys=[KEY]) as fake:
            urls.append(fake.url)
            raise LookupError

    def threads() -> int:
        return sum(thread.name == "fake-claude" for thread in threading.enumerate())

    urls: list[str] = []
    before = threads()
    with pytest.raises(LookupError):
        fail()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(urls[0], trust_env=False)
    assert threads() == before


def test_several_can_run_side_by_side_and_share_nothing() -> None:
    with serve() as one, serve() as other:
        one.plan(["overloaded"])
        answers = [
            httpx2.post(f"{fake.url}/v1/messages", json=ask(), headers=HEADERS, trust_env=False)
            for fake in (other, one)
        ]
    assert [answer.status_code for answer in answers] == [200, 529]
