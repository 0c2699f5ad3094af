"""Values in the memory of one worker, by account and name, bounded in bytes."""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class AccountLru(Generic[V]):
    """Beyond `most_bytes` the least recently used goes first; a value heavier than that is not held at all."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._values: OrderedDict[tuple[str, str], tuple[V, int]] = OrderedDict()
        self._names: dict[str, set[str]] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, account: object) -> bool:
        """Tell whether anything of an account is held."""
        return account in self._names

    def get(self, account: str, name: str) -> V | None:
        found = self._values.get((account, name))
        if found is None:
            return None
        self._values.move_to_end((account, name))
        return found[0]

    def put(self, account: str, name: str, value: V, weight: int) -> None:
        self.remove(account, name)
        if weight > self._most_bytes:
            return
        self._values[account, name] = (value, weight)
        self._names.setdefault(account, set()).add(name)
        self.bytes += weight
        while self.bytes > self._most_bytes:
            self.remove(*next(iter(self._values)))

    def remove(self, account: str, name: str) -> None:
        found = self._values.pop((account, name), None)
        if found is None:
            return
        self.bytes -= found[1]
        names = self._names[account]
        names.discard(name)
        if not names:
            del self._names[account]

    def drop(self, account: str) -> None:
        for name in tuple(self._names.get(account, ())):
            self.remove(account, name)

    def clear(self) -> None:
        self._values.clear()
        self._names.clear()
        self.bytes = 0
