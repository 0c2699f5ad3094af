"""What workers tell each other of changes, heard over a connection of its own to Redis (pub/sub).

Messages that are sent while nobody listens are lost: so whoever keeps things by this channel has to ask whether it
works now, and must forget all when it comes back.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import cast

import hiredis

from gateway.cache.redis_address import RedisAddress
from gateway.cache.redis_cache import CHANNEL
from gateway.model import Invalidation

BEAT = 0.25
"""Seconds between two questions whether the channel still works."""
SILENCE = 4 * BEAT
"""Seconds without an answer after which it is taken for broken."""


class PubSub:
    """Listens until closed; connects again for as long as it takes.

    `heard` gets the change and the id of each message, `back` is called when listening begins, also after a break.
    """

    def __init__(
        self, url: str, connect_timeout: float, heard: Callable[[Invalidation, str], None], back: Callable[[], None]
    ) -> None:
        self._address = RedisAddress(url)
        self._connect_timeout = connect_timeout
        self._heard = heard
        self._back = back
        self._last = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def works(self) -> bool:
        """Tell whether what is sent now would be heard, as far as can be known."""
        return monotonic() - self._last < SILENCE

    def open(self) -> None:
        self._task = asyncio.ensure_future(self._listen())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        while True:
            with suppress(OSError):  # A TimeoutError is one, too.
                async with asyncio.timeout(self._connect_timeout):
                    ear = await self._address.connect(lambda: _Ear(self._take))
                try:
                    await self._follow(ear)
                finally:
                    ear.close()
            self._last = float("-inf")
            await asyncio.sleep(BEAT)

    async def _follow(self, ear: "_Ear") -> None:
        """Keep asking whether the connection works, until it does not."""
        ear.send(*self._address.greeting(), ("SUBSCRIBE", CHANNEL))
        asked = monotonic()
        while not ear.lost and monotonic() - max(self._last, asked) < SILENCE:
            await asyncio.sleep(BEAT)
            ear.send(("PING",))

    def _take(self, reply: object) -> None:
        self._last = monotonic()
        kind, *rest = reply if isinstance(reply, list) else (reply,)
        if kind == b"subscribe":
            self._back()
        elif kind == b"message":
            word, _, name = rest[-1].decode(errors="replace").partition(" ")
            if word in set(Invalidation):  # A newer gateway beside us may know more words.
                self._heard(Invalidation(word), name)


class _Ear(asyncio.Protocol):
    """The bytes of one connection."""

    def __init__(self, take: Callable[[object], None]) -> None:
        self._take = take
        self._reader = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asked for its class: that of uvloop is no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def send(self, *commands: tuple[str | bytes | int, ...]) -> None:
        if self._transport is not None and not self.lost:
            packed = [hiredis.pack_command(words) for words in commands]  # type: ignore[arg-type] # typed for one word
            self._transport.write(b"".join(packed))

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                if isinstance(reply, hiredis.ReplyError):
                    self.close()
                    return
                self._take(reply)
        except hiredis.ProtocolError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.lost = True

    def close(self) -> None:
        self.lost = True
        if self._transport is not None:
            self._transport.abort()
