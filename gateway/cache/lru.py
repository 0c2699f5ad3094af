"""Maps of limited size that evict the least recently used entry first (LRU)."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lru(Generic[K, V]):
    """A map with a maximum number of entries.

    Keys should be small: use a digest where callers choose their content.
    """

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._values: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """Returns a value and marks it as used, or returns None."""
        found = self._values.get(key)
        if found is not None:
            self._values.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        """Stores a value, and evicts the least recently used ones above the maximum."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._max_entries:
            self._values.popitem(last=False)


class AccountLru(Generic[V]):
    """A map from account and name to values, with a maximum number of bytes.

    A value that is larger than the maximum is not stored.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._values: OrderedDict[tuple[str, str], tuple[V, int]] = OrderedDict()
        self._names: dict[str, set[str]] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, account: object) -> bool:
        """Returns whether anything of an account is stored."""
        return account in self._names

    def get(self, account: str, name: str) -> V | None:
        """Returns a value and marks it as used, or returns None."""
        found = self._values.get((account, name))
        if found is None:
            return None
        self._values.move_to_end((account, name))
        return found[0]

    def put(self, account: str, name: str, value: V, weight: int) -> None:
        """Stores a value that takes `weight` bytes, and evicts the least recently used ones above the maximum."""
        self.remove(account, name)
        if weight > self._max_bytes:
            return
        self._values[account, name] = (value, weight)
        self._names.setdefault(account, set()).add(name)
        self.bytes += weight
        while self.bytes > self._max_bytes:
            self.remove(*next(iter(self._values)))

    def remove(self, account: str, name: str) -> None:
        """Removes a value if there is one."""
        found = self._values.pop((account, name), None)
        if found is None:
            return
        self.bytes -= found[1]
        names = self._names[account]
        names.discard(name)
        if not names:
            del self._names[account]

    def remove_account(self, account: str) -> None:
        """Removes all values of an account."""
        for name in tuple(self._names.get(account, ())):
            self.remove(account, name)

    def clear(self) -> None:
        """Removes all values."""
        self._values.clear()
        self._names.clear()
        self.bytes = 0
