"""`make bench-orchestrator`: how soon a routed answer begins, beside the naive one, in one run; and
the CPU of routing itself.

The fake Claude takes 300 ms (fast) and 800 ms (balanced) to its first token, and writes 50 tokens
at 20 ms each.
"""

import argparse
import asyncio
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

import httpx2
from rich.console import Console
from rich.table import Table as Shown

from benchmarks.beside import answers, helper, kit_env
from benchmarks.talk import Service, running
from claude_core import routes
from claude_core.clients import new_key
from claude_core.messages import Request
from claude_core.reply import Reply
from claude_core.routes import Table
from claude_core.routing.asked import asked
from claude_core.routing.policy import Purse
from claude_core.routing.router import Router
from claude_core.settings import RouterSettings
from local.processes import free_port
from tests.doubles import CLAUDE_KEY

MARKS = (
    "[[fake: answer first_token_ms=300 model=claude-haiku-5-5]]"
    "[[fake: answer first_token_ms=800 per_token_ms=20 tokens=50 model=claude-sonnet-5-5]]"
)
ROUTING, CLASSIFYING = "routing itself", "and the classifier's call"
TARGETS = {"kit": 1_130.0, "kit, speculating": 830.0, ROUTING: 1.0}
OWN = Path(routes.__file__).with_name("routes.json")
HTTP = httpx2.Client(timeout=30)
"""One, as the naive one's is: to make it takes 20 ms."""
QUESTIONS = 2_000


def naive_ms(number: int) -> float:
    """Milliseconds until `classify_then_respond` shows anything: when it has all of it."""
    from benchmarks.naive.orchestrator import classify_then_respond

    began = time.perf_counter()
    if not classify_then_respond(f"{MARKS} a task, number {number}"):
        raise RuntimeError("the naive one has said nothing")
    return (time.perf_counter() - began) * 1_000


def kit_ms(service: Service, number: int) -> float:
    """Milliseconds to the first text of `POST /v1/orchestrate`, streamed."""
    body = {"input": f"{MARKS} a task, number {number}", "stream": True}
    url, headers = f"http://127.0.0.1:{service.port}/v1/orchestrate", {"x-api-key": service.key}
    began, first = time.perf_counter(), 0.0
    with HTTP.stream("POST", url, json=body, headers=headers) as answer:
        for line in answer.iter_lines():
            if "text_delta" in line and not first:
                first = (time.perf_counter() - began) * 1_000
    if not first:
        raise RuntimeError(f"the kit has said nothing: {answer.status_code}")
    return first


def routing_ms() -> float:
    """Milliseconds of CPU of choosing and of writing the request, Claude's time left out."""
    said = json.dumps({"intent": "task", "confidence": 0.9})
    message = {
        "type": "message",
        "content": [{"type": "text", "text": said}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 300, "output_tokens": 10},
    }
    body = json.dumps(message).encode()

    async def ask(request: Request, deadline: float) -> tuple[Reply, int]:
        return Reply.from_bytes(body), 1

    async def all_() -> float:
        router, began = Router(Table.own()), time.process_time()
        for number in range(QUESTIONS):
            question = {"messages": [{"role": "user", "content": f"a task, number {number} " * 20}]}
            choice = await router.choose(question, Purse(), ask)
            asked(choice, question, {})
        return (time.process_time() - began) * 1_000 / QUESTIONS

    return asyncio.run(all_())


def classifying_ms(service: Service, round_: int, calls: int) -> float:
    """Milliseconds of the service's CPU that a classified question takes more than one whose model
    is asked for by name."""
    url, took = f"http://127.0.0.1:{service.port}/v1/orchestrate", dict[str, float]()
    for model in ("balanced", "auto"):
        before = service.cpu_s
        for number in range(calls):
            body = {"input": f"a task, number {round_}.{number}", "model": model}
            HTTP.post(url, json=body, headers={"x-api-key": service.key}).raise_for_status()
        took[model] = (service.cpu_s - before) * 1_000 / calls
    return took["auto"] - took["balanced"]


@contextmanager
def kit(claude_url: str, share: float) -> Iterator[Service]:
    """The service, with so much of a budget for speculation."""
    key, aws, port = new_key(), free_port(), free_port()
    table = json.loads(OWN.read_bytes()) | {"speculate": share}
    with ExitStack() as stack:
        stack.enter_context(helper("benchmarks.aws", str(aws), key))
        answers(f"http://127.0.0.1:{aws}/")
        file = stack.enter_context(NamedTemporaryFile("w", suffix=".json"))
        file.write(json.dumps(table))
        file.flush()
        env = kit_env(claude_url, f"http://127.0.0.1:{aws}")
        env |= RouterSettings(routes_file=file.name, conversations_table="none").to_env() | {
            "AWS_LAMBDA_FUNCTION_NAME": "kit"
        }
        yield stack.enter_context(running(["-m", "service_src"], env, port, key))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orchestrator", description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="rounds; their medians are shown")
    parser.add_argument("--calls", type=int, default=200, help="for the CPU of a classification")
    options = parser.parse_args()
    runs, port = options.runs, free_port()
    url = f"http://127.0.0.1:{port}"
    os.environ |= {"ANTHROPIC_API_KEY": CLAUDE_KEY, "ANTHROPIC_BASE_URL": url}
    found: dict[str, list[float]] = defaultdict(list)
    with (
        helper("local.fake_claude", "--port", str(port)),
        kit(url, 0.0) as plain,
        kit(url, 0.5) as eager,
    ):
        answers(f"{url}/_fake/stats")
        for number in range(runs + 1):
            measured = {
                "naive": naive_ms(number),
                "kit": kit_ms(plain, number),
                "kit, speculating": kit_ms(eager, number),
                ROUTING: routing_ms(),
                CLASSIFYING: classifying_ms(plain, number, options.calls),
            }
            for title, value in measured.items() if number else ():  # the first opens connections
                found[title].append(value)
    _show(found, runs)


def _show(found: dict[str, list[float]], runs: int) -> None:
    shown = Shown(title=f"A routed answer, medians of {runs}")
    for name in ("", "time to first visible token", "CPU", "target", ""):
        shown.add_column(name, justify="left" if not name else "right")
    for title, values in found.items():
        value, target = median(values), TARGETS.get(title)
        cpu = title in (ROUTING, CLASSIFYING)
        columns = ("", f"{value:.2f} ms") if cpu else (f"{value:,.0f} ms", "")
        told = f"{target:,g} ms" if target else ""
        reached = "[green]reached[/]" if target and value <= target else "[red]not reached[/]"
        shown.add_row(title, *columns, told, reached if target else "")
    console = Console()
    console.width = max(console.width, 100)
    console.print(shown)


if __name__ == "__main__":
    main()
