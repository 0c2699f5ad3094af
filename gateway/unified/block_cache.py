"""Vendors' lists in the memory of one worker: compressed whole, and decoded as far as answers have needed them.

The id of a snapshot is a digest of its rows, so what is here is never wrong. The shared cache is still asked each time
whether the snapshot may be used.
"""

from collections.abc import Container, Sequence
from typing import Any, TypeAlias

from connectors.spec import Row
from gateway.cache.lru import AccountLru

DECODED = 4
"""A decoded row takes three to four times its bytes in JSON, measured with rows of a vendor."""
VALUE_BYTES = 90
"""Bytes that a value of a column takes, roughly."""

Value: TypeAlias = str | int | float | None
"""A value by which rows are looked up."""


class BlockCache:
    """Blocks, columns and decoded lists by account and snapshot, without those of `purged` accounts.

    Half of `max_bytes` is for compressed blocks and columns, which answer a look-up without Redis; a sixth is for the
    text of blocks that were opened last; a third for lists that are wanted whole and fit decoded.
    """

    def __init__(self, max_bytes: int, purged: Container[str] = ()) -> None:
        self._packed: AccountLru[bytes] = AccountLru(max_bytes // 4)
        self._columns: AccountLru[Sequence[Value]] = AccountLru(max_bytes // 4)
        self._opened: AccountLru[Sequence[Any]] = AccountLru(max_bytes // 6)
        self._decoded: AccountLru[Sequence[Row]] = AccountLru(max_bytes // 3)
        self._purged = purged

    def __contains__(self, account: object) -> bool:
        return any(account in each for each in self._parts)

    @property
    def weight(self) -> int:
        """Returns the bytes of memory that all of it takes."""
        return sum(each.bytes for each in self._parts)

    def packed(self, account: str, snapshot: str, number: int) -> bytes | None:
        """Returns a compressed block, or None."""
        return self._packed.get(account, f"{snapshot}:{number}")

    def put_packed(self, account: str, snapshot: str, number: int, block: bytes) -> None:
        """Stores a compressed block."""
        if account not in self._purged:
            self._packed.put(account, f"{snapshot}:{number}", block, len(block) + VALUE_BYTES)

    def opened(self, account: str, snapshot: str, number: int) -> Sequence[Any] | None:
        """Returns the rows of a block as JSON, or None."""
        return self._opened.get(account, f"{snapshot}:{number}")

    def put_opened(self, account: str, snapshot: str, number: int, rows: Sequence[Any], size: int) -> None:
        """Stores the rows of a block as JSON; `size` is the length of that."""
        if account not in self._purged:
            self._opened.put(account, f"{snapshot}:{number}", rows, size + len(rows) * VALUE_BYTES)

    def column(self, account: str, snapshot: str, name: str) -> Sequence[Value] | None:
        """Returns a column of a list, or None."""
        return self._columns.get(account, f"{snapshot}:{name}")

    def put_column(self, account: str, snapshot: str, name: str, values: Sequence[Value]) -> None:
        """Stores a column of a list."""
        if account not in self._purged:
            self._columns.put(account, f"{snapshot}:{name}", values, (len(values) + 1) * VALUE_BYTES)

    def decoded(self, account: str, snapshot: str) -> Sequence[Row] | None:
        """Returns all rows of a list, or None."""
        return self._decoded.get(account, snapshot)

    def put_decoded(self, account: str, snapshot: str, rows: Sequence[Row], size: int) -> None:
        """Stores all rows of a list that has `size` bytes in JSON."""
        if account not in self._purged:
            self._decoded.put(account, snapshot, rows, size * DECODED)

    def purge(self, account: str) -> None:
        """Removes all of an account.

        What is being read now is stored later all the same, unless the account is among the `purged` ones.
        """
        for each in self._parts:
            each.remove_account(account)

    @property
    def _parts(self) -> tuple[AccountLru[Any], ...]:
        return self._packed, self._columns, self._opened, self._decoded
