"""One connection to Redis that all requests of a worker share.

Commands are written as they come and replies are given out in the order of the commands, so many are under way at
once and no request waits for a free connection. A request that is cancelled leaves its place in the order; the reply
that belongs to it is thrown away, and no other request can receive it. A client of the library costs two to three
times as much for a command.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Any, cast

import hiredis

from gateway.cache.redis_address import RedisAddress, Word

_GRACE = 0.01


class LineBroken(Exception):
    """The connection could not be made, or was lost before the reply had come."""


class RedisLine:
    """Speaks to the server of a URL, connecting when first asked and again after a break.

    `timeout` seconds are allowed for a reply and `connect_timeout` for a connection. A reply that is an error is
    given as a `hiredis.ReplyError`, not raised.
    """

    def __init__(self, url: str, timeout: float, connect_timeout: float) -> None:
        self._address = RedisAddress(url)
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._protocol: _Protocol | None = None
        self._connecting: asyncio.Task[_Protocol] | None = None

    async def call(self, *words: Word) -> Any:
        """Send one command and give its reply. Raises `LineBroken`, also when no reply comes in time."""
        [reply] = await self.calls(words)
        return reply

    async def calls(self, *commands: tuple[Word, ...]) -> list[Any]:
        """Send commands at once and give their replies in order."""
        protocol = self._protocol
        if protocol is None or protocol.lost:
            protocol = await self._connected()
        return [await reply for reply in protocol.send(commands)]

    def close(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        if self._protocol is not None:
            self._protocol.close()

    async def _connected(self) -> "_Protocol":
        """Connect, once however many requests ask for it."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._arrived)
        return await asyncio.shield(self._connecting)

    def _arrived(self, task: "asyncio.Task[_Protocol]") -> None:
        self._connecting = None
        if not task.cancelled() and task.exception() is None:
            self._protocol = task.result()

    async def _connect(self) -> "_Protocol":
        try:
            async with asyncio.timeout(self._connect_timeout):
                protocol = await self._address.connect(partial(_Protocol, self._timeout, asyncio.get_running_loop()))
                for reply in [await each for each in protocol.send(self._address.greeting())]:
                    if isinstance(reply, hiredis.ReplyError):
                        protocol.close()
                        raise LineBroken(f"Redis refuses us: {str(reply).partition(' ')[0]}")
                return protocol
        except OSError as error:  # A TimeoutError is one, too.
            raise LineBroken("Redis cannot be reached") from error


class _Protocol(asyncio.Protocol):
    """The bytes of one connection: commands out, replies in, in the same order.

    One watch for all commands: while replies are due, some must come within `timeout` seconds. A timer for each
    command would cost more than sending it.
    """

    def __init__(self, timeout: float, loop: asyncio.AbstractEventLoop) -> None:
        self._timeout = timeout
        self._loop = loop
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._transport: asyncio.Transport | None = None
        self._progress = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asked for its class: that of uvloop is no subclass of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def send(self, commands: tuple[tuple[Word, ...], ...]) -> list[asyncio.Future[Any]]:
        if self._transport is None or self.lost:
            raise LineBroken("the connection to Redis is closed")
        replies = [self._loop.create_future() for _ in commands]
        if not self._waiting:
            self._progress = self._loop.time()
            if self._watch is None:
                self._watch = self._loop.call_later(self._timeout, self._look)
        self._waiting.extend(replies)
        packed = [hiredis.pack_command(words) for words in commands]  # type: ignore[arg-type] # typed for one word
        self._transport.write(b"".join(packed))
        return replies

    def data_received(self, data: bytes) -> None:
        self._progress = self._loop.time()
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not False:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._break("the connection to Redis was lost")

    def close(self) -> None:
        self._break("the connection to Redis was closed")
        if self._transport is not None:
            self._transport.abort()

    def _look(self) -> None:
        """See whether replies come. After a stall of our own they may lie unread, so they get one more chance."""
        self._watch = None
        if not self._waiting or self.lost:
            return
        due = self._progress + self._timeout
        now = self._loop.time()
        if now < due:
            self._watch = self._loop.call_later(due - now, self._look)
        else:
            self._watch = self._loop.call_later(_GRACE, self._judge, self._progress)

    def _judge(self, progress: float) -> None:
        self._watch = None
        if self._progress == progress and self._waiting and not self.lost:
            self.close()
        elif self._waiting:
            self._look()

    def _break(self, why: str) -> None:
        self.lost = True
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(LineBroken(why))
                waiting.exception()  # Whoever was cancelled meanwhile does not come for it.
        self._waiting.clear()
