"""The deployed ECS services run here, and what stands before their load balancers."""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import httpx2

from local import deployed
from local.keeper import Keeper, targets
from local.paths import STATE, clean_env
from local.processes import Guarded, free_port

ANSWERS_S = 10.0


def start(
    stack: ExitStack,
    endpoint: str,
    outputs: dict[str, dict[str, str]],
    *,
    assembly: Path,
    say: Callable[[str], None] = print,
) -> None:
    """Run every ECS service of the deployed stacks; an output that holds a load balancer's name
    becomes an address on this machine.

    Raises:
        SystemExit: a task or a balancer did not come up; shows the end of its log.
    """
    keepers: list[Keeper] = []
    for name, values in outputs.items():
        # Entered first, left last: tasks end before what stands before them does.
        entrances = list(deployed.entrances(endpoint, name))
        urls = {one.dns_name: _balancer(stack, one) for one in entrances}
        for service in deployed.services(endpoint, name):
            keeper = Keeper(service, endpoint=endpoint, assembly=assembly, say=say)
            keepers.append(stack.enter_context(keeper))
        for one in entrances:
            _until_it_answers(urls[one.dns_name] + one.health_path)
        for key, value in values.items():
            for dns_name, url in urls.items():
                if dns_name in value:
                    values[key] = url
    stack.callback(_end, keepers)


def _end(keepers: list[Keeper]) -> None:
    """All at once: a worker waits for up to 20 s for its last look at the queue."""
    with ThreadPoolExecutor(max(1, len(keepers))) as pool:
        list(pool.map(Keeper.end, keepers))


def _until_it_answers(url: str) -> None:
    """The balancer asks its targets for their health now and then; nothing is served before."""
    end = time.monotonic() + ANSWERS_S
    while httpx2.get(url, timeout=ANSWERS_S).status_code != 200:
        if time.monotonic() > end:
            raise SystemExit(f"{url} did not answer 200 in {ANSWERS_S:g} s")
        time.sleep(0.1)


def _balancer(stack: ExitStack, entrance: deployed.Entrance) -> str:
    """Start what stands before one load balancer; its URL."""
    told = asdict(entrance) | {"port": free_port(), "targets": str(targets(entrance.target_group))}
    targets(entrance.target_group).unlink(missing_ok=True)
    file = STATE / f"{entrance.name}-balancer.json"
    file.write_text(json.dumps(told))
    command = [sys.executable, "-m", "local.balancer", str(file)]
    balancer = stack.enter_context(Guarded(f"{entrance.name}-balancer", command, clean_env()))
    url = f"http://127.0.0.1:{told['port']}"
    balancer.wait_for(url)
    return url
