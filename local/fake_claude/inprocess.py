"""A fake Claude on a thread of this process, for tests."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from local.fake_claude.remote import Fake as Fake
from local.fake_claude.server import Server
from local.fake_claude.state import State


@contextmanager
def serve(*, keys: Sequence[str] | None = None, port: int = 0) -> Iterator[Fake]:
    """A fake Claude on a free loopback port, stopped when the block ends, whatever happens.

    Args:
        keys: the API keys that it accepts; any that looks like one, if none are given.
    """
    ready, failures = threading.Event(), list[BaseException]()
    server = Server(State(keys), port=port, on_ready=lambda server: ready.set())

    def run() -> None:
        try:
            server.run()
        except BaseException as err:  # handed to the thread that waits
            failures.append(err)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="fake-claude", daemon=True)
    thread.start()
    try:
        ready.wait()
        if failures:
            raise failures[0]
        yield Fake(server.url)
    finally:
        server.stop()
        thread.join()
