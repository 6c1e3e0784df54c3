"""`python -m local.fake_claude`: the fake Claude as a program of its own."""

import argparse
import json
import os
import signal
from pathlib import Path

from local.fake_claude.batch import Settings
from local.fake_claude.limits import Rule, read_rule
from local.fake_claude.server import Server
from local.fake_claude.state import State


def main(argv: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; prints where, when it is ready."""
    parser = argparse.ArgumentParser(prog="python -m local.fake_claude", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (the default)")
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless you say otherwise")
    parser.add_argument("--key", action="append", help="an API key to accept; may be repeated")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it is open")
    parser.add_argument(
        "--limits",
        action="append",
        type=_rule,
        default=[],
        metavar="JSON",
        help='rate limits to enforce, as {"line": "haiku", "requests": 50}; may be repeated',
    )
    parser.add_argument(
        "--batch-after-s", type=float, default=1.0, help="how long a batch takes (1 s)"
    )
    options = parser.parse_args(argv)
    batching = Settings(after_s=options.batch_after_s)
    fake = State(options.key, limits=options.limits, batching=batching)

    def announce(server: Server) -> None:
        if options.port_file is not None:
            _write_whole(options.port_file, f"{server.port}\n")
        print(f"fake Claude on {server.url}", flush=True)

    try:
        server = Server(fake, host=options.host, port=options.port, on_ready=announce)
    except OSError as err:
        raise SystemExit(f"cannot listen on {options.host}:{options.port}: {err}") from err
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal again when it is done; this makes that a clean exit.
        signal.signal(number, lambda *_: server.stop())
    server.run()


def _rule(written: str) -> Rule:
    """A rate limit as it is written on the command line."""
    try:
        return read_rule(json.loads(written))
    except ValueError as err:
        raise argparse.ArgumentTypeError(str(err)) from err


def _write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.replace(path)


if __name__ == "__main__":
    main()
