"""`kit submit --wait`: it says how it stands, writes the answers, and can be left and taken up."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kit import progress
from tests.kit.jobs_shell import Shell

ROOT = Path(__file__).parents[2]
ESCAPE = "\x1b"
Kit = subprocess.Popen[bytes]


def test_all_done_is_said_with_what_it_cost(shell: Shell) -> None:
    shell.write(3)
    result = shell("submit", "docs", "--wait")
    assert re.search(r"3 done, \$0\.006000, in \d+ s", result.stdout)


def test_a_job_that_fails_is_told_with_its_reason_and_the_exit_code(shell: Shell) -> None:
    shell.write(12)
    ends = {"docs/002.md": "failed", "docs/005.md": "dead", "docs/007.md": "cancelled"}
    shell.api.steps = lambda doc: ("queued", "running", ends.get(doc, "done"))
    out = shell("submit", "docs", "--wait", code=1).stdout
    assert "9 done, 3 failed" in out
    for name, why in zip(ends, ("Claude took", "Claude took", "cancelled"), strict=True):
        (line,) = [line for line in out.splitlines() if line.startswith(name)]
        assert why in line
        assert ends[name] in line
    assert "--retry" in out


def test_a_failure_of_an_earlier_run_is_told_with_its_reason_too(shell: Shell) -> None:
    shell.write(1)
    shell.api.steps = lambda doc: ("failed",)
    shell("submit", "docs", code=1)
    assert "Claude took longer" in shell.said("submit", "docs", "--wait", code=1)


def test_the_answer_of_a_single_document_is_printed(shell: Shell) -> None:
    result = shell("submit", "-", "--wait", words="hello")
    assert result.stdout.splitlines()[0] == "about stdin"
    assert shell("submit", "-", "--wait", words="hello").stdout.startswith("about stdin\n")


def test_an_answer_that_was_cut_is_told(shell: Shell) -> None:
    shell.write(2)
    shell.api.says = {"stop_reason": "max_tokens"}
    assert "2 cut at --max-tokens: docs/0" in shell.said("submit", "docs", "--wait")


def test_answers_are_written_under_the_folder_as_their_documents_are_named(shell: Shell) -> None:
    shell.write(11)
    shell.file("docs/deep/b.txt", "b")
    shell.file("lines.jsonl", '{"doc_id": "../../up/c", "content": "c"}\n')
    shell("submit", "docs", "lines.jsonl", "--wait", "--output", "out")
    read = (shell.folder / "out/docs/003.md").read_text()
    assert read == "about docs/003.md"
    assert (shell.folder / "out/docs/deep/b.txt.md").read_text() == "about docs/deep/b.txt"
    assert (shell.folder / "out/up/c.md").read_text() == "about ../../up/c"
    written = [path for path in (shell.folder / "out").rglob("*") if path.is_file()]
    assert len(written) == 13


def test_answers_of_an_earlier_run_are_written_as_well(shell: Shell) -> None:
    shell.write(12)
    shell("submit", "docs", "--wait")
    shell("submit", "docs", "--wait", "--output", "out")
    assert len(list((shell.folder / "out/docs").iterdir())) == 12


def test_an_answer_never_replaces_what_was_submitted_nor_another_answer(shell: Shell) -> None:
    shell.write(1)
    said = shell.said("submit", "docs", "--wait", "--output", ".", code=2)
    assert "docs/000.md would be replaced" in said
    shell.file("a.txt", "one")
    shell.file("a.txt.md", "two")
    said = shell.said("submit", "a.txt", "a.txt.md", "--wait", "--output", "out", code=2)
    assert "would share out/a.txt.md" in said
    assert not shell.api.calls


def test_a_folder_that_cannot_be_written_is_said_and_the_jobs_go_on(shell: Shell) -> None:
    shell.write(1)
    shell.file("out/docs", "in the way")
    said = shell.said("submit", "docs", "--wait", "--output", "out", code=1)
    assert "--output: out/docs/000.md cannot be written" in said
    assert "1 done" in shell.said("submit", "docs", "--wait", "--output", "other")


def test_programs_get_the_end_of_every_job(shell: Shell) -> None:
    shell.write(2)
    told = shell.json("submit", "docs", "--wait")
    assert told["cost_usd"] == 0.004
    assert {(one["status"], one["stop_reason"]) for one in told["jobs"]} == {("done", "end_turn")}


def test_a_bad_minute_of_the_network_does_not_end_the_wait(shell: Shell) -> None:
    shell.write(2)
    shell("submit", "docs")
    shell.api.away = 8
    assert "2 done" in shell.said("submit", "docs", "--wait")


def test_a_log_gets_a_line_now_and_then_and_no_control_codes(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    shell.write(12)
    shell.api.steps = lambda doc: (*["queued"] * 20, *["running"] * 20, "done")
    result = shell("submit", "docs", "--wait")
    assert "12 running, $0" in result.stderr
    assert ESCAPE not in result.stderr + result.stdout
    assert len(result.stderr.splitlines()) < 20


def _heed_ctrl_c() -> None:
    """A shell ignores SIGINT for what it runs in the background; `kit` would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(shell: Shell, *arguments: str, screen: int | None = None) -> Iterator[Kit]:
    """`kit …` as a process of its own; `screen`: the terminal that it is at."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm-256color"}
    to = subprocess.PIPE if screen is None else screen
    process = subprocess.Popen(
        [sys.executable, "-m", "kit.main", *arguments],
        env=env,
        stdout=to,
        stderr=to,
        start_new_session=True,
        preexec_fn=_heed_ctrl_c,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_leaves_the_jobs_running_and_says_how_to_come_back(shell: Shell) -> None:
    shell.write(5)
    shell.api.steps = lambda doc: ("queued", "running")
    files = [f"docs/{at:03}.md" for at in range(5)]
    options = ("--instruction", "In a line", "--key", shell.api.key, "--wait")
    with started(shell, "submit", *files, *options) as kit:
        assert shell.api.listed.wait(20)
        kit.send_signal(signal.SIGINT)
        out, err = (text.decode() for text in kit.communicate(timeout=20))
    assert kit.returncode == 130
    assert out == ""
    assert "5 jobs go on without you; come back with:" in err
    assert "  kit submit docs/*.md --instruction 'In a line' --wait\n" in err
    assert "Traceback" not in err
    shell.api.steps = lambda doc: ()
    assert len(shell.api.jobs) == 5


def test_at_a_terminal_there_is_a_bar_which_is_gone_in_the_end(shell: Shell) -> None:
    shell.write(5)
    master, terminal = pty.openpty()
    with started(shell, "submit", "docs", "--wait", screen=terminal) as kit:
        os.close(terminal)
        seen = b""
        try:
            while chunk := os.read(master, 65_536):
                seen += chunk
        except OSError:  # the other end is closed
            pass
        os.close(master)
        assert kit.wait(20) == 0
    text = seen.decode()
    assert "━" in text
    assert "of 5" in text
    last = text.rstrip().splitlines()[-1]
    assert "5 done" in last
    assert "━" not in last
