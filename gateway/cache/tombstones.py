"""Tombstones of accounts that were unlinked a short while ago.

Requests that are under way when an account is unlinked still have it, and would store answers of it again. So each
process remembers for a while which accounts are unlinked, and stores nothing under their ids.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from gateway.model import Cache, Invalidation

REMEMBERED_SECONDS = 900.0
"""Far longer than a request may take."""


class Tombstones:
    """The ids of accounts that were unlinked within the last `seconds`."""

    def __init__(self, monotonic: Callable[[], float], seconds: float = REMEMBERED_SECONDS) -> None:
        self._monotonic = monotonic
        self._seconds = seconds
        self._until: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def __contains__(self, account_id: object) -> bool:
        return self._until.get(str(account_id), 0.0) > self._monotonic()

    def add(self, account_id: str) -> None:
        """Remembers an account from now on, and forgets those whose time is over."""
        now = self._monotonic()
        self._until = {each: until for each, until in self._until.items() if until > now}
        self._until[account_id] = now + self._seconds


class GuardedCache:
    """A `Cache` that stores nothing for accounts with a tombstone. Keys begin with the account's id in braces."""

    read: Callable[[Sequence[str]], Coroutine[Any, Any, Sequence[bytes | None]]]
    purge: Callable[[str], Coroutine[Any, Any, bool]]
    renew: Callable[[str, bytes, int], Coroutine[Any, Any, None]]
    release: Callable[[str, bytes], Coroutine[Any, Any, None]]
    publish: Callable[[Invalidation, str], Coroutine[Any, Any, None]]

    def __init__(self, cache: Cache, tombstones: Tombstones) -> None:
        self._cache = cache
        self._tombstones = tombstones
        # Not wrapped, since none of these stores a value, and every request reads.
        self.read = cache.read
        self.purge = cache.purge
        self.renew = cache.renew
        self.release = cache.release
        self.publish = cache.publish

    async def write(self, values: Mapping[str, bytes], seconds: int) -> bool:
        """Stores values for a number of seconds, unless their account has a tombstone. Returns whether it did."""
        return not self._gone(values) and await self._cache.write(values, seconds)

    async def claim(self, keys: Sequence[str], value: bytes, seconds: int) -> Sequence[bytes | None]:
        """Stores a value under each key that has none. Returns None for each key of an account with a tombstone."""
        return [None] * len(keys) if self._gone(keys) else await self._cache.claim(keys, value, seconds)

    async def replace(self, account_id: str, values: Mapping[str, bytes], seconds: int) -> bool:
        """Replaces generations, unless the account has a tombstone. Returns whether it did."""
        return account_id not in self._tombstones and await self._cache.replace(account_id, values, seconds)

    def _gone(self, keys: Iterable[str]) -> bool:
        return bool(self._tombstones) and any(key[1:].partition("}")[0] in self._tombstones for key in keys)
