"""Equal work at the same time is done once: within a worker by sharing a task, among workers by a lease in Redis.

Without it, a popular list that becomes stale would be fetched from the vendor by every request that arrives before
the first one is done, which spends the customer's rate limit (a cache stampede). Only work that is not cached is
shared: a cache hit never waits for others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gateway.concurrency import pair
from gateway.model import Cache

T = TypeVar("T")

FIRST_LOOK = 0.02
LONGEST_LOOK = 0.2
"""Seconds between two looks at whether another worker is done: the first pause, and the longest one."""


@dataclass(slots=True)
class _Flight(Generic[T]):
    """A task, the number of callers that wait for it, and whether it goes on when none is left."""

    task: asyncio.Task[T]
    waiting: int = 0
    detached: bool = False


class SingleFlight:
    """Tasks by key, each with any number of waiting callers.

    A caller that gives up (a client that hangs up) does not cancel the task while others wait for it. The last one
    that gives up does: nobody wants its result.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[Any]] = {}

    async def share(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]], *, detach: bool = False
    ) -> tuple[T, bool]:
        """Returns the result of the task under this key, and whether this call has started it.

        Results of equal keys must be of one type. With `detach` the task goes on though all callers give up.
        """
        flight: _Flight[T] | None = self._flights.get(key)
        own = flight is None
        if flight is None:
            flight = self._begin(key, work())
        flight.detached = flight.detached or detach
        flight.waiting += 1
        try:
            # Shielded: the cancellation of one caller must not reach the task of all.
            return await asyncio.shield(flight.task), own
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.detached and not flight.task.done():
                # At once, so that nobody joins a task that is being cancelled.
                self._flights.pop(key, None)
                flight.task.cancel()

    def start(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Any]]) -> asyncio.Task[Any]:
        """Starts a task that nobody needs to wait for, unless one is under way; returns the one that is."""
        flight = self._flights.get(key) or self._begin(key, work())
        flight.detached = True
        return flight.task

    async def close(self) -> None:
        """Cancels all tasks."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # What the cancelled tasks have started meanwhile, to release their leases, may finish.
        await asyncio.gather(*(flight.task for flight in self._flights.values()), return_exceptions=True)

    def _begin(self, key: Hashable, work: Coroutine[Any, Any, T]) -> _Flight[T]:
        flight = _Flight(asyncio.ensure_future(work))
        self._flights[key] = flight

        def end(done: asyncio.Task[T]) -> None:
            # A task that was given up has been removed already, and another may have taken its key since.
            if self._flights.get(key) is flight:
                del self._flights[key]
            if not done.cancelled():
                # Asked for, or asyncio would log the exception of a task that nobody waits for any more.
                done.exception()

        flight.task.add_done_callback(end)
        return flight


class Lease:
    """A lease that this worker has. It is renewed until it is released, so it outlasts work of any length."""

    def __init__(self, cache: Cache, key: str, holder: bytes, seconds: int) -> None:
        self._cache = cache
        self._key = key
        self._holder = holder
        self._seconds = seconds
        self._renewing = asyncio.ensure_future(self._renew())

    async def release(self) -> None:
        self._renewing.cancel()
        await self._cache.release(self._key, self._holder)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / 3)
            await self._cache.renew(self._key, self._holder, self._seconds)


class Leases:
    """Lets one worker of all do a piece of work. Where its holder dies, a lease ends after `seconds`."""

    def __init__(self, cache: Cache, seconds: int, monotonic: Callable[[], float]) -> None:
        self._cache = cache
        self._seconds = seconds
        self._monotonic = monotonic

    async def take(
        self, key: str, holder: str, look: Callable[[], Awaitable[T | None]], until: float
    ) -> tuple[T | None, Lease | None]:
        """Returns what `look` finds of the work, done by another worker, or else a lease to do it here.

        `holder` is unique. Returns neither where the cache is not there, or where another worker has not finished by
        `until` (monotonic): then the caller does the work without a lease.
        """
        word = holder.encode()
        while True:
            # The look comes with the claim: another worker may have finished just before.
            [owner], found = await pair(self._cache.claim([key], word, self._seconds), look())
            if owner == word:
                if found is None:
                    return None, Lease(self._cache, key, word, self._seconds)
                await self._cache.release(key, word)
                return found, None
            if owner is None:
                return None, None
            found = found or await self._wait(key, look, until)
            if found is not None or self._monotonic() >= until:
                return found, None

    async def _wait(self, key: str, look: Callable[[], Awaitable[T | None]], until: float) -> T | None:
        """Looks again and again until the work is done, or its lease is free."""
        pause = FIRST_LOOK
        while self._monotonic() < until:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK)
            [owner], found = await pair(self._cache.read([key]), look())
            if found is not None or owner is None:
                return found
        return None
