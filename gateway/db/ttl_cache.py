"""Caches look-ups in this process for a short time. Concurrent look-ups of one key share a load."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TtlCache(Generic[K, V]):
    """Stores loaded values for `seconds`. Of more than `entries` the least recently used is evicted."""

    def __init__(self, seconds: float, entries: int, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._entries = entries
        self._monotonic = monotonic
        self._known: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._loading: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        known = self._known.get(key)
        if known is not None and self._monotonic() < known[0]:
            self._known.move_to_end(key)
            return known[1]
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.ensure_future(self._load(key, load))
        # A caller that is cancelled must not cancel the load of the others.
        return await asyncio.shield(task)

    def peek(self, key: K) -> V | None:
        """Returns the cached value, or None. Loads nothing."""
        known = self._known.get(key)
        return known[1] if known is not None and self._monotonic() < known[0] else None

    def drop(self, key: K) -> None:
        """Deletes a key. The result of a load that is running is not stored either: it may be outdated."""
        self._known.pop(key, None)
        self._loading.pop(key, None)

    def drop_where(self, wanted: Callable[[V], bool]) -> None:
        """Deletes the values that match. Results of running loads are not stored, as they may match, too."""
        for key in [key for key, (_, value) in self._known.items() if wanted(value)]:
            del self._known[key]
        self._loading.clear()

    async def _load(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        me = asyncio.current_task()
        # The age counts from the start of the load: a change during it must be seen after `seconds`.
        expires = self._monotonic() + self._seconds
        try:
            value = await load()
            if self._loading.get(key) is me and self._seconds > 0:
                self._known[key] = (expires, value)
                self._known.move_to_end(key)
                while len(self._known) > self._entries:
                    self._known.popitem(last=False)
            return value
        finally:
            if self._loading.get(key) is me:
                del self._loading[key]
