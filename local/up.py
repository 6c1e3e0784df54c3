"""`make local`: bring the whole kit up on this machine, say how to call it, and stay until told."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from rich.console import Console

from claude_core.settings import CLAUDE_URL
from local import cloud, fargate, services, transform
from local.paths import ASSEMBLY, LOGS, OUTPUTS, PID, ROOT, STATE, clean_env
from local.processes import Guarded, free_port

FAKE_KEY = "sk-ant-" + "local-fake-claude-key"

console = Console(highlight=False)


def up() -> None:
    """Run until Ctrl-C or SIGTERM; whatever was started is ended, whatever happens."""
    cloud.make_folders()
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        lock = stack.enter_context(PID.open("a+"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stack.callback(_forget)
        PID.write_text(str(os.getpid()))
        began = time.monotonic()
        outputs = _bring_up(stack)
        console.print(f"\n[bold green]ready[/] in {time.monotonic() - began:.0f} s\n")
        _show(outputs)
        stop.wait()
    console.print("\nstopped")


def running() -> int | None:
    """The process id of a local cloud of this checkout, if one is up.

    Whoever runs one holds a lock, which ends with the process: a process id alone may be old, and
    somebody else's by now.
    """
    with suppress(FileNotFoundError), PID.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(PID.read_text() or 0)
    return None


def _bring_up(stack: ExitStack) -> dict[str, Any]:
    with _step("embedded cloud"):
        cloud.prepare()
        endpoint = f"http://127.0.0.1:{(port := free_port())}"
        emulator = stack.enter_context(cloud.start(port))
    claude_url, claude_key = _claude(stack)
    with _step("cdk synth"), ThreadPoolExecutor(1) as pool:
        templates = pool.submit(cloud.synth, claude_url)
        emulator.wait_for(f"{endpoint}/_ministack/health")
        templates.result()
    for name, gone in transform.leave_out(ASSEMBLY).items():
        console.print(f"[dim]{name} goes without {', '.join(gone)}[/]", soft_wrap=True)
    with _step("cdk bootstrap, cdk deploy --all"):
        outputs = cloud.deploy(endpoint, STATE / "deployed.json")
    for values in outputs.values():
        for name, value in values.items():
            if name.endswith("Url"):
                values[name] = cloud.here(value, endpoint)
    with _step("web services, and the front before them"):
        services.start(stack, endpoint, outputs)
    with _step("tasks, and the load balancer before them"):
        fargate.start(stack, endpoint, outputs, assembly=ASSEMBLY, say=console.print)
    outputs["Local"] = {
        "AwsEndpoint": endpoint,
        "Region": cloud.REGION,
        "AccessKeyId": cloud.ACCESS_KEY,
        "ClaudeUrl": claude_url,
    }
    with _step("kit key set, kit clients add"):
        OUTPUTS.write_text(json.dumps(outputs, indent=2))
        _kit("key", "set", words=claude_key)
        added = _kit("clients", "add", "local", "--rpm", "6000", "--json")
        outputs["Local"]["ClientKey"] = json.loads(added)["key"]
        OUTPUTS.write_text(json.dumps(outputs, indent=2))
        OUTPUTS.chmod(0o600)
    return outputs


def _claude(stack: ExitStack) -> tuple[str, str]:
    """Where Claude is and the key for it: the fake one, or, with REAL=1, the real one."""
    if os.environ.get("REAL") == "1":
        if not (key := os.environ.get("ANTHROPIC_API_KEY")):
            raise SystemExit("REAL=1 asks the real Claude, and needs ANTHROPIC_API_KEY")
        return CLAUDE_URL, key
    with _step("fake Claude"):
        port = free_port()
        command = [sys.executable, "-m", "local.fake_claude", "--port", str(port)]
        fake = stack.enter_context(Guarded("fake-claude", command, clean_env()))
        url = f"http://127.0.0.1:{port}"
        fake.wait_for(f"{url}/_fake/stats")
    return url, FAKE_KEY


def _kit(*arguments: str, words: str = "") -> str:
    command = [sys.executable, "-m", "kit.main", *arguments, "--local"]
    done = subprocess.run(
        command, input=words, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    if done.returncode:
        raise SystemExit(f"kit {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout


def _forget() -> None:
    for path in (OUTPUTS, PID):
        path.unlink(missing_ok=True)


@contextmanager
def _step(name: str) -> Iterator[None]:
    """A line on the screen that moves while the step does."""
    began = time.monotonic()
    with console.status(name):
        yield
    console.print(f"[green]✓[/] {name} [dim]{time.monotonic() - began:.1f} s[/]")


def _show(outputs: dict[str, Any]) -> None:
    url, key = outputs["ServerlessStack"]["ApiUrl"], outputs["Local"]["ClientKey"]
    console.print(f"serverless  {url}", soft_wrap=True)
    if chat := outputs.get("WebsocketStack", {}).get("ServiceUrl"):
        console.print(f"chat page   {chat}/", soft_wrap=True)
    if jobs := outputs.get("QueueStack", {}).get("ApiUrl"):
        console.print(f"jobs        {jobs}", soft_wrap=True)
    if routed := outputs.get("OrchestratorStack", {}).get("ApiUrl"):
        console.print(f"orchestrate {routed}", soft_wrap=True)
    console.print(f"Claude      {outputs['Local']['ClaudeUrl']}", soft_wrap=True)
    console.print(f"client key  {key}\n", soft_wrap=True)
    body = json.dumps({"prompt": "Why is the sky blue?"})
    question = json.dumps({"input": "Why is the sky blue?"})
    chosen = f"curl {routed}/v1/orchestrate -H 'x-api-key: {key}' -d '{question}'\n\n"
    console.print(
        f"curl {url}/prompt -H 'x-api-key: {key}' -d '{body}'\n\n"
        f"{chosen if routed else ''}"
        f"client = anthropic.Anthropic(base_url={url!r}, api_key={key!r})\n",
        soft_wrap=True,
        markup=False,
    )
    console.print(f"[dim]logs: {LOGS.relative_to(ROOT)}/   stop: Ctrl-C, or make local-stop[/]")
