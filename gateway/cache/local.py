"""The local cache: a few answers in the memory of one worker, in plain bytes and for a short time.

Workers announce changes of accounts over a pub/sub channel, and each of them removes its answers of such an account.
While the channel is down, answers are used for a shorter time only.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from gateway.cache.entry import CacheEntry
from gateway.cache.lru import AccountLru

REMEMBERED_INVALIDATIONS = 10_000
"""The number of accounts whose last invalidation is remembered."""

ReadPoint: TypeAlias = tuple[int, float]
"""The number of invalidations received so far and the monotonic time, taken before the shared cache is read."""


class LocalCache:
    """Answers by account and name. It needs no lock, since no method awaits."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        is_subscribed: Callable[[], bool],
        *,
        max_bytes: int,
        seconds: float,
        unsubscribed_seconds: float,
    ) -> None:
        """An answer is used for `seconds`, or for `unsubscribed_seconds` while `is_subscribed` returns False."""
        self._monotonic = monotonic
        self._is_subscribed = is_subscribed
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._unsubscribed_seconds = unsubscribed_seconds
        self._entries: AccountLru[tuple[float, CacheEntry]] = AccountLru(max_bytes)
        self._invalidations: OrderedDict[str, int] = OrderedDict()
        self._count = 0
        self._floor = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, account: object) -> bool:
        return account in self._entries

    @property
    def bytes(self) -> int:
        """Returns the bytes of memory that the answers take."""
        return self._entries.bytes

    def get(self, account: str, name: str) -> CacheEntry | None:
        """Returns a stored answer, or None where there is none or its time is over."""
        found = self._entries.get(account, name)
        if found is None:
            return None
        age = self._monotonic() - found[0]
        if age >= self._seconds or (age >= self._unsubscribed_seconds and not self._is_subscribed()):
            self._entries.remove(account, name)
            return None
        return found[1]

    def read_point(self) -> ReadPoint:
        """Returns the point in time to hand to `put`. Take it before the shared cache or the vendor is read."""
        return self._count, self._monotonic()

    def put(self, account: str, name: str, entry: CacheEntry, point: ReadPoint) -> None:
        """Stores an answer, unless its account was invalidated after `point`, since it may be older than that change.

        Its time begins at `point` and not now: a change since then may have been missed.
        """
        count, began = point
        if self._max_bytes and self.invalidations(account) <= count:
            self._entries.put(account, name, (began, entry), entry.weight)

    def invalidate(self, account: str) -> None:
        """Removes an account's answers. Those that are being read now will not be stored either."""
        self._count += 1
        self._invalidations[account] = self._count
        self._invalidations.move_to_end(account)
        if len(self._invalidations) > REMEMBERED_INVALIDATIONS:
            # Accounts that are no longer listed count as invalidated when this one was: an answer is dropped without
            # need rather than stored by mistake.
            self._floor = self._invalidations.popitem(last=False)[1]
        self._entries.remove_account(account)

    def clear(self) -> None:
        """Removes all answers. Called where invalidations may have been missed."""
        self._count += 1
        self._floor = self._count
        self._invalidations.clear()
        self._entries.clear()

    def invalidations(self, account: str) -> int:
        """Returns a number that grows with each invalidation of an account."""
        return self._invalidations.get(account, self._floor)
