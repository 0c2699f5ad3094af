"""The near-cache: answers in the memory of one worker, in plain bytes, few and for a short time.

What changes an account is heard over a channel that all workers share, and drops what is near of it. While that
channel cannot be heard, answers are believed for a shorter time only.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gateway.cache.account_lru import AccountLru
from gateway.cache.entry import CacheEntry

REMEMBERED_CHANGES = 10_000

ReadMark: TypeAlias = tuple[int, float]
"""How many changes had been heard of, and the monotonic time."""


@dataclass(frozen=True, slots=True)
class LocalCacheLimits:
    """Bytes held at most; seconds that an answer is believed, and seconds while the channel cannot be heard."""

    most_bytes: int
    seconds: float
    unheard_seconds: float


class LocalCache:
    """Holds answers by account and name. `heard` tells whether the channel works now."""

    def __init__(self, limits: LocalCacheLimits, monotonic: Callable[[], float], heard: Callable[[], bool]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._heard = heard
        self._held: AccountLru[tuple[float, CacheEntry]] = AccountLru(limits.most_bytes)
        self._changes: OrderedDict[str, int] = OrderedDict()
        self._count = 0
        self._floor = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def bytes(self) -> int:
        return self._held.bytes

    def get(self, account: str, name: str) -> CacheEntry | None:
        found = self._held.get(account, name)
        if found is None:
            return None
        age = self._monotonic() - found[0]
        if age >= self._limits.seconds or (age >= self._limits.unheard_seconds and not self._heard()):
            self._held.remove(account, name)
            return None
        return found[1]

    def moment(self) -> ReadMark:
        """Give the place in the order of changes and the time, to be noted before a shared value is read."""
        return self._count, self._monotonic()

    def put(self, account: str, name: str, kept: CacheEntry, moment: ReadMark) -> None:
        """Hold an answer, unless its account has changed since `moment`: it may be from before that.

        It is believed from that moment on, not from now: a change since then may have gone unheard.
        """
        count, began = moment
        if self._limits.most_bytes and self.changes(account) <= count:
            self._held.put(account, name, (began, kept), kept.weight)

    def drop(self, account: str) -> None:
        """Forget an account, also what is being read of it now."""
        self._count += 1
        self._changes[account] = self._count
        self._changes.move_to_end(account)
        if len(self._changes) > REMEMBERED_CHANGES:
            self._floor = self._changes.popitem(last=False)[1]
        self._held.drop(account)

    def clear(self) -> None:
        """Forget everything: changes may have gone unheard."""
        self._count += 1
        self._floor = self._count
        self._changes.clear()
        self._held.clear()

    def changes(self, account: str) -> int:
        """Give a number that grows with each change of an account that is heard of."""
        return self._changes.get(account, self._floor)
