"""Receives the changes that workers publish, over a connection of its own to Redis.

Messages that are published while nobody is subscribed are lost. A cache that relies on them must therefore ask whether
the subscription works, and must clear itself when a subscription begins again.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from gateway.cache.redis_cache import CHANNEL
from gateway.cache.redis_client import FAULTS, RedisClient
from gateway.model import Invalidation

PING_SECONDS = 0.25
"""Seconds without a message after which the server is asked whether it is there."""
SILENCE = 4 * PING_SECONDS
"""Seconds without an answer after which the connection is taken for broken. The library does not check this."""


class PubSub:
    """Subscribes until it is closed, and again after each failure.

    `on_message` is called with the change and the id of each message, `on_subscribe` when a subscription begins.
    """

    def __init__(
        self, client: RedisClient, on_message: Callable[[Invalidation, str], None], on_subscribe: Callable[[], None]
    ) -> None:
        self._client = client
        self._on_message = on_message
        self._on_subscribe = on_subscribe
        self._last = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def works(self) -> bool:
        """Returns whether a message that is published now would arrive, as far as can be known."""
        return monotonic() - self._last < SILENCE

    def open(self) -> None:
        """Starts the task that receives messages."""
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Stops the task and waits for its end."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            with suppress(*FAULTS):
                await self._listen()
            self._last = float("-inf")
            await asyncio.sleep(PING_SECONDS)

    async def _listen(self) -> None:
        """Receives messages until the connection breaks.

        Each call asks for a new subscriber, as a node of a cluster may be gone for good.
        """
        async with asyncio.timeout(self._client.connect_seconds):
            pubsub = await self._client.pubsub()
        try:
            async with asyncio.timeout(self._client.connect_seconds):
                await pubsub.subscribe(CHANNEL)
            while True:
                async with asyncio.timeout(SILENCE):
                    message = await pubsub.get_message(timeout=PING_SECONDS)
                    while message is None:
                        await pubsub.ping()
                        message = await pubsub.get_message(timeout=PING_SECONDS)
                self._receive(message)
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call] # the library does not say what it returns

    def _receive(self, message: dict[str, Any]) -> None:
        self._last = monotonic()
        if message["type"] == "subscribe":
            self._on_subscribe()
        elif message["type"] == "message":
            word, _, name = message["data"].decode(errors="replace").partition(" ")
            if word in set(Invalidation):  # A newer gateway beside us may publish other changes.
                self._on_message(Invalidation(word), name)
