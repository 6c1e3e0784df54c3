"""Runs in a fresh process: `handler.py BUNDLE MODULE EVENT CALLS`.

Imports a function from a bundle alone, answers an event CALLS times, and prints what it took.
"""

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path


def rss_mb() -> float:
    """Memory in use now. `ru_maxrss` would be the parent's, if that was larger when it forked."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(bundle: str, module: str, event: str, calls: str) -> None:
    sys.path.insert(0, bundle)
    handler = importlib.import_module(module).handler
    found = {"rss_mb": rss_mb(), "warm_ms": 0.0}
    sent = json.loads(event)
    for call in range(int(calls)):
        if call == 1:
            began = time.process_time()
        sent["requestContext"]["requestTimeEpoch"] = int(time.time() * 1_000)
        answer = handler(sent, None)
        if answer["statusCode"] != 200 or not json.loads(answer["body"])["text"]:
            raise SystemExit(f"no answer: {answer}")
    if int(calls) > 1:
        found["warm_ms"] = (time.process_time() - began) / (int(calls) - 1) * 1_000
    print(json.dumps(found), file=sys.stderr)


main(*sys.argv[1:])
