"""`make bench-chat`: the chat beside the naive one, and beside the least that a chat can cost."""

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Callable
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

from benchmarks.beside import answers, helper, kit_env
from benchmarks.talk import Service, first_tokens, running, whole
from claude_core.clients import new_key
from claude_core.settings import ChatSettings
from local.processes import free_port
from tests.chatting import LIMITS
from tests.doubles import CLAUDE_KEY

TOKENS, AT_ONCE, IDLE = 200, 100, 500
FIRST = "[[fake: answer tokens=20 first_token_ms=50 per_token_ms=20]]"
PACED = f"[[fake: answer tokens={TOKENS} per_token_ms=20]]"
FAST = f"[[fake: answer tokens={TOKENS} per_token_ms=4]]"
SHORT = "[[fake: answer tokens=100]]"


def token_us(service: Service) -> float:
    """Microseconds of CPU of a token, at 100 chats; at 5, where they go one after the other."""
    chats, question = (5, FAST) if service.one_at_a_time else (AT_ONCE, PACED)
    before = service.cpu_s
    asyncio.run(whole(service, chats, question, TOKENS))
    return (service.cpu_s - before) * 1e6 / (chats * TOKENS)


def chats_a_core(service: Service) -> float:
    """Chats of 100 tokens that a second of CPU serves, every token delivered."""
    before, chats = service.cpu_s, 25
    for _ in range(8):
        asyncio.run(whole(service, chats, SHORT, 100))
    return 8 * chats / (service.cpu_s - before)


def idle_kb(service: Service) -> float:
    """Kilobytes of an open socket on which nothing is said."""

    async def open_all() -> float:
        before = service.resident_kb
        sockets = [await service.open() for _ in range(IDLE)]
        grown = service.resident_kb - before
        for one in sockets:
            one.transport.abort()
        return grown / IDLE

    return asyncio.run(open_all())


def first_ms(service: Service, chats: int, choose: Callable[[list[float]], float]) -> float:
    """Milliseconds to the first token, of a service that has talked to as many before."""
    asyncio.run(whole(service, chats, SHORT, 100))
    return choose(asyncio.run(first_tokens(service, chats, FIRST)))


def p99(values: list[float]) -> float:
    return quantiles(values, n=100)[-1]


MEASURED: dict[str, tuple[str, Callable[[Service], float], float, bool]] = {
    # title: unit, how, target, whether the naive one can be measured so
    "10 chats at once, first token p50": ("ms", lambda s: first_ms(s, 10, median), 60, True),
    "100 chats at once, first token p99": ("ms", lambda s: first_ms(s, 100, p99), 150, False),
    "CPU of a streamed token at 100 chats": ("µs", token_us, 80, True),
    "chats of 100 tokens, a second and core": ("", chats_a_core, 140, True),
    "memory of an idle socket": ("KB", idle_kb, 60, False),
}
MORE_IS_BETTER = "chats of 100 tokens, a second and core"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="rounds; their medians are shown")
    runs = parser.parse_args().runs
    key, claude, aws = new_key(), free_port(), free_port()
    claude_url = f"http://127.0.0.1:{claude}"
    plain = {"ANTHROPIC_API_KEY": CLAUDE_KEY, "ANTHROPIC_BASE_URL": claude_url}
    services = {
        "naive": (["benchmarks/naive/chat.py"], plain),
        "least": (["benchmarks/naive/passthrough.py"], plain),
        "kit": (["-m", "service_src"], _kit_env(claude_url, f"http://127.0.0.1:{aws}")),
    }
    samples: dict[tuple[str, str], list[float]] = defaultdict(list)
    with helper("local.fake_claude", "--port", str(claude)):
        answers(f"{claude_url}/_fake/stats")
        for _ in range(runs):
            for name, (arguments, env) in services.items():
                for title, (_, measure, _, naive) in MEASURED.items():
                    if name == "naive" and not naive:
                        continue
                    # A table of its own: a service that is killed leaves its reservations open.
                    with (
                        helper("benchmarks.aws", str(aws), key),
                        running(arguments, env, free_port(), key) as service,
                    ):
                        answers(f"http://127.0.0.1:{aws}/")
                        service.one_at_a_time = name == "naive"
                        asyncio.run(whole(service, 1, SHORT, 100))  # warm
                        samples[title, name].append(measure(service))
    _show(samples, runs)


def _kit_env(claude_url: str, aws_url: str) -> dict[str, str]:
    limits = LIMITS | {"sockets_per_client": "10000", "messages_per_minute": "10000"}
    chat = ChatSettings(conversations_table="conversations", **limits)
    return kit_env(claude_url, aws_url) | chat.to_env()


def _show(samples: dict[tuple[str, str], list[float]], runs: int) -> None:
    table = Table(title=f"The chat beside the naive one, medians of {runs}")
    for name in ("", "naive", "least possible", "kit", "target", ""):
        table.add_column(name, justify="left" if not name else "right")
    for title, (unit, _, target, _) in MEASURED.items():
        shown = {
            name: median(samples[title, name]) if samples[title, name] else None
            for name in ("naive", "least", "kit")
        }
        kit = shown["kit"] or 0.0
        reached = kit >= target if title == MORE_IS_BETTER else kit <= target
        table.add_row(
            title,
            *(f"{value:,.1f} {unit}" if value is not None else "-" for value in shown.values()),
            f"{target:g} {unit}",
            "[green]reached[/]" if reached else "[red]not reached[/]",
        )
    console = Console()
    console.width = max(console.width, 120)
    console.print(table)


if __name__ == "__main__":
    main()
