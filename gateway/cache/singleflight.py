"""Does equal work that is wanted several times at once only once.

Within a worker requests share a task, and among workers a lease in Redis lets one of them work. Without this, a popular
list that becomes stale would be fetched from the vendor by every request that arrives before the first one is done,
which spends the customer's rate limit (a cache stampede). Only work that is not cached is shared: a cache hit never
waits for other requests.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gateway.concurrency import pair
from gateway.model import Cache

T = TypeVar("T")

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.2
"""Seconds between two looks for another worker's result: the first pause, and the longest one."""


@dataclass(slots=True)
class _Flight(Generic[T]):
    """A task, the number of callers that wait for it, and whether it continues when none is left."""

    task: asyncio.Task[T]
    waiting: int = 0
    detached: bool = False


class SingleFlight:
    """Tasks by key, each with any number of waiting callers.

    A caller that is cancelled (its client disconnects) does not cancel the task while others wait for it. When the last
    caller is cancelled the task is too, since nobody wants its result.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[Any]] = {}

    async def share(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]], *, detach: bool = False
    ) -> tuple[T, bool]:
        """Returns the result of the task under this key, and whether this call has started it.

        Results of equal keys must be of one type. With `detach` the task runs to its end even if all callers are
        cancelled. Raises what the task raises.
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
                # Removed now and not in `end`, so that no new caller joins a task that is being cancelled.
                self._flights.pop(key, None)
                flight.task.cancel()

    def start(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Any]]) -> asyncio.Task[Any]:
        """Starts a task that nobody has to wait for, unless one runs under this key. Returns the one that runs."""
        flight = self._flights.get(key) or self._begin(key, work())
        flight.detached = True
        return flight.task

    async def close(self) -> None:
        """Cancels all tasks and waits for their ends."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Cancelled tasks start new ones that release their leases. These may finish.
        await asyncio.gather(*(flight.task for flight in self._flights.values()), return_exceptions=True)

    def _begin(self, key: Hashable, work: Coroutine[Any, Any, T]) -> _Flight[T]:
        flight = _Flight(asyncio.ensure_future(work))
        self._flights[key] = flight

        def end(done: asyncio.Task[T]) -> None:
            # A cancelled task has been removed by `share` already, and its key may have a new task by now.
            if self._flights.get(key) is flight:
                del self._flights[key]
            if not done.cancelled():
                # Read, or asyncio logs the exception of a task that nobody waits for any more.
                done.exception()

        flight.task.add_done_callback(end)
        return flight


class Lease:
    """A lease that this worker holds. It is renewed until it is released, so the work may take any time."""

    def __init__(self, cache: Cache, key: str, holder: bytes, seconds: int) -> None:
        self._cache = cache
        self._key = key
        self._holder = holder
        self._seconds = seconds
        self._renewing = asyncio.ensure_future(self._renew())

    async def release(self) -> None:
        """Ends the lease, so that another worker can take it at once."""
        self._renewing.cancel()
        await self._cache.release(self._key, self._holder)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / 3)
            await self._cache.renew(self._key, self._holder, self._seconds)


class Leases:
    """Lets one of all workers do a piece of work. If that worker dies, the lease expires after `seconds`."""

    def __init__(self, cache: Cache, seconds: int, monotonic: Callable[[], float]) -> None:
        self._cache = cache
        self._seconds = seconds
        self._monotonic = monotonic

    async def take(
        self, key: str, holder: str, look: Callable[[], Awaitable[T | None]], until: float
    ) -> tuple[T | None, Lease | None]:
        """Returns either the result of the work, done by another worker, or a lease to do it here.

        `look` returns the result if it is stored by now. `holder` is unique. Returns (None, None) where the cache is
        not available, or where another worker has not finished by `until` (monotonic seconds): then the caller does the
        work without a lease.
        """
        own = holder.encode()
        while True:
            # Looks and claims at once: another worker may have finished and released its lease just before.
            [owner], found = await pair(self._cache.claim([key], own, self._seconds), look())
            if owner == own:
                if found is None:
                    return None, Lease(self._cache, key, own, self._seconds)
                await self._cache.release(key, own)
                return found, None
            if owner is None:  # The cache is not available.
                return None, None
            found = found or await self._wait(key, look, until)
            if found is not None or self._monotonic() >= until:
                return found, None

    async def _wait(self, key: str, look: Callable[[], Awaitable[T | None]], until: float) -> T | None:
        """Looks repeatedly until the result is there or the lease is free. Returns the result, or None."""
        pause = FIRST_PAUSE
        while self._monotonic() < until:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
            [owner], found = await pair(self._cache.read([key]), look())
            if found is not None or owner is None:
                return found
        return None
