"""The least that one answer from Redis costs an asyncio program: one connection, no client library but the parser."""

import asyncio
import os
import time
from collections import deque
from statistics import median
from typing import Any

import hiredis
import uvloop
from redis.asyncio import Redis

from tests.bench.setup import SERVER_CORE

IN_FLIGHT = 16
BATCHES = 5
EACH = 4000
NAME = "bench:floor"


class Pipe(asyncio.Protocol):
    """Sends each question at once; the answers come in the order of the questions."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[object]] = deque()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not False:
            self._waiting.popleft().set_result(answer)

    def get(self, name: str) -> asyncio.Future[object]:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._transport.write(b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(name), name.encode()))
        return future

    def close(self) -> None:
        self._transport.close()


def redis_floor(url: str, size: int) -> float:
    """Returns the microseconds of processor time for a value of that size, on the core of servers."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_measure(url, size))
    finally:
        os.sched_setaffinity(0, mine)


async def _measure(url: str, size: int) -> float:
    async with Redis.from_url(url) as redis:
        await redis.set(NAME, b"x" * size)
    _, pipe = await asyncio.get_running_loop().create_unix_connection(Pipe, url.removeprefix("unix://"))

    async def repeat() -> None:
        for _ in range(EACH // IN_FLIGHT):
            await pipe.get(NAME)

    costs = []
    for _ in range(BATCHES):
        began = time.process_time()
        await asyncio.gather(*(repeat() for _ in range(IN_FLIGHT)))
        costs.append(time.process_time() - began)
    pipe.close()
    return median(costs) / EACH * 1e6
