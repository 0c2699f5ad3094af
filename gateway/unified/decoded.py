"""Decoded lists in the memory of one worker, with their rows in order and by any column.

The id of a snapshot is a digest of its rows, so a stored list is never wrong. The shared cache is still asked each time
whether the snapshot may be used.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from connectors.spec import Join, Row
from gateway.cache.lru import AccountLru
from gateway.unified.mapping import JoinIndex, index

DECODED = 4
"""A decoded row takes three to four times its bytes in JSON, measured with rows of a vendor."""
_MOST_JOINED = 8
"""Results of joins that are remembered with one list."""


class DecodedList:
    """The rows of one snapshot."""

    __slots__ = ("_by", "_joined", "rows")

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._by: dict[str, Mapping[Any, Sequence[Row]]] = {}
        self._joined: dict[tuple[Any, ...], JoinIndex] = {}

    def by(self, column: str) -> Mapping[Any, Sequence[Row]]:
        """Returns the rows by their text in a column, without those that have no text there."""
        found = self._by.get(column)
        if found is None:
            arranged: dict[Any, list[Row]] = {}
            for row in self.rows:
                value = row.get(column)
                if isinstance(value, str):
                    arranged.setdefault(value, []).append(row)
            found = self._by[column] = arranged
        return found

    def joined(self, key: tuple[Any, ...], make: Callable[[], JoinIndex]) -> JoinIndex:
        """Returns what was made under this key before, or makes it."""
        found = self._joined.get(key)
        if found is None:
            if len(self._joined) >= _MOST_JOINED:
                self._joined.clear()
            found = self._joined[key] = make()
        return found


class DecodedListCache:
    """Decoded lists by account and snapshot, without those of `purged` accounts."""

    def __init__(self, max_bytes: int, purged: Container[str] = ()) -> None:
        self._lists: AccountLru[DecodedList] = AccountLru(max_bytes)
        self._purged = purged

    def __contains__(self, account: object) -> bool:
        return account in self._lists

    @property
    def bytes(self) -> int:
        """Returns the bytes of memory that the lists take."""
        return self._lists.bytes

    def get(self, account: str, snapshot: str) -> DecodedList | None:
        """Returns a decoded list, or None."""
        return self._lists.get(account, snapshot)

    def purge(self, account: str) -> None:
        """Removes an account's lists.

        A list that is being read now is stored later all the same, unless the account is among the `purged` ones.
        """
        self._lists.remove_account(account)

    def put(self, account: str, snapshot: str, rows: Sequence[Row], size: int) -> DecodedList:
        """Stores a list that has `size` bytes in JSON."""
        decoded = DecodedList(rows)
        if account not in self._purged:
            self._lists.put(account, snapshot, decoded, size * DECODED)
        return decoded


def join_lists(
    join: Join, lists: Sequence[tuple[str, DecodedList]], embedded: tuple[str, DecodedList] | None
) -> JoinIndex:
    """Returns the joined rows of lists, each with its snapshot's id. The result is remembered with the first list."""
    ids = (*(name for name, _ in lists), embedded[0] if embedded else "")

    def make() -> JoinIndex:
        return index(join, [row for _, each in lists for row in each.rows], embedded[1].rows if embedded else ())

    return lists[0][1].joined((join, *ids), make) if lists else make()
