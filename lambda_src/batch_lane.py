"""The batch lane: messages in, each looked after; those that failed come again by themselves."""

from collections.abc import Sequence

from claude_core.errors import KitError
from claude_core.incoming import Incoming
from claude_core.telemetry import Telemetry
from lambda_src.batch_messages import Poll, Post, Wake, named, parsed
from lambda_src.batch_polling import Polling
from lambda_src.batch_time import Time
from lambda_src.batch_waking import Waking

LEAST_S = 90.0
"""With less time left nothing is begun: its message is sent once more."""


class Lane:
    """One process's."""

    def __init__(
        self, *, waking: Waking, polling: Polling, post: Post, telemetry: Telemetry
    ) -> None:
        self._waking, self._polling, self._post = waking, polling, post
        self._telemetry = telemetry

    async def handle(self, texts: Sequence[str], time: Time) -> list[int]:
        """Look after the messages of one call; the places of those that failed."""
        failed: list[int] = []
        for message, places in self._sorted(texts, failed).items():
            try:
                await self._one(message, time)
            except KitError as err:
                self._telemetry.trouble(f"the batch lane has to wait: {named(err)}")
                failed += places
            except Exception as err:
                self._telemetry.crashed(Incoming("batch"), err)
                failed += places
        return sorted(failed)

    def _sorted(self, texts: Sequence[str], failed: list[int]) -> dict[Wake | Poll, list[int]]:
        """Messages with their places; the wake-ups of one model are one."""
        found: dict[Wake | Poll, list[int]] = {}
        wakes: dict[str, tuple[bool, list[int]]] = {}
        for place, text in enumerate(texts):
            try:
                message = parsed(text)
            except ValueError:
                self._telemetry.trouble("the batch lane's queue holds a message of another kind")
                failed.append(place)
                continue
            if isinstance(message, Wake):
                again, places = wakes.get(message.model, (True, []))
                wakes[message.model] = again and message.again, [*places, place]
            else:
                found.setdefault(message, []).append(place)
        for model, (again, places) in wakes.items():
            found[Wake(model, again)] = places
        return found

    async def _one(self, message: Wake | Poll, time: Time) -> None:
        late = time.left_s < LEAST_S
        if isinstance(message, Wake):
            await (self._post.wake(message) if late else self._waking.wake(message, time))
        else:
            await (self._post.poll(message) if late else self._polling.poll(message, time))
