"""A bounded memory of look-ups, for one process and a short time. Concurrent ones of one key share a load."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Remembers what a load gave for `seconds`; beyond `entries` the least recently used is forgotten."""

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
        # One caller that gives up must not take the answer from the others.
        return await asyncio.shield(task)

    def peek(self, key: K) -> V | None:
        """Give what is remembered now, and ask nobody."""
        known = self._known.get(key)
        return known[1] if known is not None and self._monotonic() < known[0] else None

    def drop(self, key: K) -> None:
        """Forget a key. A load of it that is under way is not remembered either: it may have read the old."""
        self._known.pop(key, None)
        self._loading.pop(key, None)

    def drop_where(self, wanted: Callable[[V], bool]) -> None:
        """Forget values, and what is being loaded, as it cannot be told what that will be."""
        for key in [key for key, (_, value) in self._known.items() if wanted(value)]:
            del self._known[key]
        self._loading.clear()

    async def _load(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        me = asyncio.current_task()
        # The age counts from the question, not the answer: what changes in between must not be seen later.
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
