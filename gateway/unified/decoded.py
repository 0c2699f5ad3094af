"""Lists in the memory of one worker, decoded, with their rows in order and by any column.

The id of a sweep is a digest of its rows, so what is held under one never grows wrong; whether the sweep may be used
is asked of the shared cache each time.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from connectors.spec import Join, Row
from gateway.cache.account_lru import AccountLru
from gateway.unified.mapping import Joined, index

DECODED = 4
"""A decoded row takes three to four times its bytes in JSON; measured with rows of the vendor's."""
_MOST_JOINED = 8


class DecodedList:
    """The rows of one sweep."""

    __slots__ = ("_by", "_joined", "rows")

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._by: dict[str, Mapping[Any, Sequence[Row]]] = {}
        self._joined: dict[tuple[Any, ...], Joined] = {}

    def by(self, column: str) -> Mapping[Any, Sequence[Row]]:
        """Give the rows by their text in a column; those without one belong to nobody."""
        found = self._by.get(column)
        if found is None:
            arranged: dict[Any, list[Row]] = {}
            for row in self.rows:
                value = row.get(column)
                if isinstance(value, str):
                    arranged.setdefault(value, []).append(row)
            found = self._by[column] = arranged
        return found

    def joined(self, key: tuple[Any, ...], make: Callable[[], Joined]) -> Joined:
        """Give what was made under this key before, or make it."""
        found = self._joined.get(key)
        if found is None:
            if len(self._joined) >= _MOST_JOINED:
                self._joined.clear()
            found = self._joined[key] = make()
        return found


class DecodedListCache:
    """The lists that a worker has open, by account and sweep; none of accounts that are `closed`."""

    def __init__(self, most_bytes: int, closed: Container[str] = ()) -> None:
        self._held: AccountLru[DecodedList] = AccountLru(most_bytes)
        self._closed = closed

    @property
    def bytes(self) -> int:
        return self._held.bytes

    def get(self, account: str, sweep: str) -> DecodedList | None:
        return self._held.get(account, sweep)

    def drop(self, account: str) -> None:
        """Forget an account. What is still being read of it is held, unless it is closed."""
        self._held.drop(account)

    def put(self, account: str, sweep: str, rows: Sequence[Row], size: int) -> DecodedList:
        """Open a list that has `size` bytes in JSON."""
        opened = DecodedList(rows)
        if account not in self._closed:
            self._held.put(account, sweep, opened, size * DECODED)
        return opened


def join_lists(
    join: Join, lists: Sequence[tuple[str, DecodedList]], embedded: tuple[str, DecodedList] | None
) -> Joined:
    """Arrange the rows of lists, each with its sweep's id, and remember it with the first of them."""
    ids = (*(name for name, _ in lists), embedded[0] if embedded else "")

    def make() -> Joined:
        return index(join, [row for _, each in lists for row in each.rows], embedded[1].rows if embedded else ())

    return lists[0][1].joined((join, *ids), make) if lists else make()
