"""Equal questions at the same time are asked once: within a worker by sharing a task, among workers by a lease.

Only what is not kept is shared in this way: a hit never waits for a flight.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gateway.concurrency import pair
from gateway.model import Cache

T = TypeVar("T")

FIRST_LOOK = 0.02
LONGEST_LOOK = 0.2


@dataclass(slots=True)
class _Flight(Generic[T]):
    """A task, how many wait for it, and whether it goes on without anybody."""

    task: asyncio.Task[T]
    waiting: int = 0
    kept: bool = False


class SingleFlight:
    """Tasks that several callers may wait for. One that gives up ends no other's wait; the last one ends the task."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Flight[Any]] = {}

    async def share(
        self, key: Hashable, fly: Callable[[], Coroutine[Any, Any, T]], *, keep: bool = False
    ) -> tuple[T, bool]:
        """Give the result of the flight under this key, and whether it was begun by this call.

        Of equal keys results must be of one type. With `keep` the flight goes on though all give up.
        """
        flight: _Flight[T] | None = self._under_way.get(key)
        mine = flight is None
        if flight is None:
            flight = self._begin(key, fly())
        flight.kept = flight.kept or keep
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task), mine
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.kept and not flight.task.done():
                self._under_way.pop(key, None)
                flight.task.cancel()

    def start(self, key: Hashable, fly: Callable[[], Coroutine[Any, Any, Any]]) -> bool:
        """Begin a flight that nobody waits for, unless one is under way; tell whether it was begun."""
        if key in self._under_way:
            return False
        self._begin(key, fly()).kept = True
        return True

    async def close(self) -> None:
        """Cancel what is under way."""
        tasks = [flight.task for flight in self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, key: Hashable, work: Coroutine[Any, Any, T]) -> _Flight[T]:
        flight = _Flight(asyncio.ensure_future(work))
        self._under_way[key] = flight

        def land(done: asyncio.Task[T]) -> None:
            if self._under_way.get(key) is flight:
                del self._under_way[key]
            if not done.cancelled():
                done.exception()  # Of a flight that nobody waits for any more nobody else would ask for it.

        flight.task.add_done_callback(land)
        return flight


class Leases:
    """Has one worker of all do a piece of work. A holder that dies is followed after `seconds` at most."""

    def __init__(self, cache: Cache, seconds: int, monotonic: Callable[[], float]) -> None:
        self._cache = cache
        self._seconds = seconds
        self._monotonic = monotonic

    async def lead(
        self,
        lease: tuple[str, str],
        look: Callable[[], Awaitable[T | None]],
        work: Callable[[], Awaitable[T]],
        until: float,
    ) -> tuple[T, bool]:
        """Give what the work gives, or what `look` finds of the same work done elsewhere; and whether we did it.

        `lease` is its key and a word that nobody else has. Waits until a moment (monotonic) at most, then works
        itself; also where no lease can be had.
        """
        key, word = lease
        mine = word.encode()
        while True:
            [holder], found = await pair(self._cache.claim([key], mine, self._seconds), look())
            if holder == mine:
                if found is not None:
                    await self._cache.release(key, mine)
                    return found, False
                return await self._hold(key, mine, work), True
            if holder is None:
                return await work(), True
            found = found or await self._wait(key, look, until)
            if found is not None:
                return found, False
            if self._monotonic() >= until:
                return await work(), True

    async def _hold(self, key: str, word: bytes, work: Callable[[], Awaitable[T]]) -> T:
        renewing = asyncio.ensure_future(self._renew(key, word))
        try:
            return await work()
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            await self._cache.release(key, word)

    async def _renew(self, key: str, word: bytes) -> None:
        while True:
            await asyncio.sleep(self._seconds / 3)
            await self._cache.renew(key, word, self._seconds)

    async def _wait(self, key: str, look: Callable[[], Awaitable[T | None]], until: float) -> T | None:
        """Look again and again until the work is done, or its lease is free."""
        pause = FIRST_LOOK
        while self._monotonic() < until:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK)
            [holder], found = await pair(self._cache.read([key]), look())
            if found is not None or holder is None:
                return found
        return None
