"""Finds rows of a snapshot by a value in a column, for one request."""

from collections.abc import Collection, Sequence

from connectors.convert import text
from connectors.spec import Row
from gateway.cache.account_cache import AccountCache
from gateway.unified.block_cache import Value
from gateway.unified.blocks import column_of
from gateway.unified.snapshot_store import CollectionSnapshot, SnapshotStore

FEW_KEYS = 4
"""For up to this number of keys, a column is searched for each of them; for more, each value is looked up."""


class RowFinder:
    """Reads each column once. A list of one block is read whole, which takes one round trip instead of two."""

    def __init__(self, snapshots: SnapshotStore, cache: AccountCache) -> None:
        self._snapshots = snapshots
        self._cache = cache
        self._columns: dict[tuple[str, str], Sequence[Value]] = {}
        self._rows: dict[str, Sequence[Row]] = {}

    async def rows_with(
        self, snapshot: CollectionSnapshot, column: str, keys: Collection[str | int]
    ) -> Sequence[Row] | None:
        """Returns the rows that have one of the keys in a column, or None when some are no longer stored.

        A number is found by an equal one, too, such as 1.0 by 1.
        """
        values = await self.column(snapshot, column)
        return None if values is None else await self._take(snapshot, _places(values, keys))

    async def rows_with_text(
        self, snapshot: CollectionSnapshot, column: str, wanted: str, start: int
    ) -> tuple[Sequence[int], Sequence[Row]] | None:
        """Returns from row `start` on the rows whose text in a column is the wanted one, and their numbers.

        None when some are no longer stored.
        """
        values = await self.column(snapshot, column)
        if values is None:
            return None
        texts = (each if isinstance(each, str) else text(each) for each in values)
        numbers = [number for number, each in enumerate(texts) if each == wanted and number >= start]
        rows = await self._take(snapshot, numbers)
        return None if rows is None else (numbers, rows)

    async def column(self, snapshot: CollectionSnapshot, name: str) -> Sequence[Value] | None:
        """Returns a column of a list, or None when it is no longer stored. Read once for a request."""
        found = self._columns.get((snapshot.id, name))
        if found is None:
            if len(snapshot.spans) > 1:
                found = await self._snapshots.column(self._cache, snapshot, name)
            else:
                rows = await self._small(snapshot)
                found = None if rows is None else column_of(rows, name)
            if found is not None:
                self._columns[(snapshot.id, name)] = found
        return found

    async def _take(self, snapshot: CollectionSnapshot, numbers: Sequence[int]) -> Sequence[Row] | None:
        """Returns rows by their numbers, or None when some are no longer stored."""
        if len(snapshot.spans) > 1:
            return await self._snapshots.take(self._cache, snapshot, numbers)
        rows = await self._small(snapshot)
        return None if rows is None else [rows[number] for number in numbers]

    async def _small(self, snapshot: CollectionSnapshot) -> Sequence[Row] | None:
        """Returns all rows of a list of one block, or None when it is no longer stored. Read once for a request."""
        found = self._rows.get(snapshot.id)
        if found is None:
            found = await self._snapshots.rows(self._cache, snapshot, 0)
            if found is not None:
                self._rows[snapshot.id] = found
        return found


def _places(values: Sequence[Value], keys: Collection[str | int]) -> list[int]:
    """Returns the places of values that are among the keys."""
    if len(keys) > FEW_KEYS:
        return [place for place, value in enumerate(values) if value in keys]
    found: set[int] = set()
    for key in keys:
        place = -1
        for _ in range(values.count(key)):
            place = values.index(key, place + 1)
            found.add(place)
    return sorted(found)
