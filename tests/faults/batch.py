"""The batch lane's part of `make faults`: each failpoint, many seeds, thousands of jobs."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.faults.batch_cases import breaks, broken, case, kills, outages

PARTS = 32


def every(seeds: int, items: int) -> Iterator[str]:
    """Everything, on all cores; what broke."""
    names = [f"items={items}", *kills(), *breaks(), *outages()]
    names += [f"seed={number}" for number in range(seeds)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(broken, (names[part::PARTS] for part in range(PARTS))):
            yield from found
    print(f"{len(names)} cases played", flush=True)


def main() -> None:
    read = argparse.ArgumentParser(prog="python -m tests.faults.batch")
    read.add_argument("--items", type=int, default=10_000, help="jobs of mixed fates, once")
    read.add_argument("--seeds", type=int, default=500, help="of chaos")
    read.add_argument("--case", help="one alone: kill=STEP, break=CALL,HOW, seed=NUMBER, ...")
    asked = read.parse_args()
    if asked.case:
        case(asked.case)
        print("nothing broke")
        return
    began = time.monotonic()
    found = list(every(asked.seeds, asked.items))
    print(*found, sep="\n")
    print(f"{len(found)} broken, {time.monotonic() - began:.0f} s")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
