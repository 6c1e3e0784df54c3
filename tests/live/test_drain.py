"""SIGTERM with 500 streaming sockets: each finishes, inside the time that there is."""

import asyncio
import time
from collections import Counter

import httpx2
import pytest

from local.fake_claude.inprocess import Fake
from tests.doubles import AwsDouble
from tests.handlers.test_drain import Begun, chat, running, within

pytestmark = pytest.mark.live
SOCKETS, CLIENTS = 500, 20
"""moto takes 28 ms for a row with a few open calls and 100 ms for one with 500, which is near the
service's own deadline where ten ask at once."""


def test_five_hundred_streams_run_to_their_end_and_the_process_ends_well(
    aws: AwsDouble, claude: Fake
) -> None:
    claude.plan([{"name": "hold", "after": 2}], repeat=True)
    with running(aws, claude, clients=CLIENTS) as service:

        async def talk() -> Counter[str]:
            begun = Begun()
            sockets = [asyncio.create_task(chat(service, begun)) for _ in range(SOCKETS)]
            await begun.all(SOCKETS)
            service.drain()
            async with httpx2.AsyncClient() as http:
                while (await http.get(f"{service.url}/ready")).status_code != 503:
                    pass
                assert (await http.get(f"{service.url}/health")).status_code == 200
            await asyncio.to_thread(claude.release)
            return Counter(await asyncio.gather(*sockets))

        began = time.monotonic()
        assert asyncio.run(within(talk())) == {"done 1001": SOCKETS}
        assert service.process.wait(30) == 0
        assert time.monotonic() - began < 110
