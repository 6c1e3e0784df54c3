"""`python -m local.fake_claude`: the fake Claude as a program of its own."""

import argparse
import os
import signal
from pathlib import Path

from local.fake_claude.server import Server
from local.fake_claude.state import State


class Program(Server):
    """The server that says on the screen, and in a file, where it is."""

    port_file: Path | None = None

    def on_ready(self) -> None:
        if self.port_file is not None:
            # Renamed into place: whoever finds the file finds all of it.
            beside = self.port_file.with_name(f"{self.port_file.name}.{os.getpid()}")
            beside.write_text(f"{self.port}\n")
            beside.replace(self.port_file)
        print(f"fake Claude on {self.url}", flush=True)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m local.fake_claude", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (the default)")
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless you say otherwise")
    parser.add_argument("--key", action="append", help="an API key to accept; may be repeated")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it is open")
    options = parser.parse_args(argv)
    try:
        program = Program(State(options.key), host=options.host, port=options.port)
    except OSError as err:
        raise SystemExit(f"cannot listen on {options.host}:{options.port}: {err}") from err
    program.port_file = options.port_file
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal again when it is done; this makes that a clean exit.
        signal.signal(number, lambda *_: program.stop())
    program.run()


if __name__ == "__main__":
    main()
