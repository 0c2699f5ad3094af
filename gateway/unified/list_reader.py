"""Reads lists for one answer: whole lists or slices, the continuation of a walk through pages, and joined lists."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from connectors.convert import text
from connectors.spec import Collection, Derived, Further, Join, Row
from gateway.cache.freshness import NO_DIRECTIVES, Times
from gateway.concurrency import together
from gateway.errors import Forbidden, GatewayError, NotImplementedHere
from gateway.unified.block_cache import Value
from gateway.unified.blocks import column_of
from gateway.unified.collections import Collections
from gateway.unified.context import ListContext
from gateway.unified.cursor import Cursor, SnapshotLost, mark
from gateway.unified.listing import Listing
from gateway.unified.mapping import JoinIndex, Refusal, index, key_values
from gateway.unified.snapshot_store import CollectionSnapshot
from gateway.unified.vendor_facts import lacks
from gateway.unified.withheld import not_offered, why_refused
from gateway.upstream.vendor import VendorRefusal

FEW = 3
"""For up to this number of records, joined rows are asked for record by record instead of reading the whole list."""


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through the pages of a list: its cursor, and the column that holds the ids of its records."""

    cursor: Cursor
    key: str

    def check(self, snapshot: CollectionSnapshot, before: Sequence[Row] | None) -> None:
        """Raises `SnapshotLost` unless the list has the same length and the same record before the cursor's position.

        `before` is the row before that position, if there is one.
        """
        here = mark(str(before[0].get(self.key))) if before else ""
        if snapshot.total != self.cursor.total or here != self.cursor.last:
            raise SnapshotLost


class ListReader:
    """Reads lists for one request, and collects what the answer says about them.

    `times` are those of all lists read so far: as old as the oldest, fresh until the first becomes stale. `used` are
    the resources of these lists. `failed` is the failure that an older snapshot replaces.
    """

    def __init__(self, collections: Collections, context: ListContext) -> None:
        self._collections = collections
        self._snapshots = collections.snapshots
        self._context = context
        self._times: Times | None = None
        self._opened: dict[tuple[Collection, str], CollectionSnapshot] = {}
        self._columns: dict[tuple[str, str], Sequence[Value]] = {}
        self._rows: dict[str, Sequence[Row]] = {}
        self._short: set[Join] = set()
        self.used: set[str] = set()
        self.failed: GatewayError | None = None

    @property
    def times(self) -> Times:
        """Returns the times of all lists read so far. Raises `LookupError` where nothing was read."""
        if self._times is None:
            raise LookupError("nothing has been read")
        return self._times

    async def open(self, listing: Listing, context: ListContext | None = None) -> CollectionSnapshot:
        """Returns a snapshot of a list. Raises what asking the vendor raises.

        Raises `Forbidden` where the vendor refuses the list to this token, and `NotImplementedHere` where it has no
        such list.
        """
        context = context or self._context
        if isinstance(listing.source, Collection):
            return await self._open_one(listing.source, listing.own_key, context)
        snapshots = await together(
            self._open_one(each, listing.own_key, context) for each in listing.source.collections
        )
        return await self._derive(listing, listing.source, snapshots)

    async def resume(self, listing: Listing, walk: Walk) -> CollectionSnapshot:
        """Returns the snapshot in which a walk continues. Raises `SnapshotLost` where it cannot.

        That is the snapshot of its cursor if it is still stored, else a newer one that has the same record at the
        position.
        """
        cursor = walk.cursor
        if isinstance(listing.source, Collection):
            own = await self._snapshots.find_by_id(self._context.cache, cursor.snapshot)
            if own and await self._snapshots.rows(self._context.cache, own, cursor.position - 1, cursor.position):
                return self._note_snapshot(own, listing.source)
        # A derived list has no stored snapshot of its own: it is computed again each time, since one of its parts may
        # have changed while another is still cached.
        snapshot, before = await self.rows(listing, await self.open(listing), cursor.position - 1, cursor.position)
        walk.check(snapshot, before)
        return snapshot

    async def rows(
        self,
        listing: Listing,
        snapshot: CollectionSnapshot,
        start: int,
        stop: int | None = None,
        *,
        walk: Walk | None = None,
    ) -> tuple[CollectionSnapshot, Sequence[Row]]:
        """Returns rows `start` to `stop` of a list (to the end without `stop`), and the snapshot that they are from.

        If rows of this snapshot were evicted, the list is read again, and the snapshot is a newer one. Raises
        `SnapshotLost` where `walk` cannot continue in that.
        """
        rows = await self._snapshots.rows(self._context.cache, snapshot, start, stop)
        if rows is not None:
            return snapshot, rows
        fresh = await self.open(listing, self._uncached)
        if walk:
            position = walk.cursor.position
            walk.check(fresh, await self._snapshots.rows(self._context.cache, fresh, position - 1, position))
        return fresh, await self._snapshots.rows(self._context.cache, fresh, start, stop) or ()

    async def prepare(self, joins: Sequence[Join]) -> None:
        """Opens the lists that `join` will read whole, before the records are known to which their rows belong."""
        await together(self._open_joined(join) for join in joins)

    async def join(
        self, joins: Sequence[Join], rows: Sequence[Row], deep: frozenset[Join] = frozenset(), *, few: bool
    ) -> Mapping[Join, JoinIndex]:
        """Returns the joined rows that belong to some records.

        They are read from whole lists, or for `few` records from lists of each of them, where a join can be narrowed. A
        `deep` join is about the rows of other joins; it is always read from whole lists.
        """
        shallow = [join for join in joins if join not in deep]
        read = await together(self._joined(join, rows, few=few) for join in shallow)
        found = dict(zip(shallow, read, strict=True))
        return {**found, **await self._join_deep(joins, deep, rows, found)}

    async def complete(
        self, joined: Mapping[Join, JoinIndex], rows: Sequence[Row], *, few: bool
    ) -> Mapping[Join, JoinIndex]:
        """Adds the rows of further lists to joins whose usual, shorter lists lack something for some of these records.

        For `few` records each one is asked for alone, where the join can be narrowed. A reading of the whole further
        list is remembered as a fact of the account, so that the next request reads that list at once.
        """
        found = dict(joined)
        for join in self._short:
            further = join.further
            if further is None or found[join].refusal:
                continue
            lacking = [row for row in rows if further.wanted(row, found[join].of(join, row), self._context.today)]
            if lacking and few and join.narrow is not None and len(lacking) <= FEW:
                narrow = await self._join_narrow(join, join.narrow, _keys(join, lacking))
                found[join] = narrow if narrow.refusal else JoinIndex({**found[join].by_key, **narrow.by_key})
            elif lacking:
                found[join] = await self._join_further(join, further, rows)
                await self._collections.facts.add(self._context, lacks(join))
        return found

    async def peek(self, collection: Collection) -> CollectionSnapshot | None:
        """Returns the snapshot of a whole list if it is cached and may be used now. Never asks the vendor."""
        return await self._collections.peek(self._context, collection)

    async def find(self, collection: Collection, column: str, value: str) -> Row | None:
        """Returns the row of a cached whole list with this value in a column.

        Returns None where there is none or the list is not cached: then the vendor has to be asked.
        """
        snapshot = await self.peek(collection)
        rows = await self._matching(snapshot, column, {value}) if snapshot else None
        if snapshot is None or not rows:
            return None
        self._note_snapshot(snapshot, collection)
        return rows[0]

    async def narrowed(
        self, snapshot: CollectionSnapshot, column: str, value: str, start: int
    ) -> tuple[Sequence[int], Sequence[Row]] | None:
        """Returns from row `start` on the rows of a list whose text in a column is a value, and their numbers.

        None where some are no longer stored.
        """
        values = await self._column(snapshot, column)
        if values is None:
            return None
        numbers = [
            number
            for number, each in enumerate(values)
            if (each == value or (not isinstance(each, str) and text(each) == value)) and number >= start
        ]
        rows = await self._take(snapshot, numbers)
        return None if rows is None else (numbers, rows)

    def note(self, resource: str, times: Times) -> None:
        """Adds a reading to those that the answer is made of."""
        self._times = times if self._times is None else self._times.joined(times)
        self.used.add(resource)

    def _note_snapshot(self, snapshot: CollectionSnapshot, collection: Collection) -> CollectionSnapshot:
        self.note(collection.resource, snapshot.times)
        self.failed = self.failed or snapshot.failed
        return snapshot

    @property
    def _uncached(self) -> ListContext:
        """Returns a context that ignores the cache: rows of a cached snapshot were evicted."""
        return replace(self._context, directives=replace(NO_DIRECTIVES, no_cache=True))

    async def _open_one(self, collection: Collection, own_key: str, context: ListContext) -> CollectionSnapshot:
        try:
            snapshot = await self._collections.open(context, collection, own_key)
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            name, said = self._context.session.connector.name, [refusal.provider]
            if refusal.status == 404:
                raise NotImplementedHere(not_offered(name, collection.path), provider_errors=said) from refusal
            raise Forbidden(why_refused(name, collection.path), provider_errors=said) from refusal
        self._opened[(collection, own_key)] = snapshot
        return self._note_snapshot(snapshot, collection)

    async def _derive(
        self, listing: Listing, derived: Derived, snapshots: Sequence[CollectionSnapshot]
    ) -> CollectionSnapshot:
        """Returns the snapshot of a derived list, computed from the snapshots of its parts."""
        lists = []
        for collection, snapshot in zip(derived.collections, snapshots, strict=True):
            _, rows = await self.rows(Listing(collection, listing.own_key), snapshot, 0)
            lists.append(rows)
        rows = derived.derive(lists)
        times = reduce(Times.joined, (snapshot.times for snapshot in snapshots))
        return CollectionSnapshot(snapshots[0].id, times, len(rows), rows=rows)

    async def _open_joined(self, join: Join) -> None:
        """Opens the lists of a join, as `_join_whole` reads them."""
        embedded = (join.embed.collection,) if join.embed else ()
        await together(self._open_optional(each) for each in (*await self._whole_lists(join), *embedded))

    async def _joined(self, join: Join, rows: Sequence[Row], *, few: bool) -> JoinIndex:
        """Returns the rows of one join, read in the way that costs the fewest calls."""
        keys = _keys(join, rows)
        if not few or join.narrow is None or len(keys) > FEW or await self._all_cached(join, keys):
            return await self._join_lists(join, await self._whole_lists(join), key_values(rows, join.on))
        if join.further and await self.peek(join.further.collection):
            return await self._join_further(join, join.further, rows)
        return await self._join_narrow(join, join.narrow, keys)

    async def _join_deep(
        self, joins: Sequence[Join], deep: frozenset[Join], rows: Sequence[Row], found: Mapping[Join, JoinIndex]
    ) -> Mapping[Join, JoinIndex]:
        """Returns the joins about the rows of other joins, for all keys that rows have which were read so far.

        Since one of them may be about the rows of another, they are read again until no row brings a further key.
        """
        read: dict[Join, JoinIndex] = {}
        asked: dict[Join, frozenset[str | int]] = {}
        while True:
            joined = [row for each in (*found.values(), *read.values()) for row in each.rows()]
            # Such a record may also be an object in a column of a joined row.
            within = [each for row in joined for each in row.values() if isinstance(each, dict)]
            known = [*rows, *joined, *within]
            wanted = {join: frozenset(key_values(known, *_names(join, joins))) for join in joins if join in deep}
            further = {join: keys for join, keys in wanted.items() if keys != asked.get(join)}
            if not further:
                return read
            asked |= further
            lists = [await self._whole_lists(join) for join in further]
            some = await together(
                self._join_lists(join, each, keys) for (join, keys), each in zip(further.items(), lists, strict=True)
            )
            read |= dict(zip(further, some, strict=True))

    async def _join_narrow(self, join: Join, narrow: Collection, keys: Sequence[str]) -> JoinIndex:
        lists = await together(self._rows_of(narrow, key) for key in keys)
        embedded = await self._rows_of(join.embed.collection) if join.embed else ()
        return _index(join, lists, embedded)

    async def _whole_lists(self, join: Join) -> Sequence[Collection]:
        """Returns the whole lists of a join, or its further list where those are known to lack rows."""
        if join.further is None or join in self._short:
            return join.collections
        if not await self._cached(join.collections) and (
            await self.peek(join.further.collection) or await self._collections.facts.has(self._context, lacks(join))
        ):
            return (join.further.collection,)
        self._short.add(join)
        return join.collections

    async def _join_further(self, join: Join, further: Further, rows: Sequence[Row]) -> JoinIndex:
        return await self._join_lists(join, (further.collection,), key_values(rows, join.on))

    async def _join_lists(self, join: Join, collections: Sequence[Collection], keys: Iterable[str | int]) -> JoinIndex:
        """Returns the rows of whole lists that have one of the keys; all of them where the join has no key."""
        by = None if join.key is None else (join.key, frozenset(keys))
        lists = await together(self._rows_of(each, by=by) for each in collections)
        embedded = await self._rows_of(join.embed.collection) if join.embed else ()
        return _index(join, lists, embedded)

    async def _cached(self, collections: Sequence[Collection]) -> list[CollectionSnapshot] | None:
        """Returns whole lists if all of them are cached and may be used."""
        snapshots = await together(self.peek(collection) for collection in collections)
        cached = [snapshot for snapshot in snapshots if snapshot]
        return cached if len(cached) == len(snapshots) else None

    async def _all_cached(self, join: Join, keys: Sequence[str]) -> bool:
        """Returns whether the whole lists of a join are cached and have a row for each of these records.

        If a record has none, the narrow list may still have one for it: a role that has ended, for example.
        """
        if join.key is None:
            return False
        missing = set(keys)
        snapshots = await self._cached(join.collections)
        for snapshot in snapshots or ():
            missing -= set(await self._column(snapshot, join.key) or ())
        return snapshots is not None and not missing

    async def _matching(
        self, snapshot: CollectionSnapshot, column: str, keys: Container[object]
    ) -> Sequence[Row] | None:
        """Returns the rows that have one of the keys in a column, or None when some are no longer stored."""
        values = await self._column(snapshot, column)
        if values is None:
            return None
        numbers = [number for number, value in enumerate(values) if value in keys]
        return await self._take(snapshot, numbers)

    async def _column(self, snapshot: CollectionSnapshot, name: str) -> Sequence[Value] | None:
        """Returns a column of a list, or None when it is no longer stored. Read once for a request."""
        found = self._columns.get((snapshot.id, name))
        if found is None:
            if len(snapshot.spans) > 1:
                found = await self._snapshots.column(self._context.cache, snapshot, name)
            else:
                rows = await self._small(snapshot)
                found = None if rows is None else column_of(rows, name)
            if found is not None:
                self._columns[(snapshot.id, name)] = found
        return found

    async def _take(self, snapshot: CollectionSnapshot, numbers: Sequence[int]) -> Sequence[Row] | None:
        """Returns rows by their numbers, or None when some are no longer stored."""
        if len(snapshot.spans) > 1:
            return await self._snapshots.take(self._context.cache, snapshot, numbers)
        rows = await self._small(snapshot)
        return None if rows is None else [rows[number] for number in numbers]

    async def _small(self, snapshot: CollectionSnapshot) -> Sequence[Row] | None:
        """Returns all rows of a list of one block, or None when it is no longer stored. Read once for a request."""
        found = self._rows.get(snapshot.id)
        if found is None:
            found = await self._snapshots.rows(self._context.cache, snapshot, 0)
            if found is not None:
                self._rows[snapshot.id] = found
        return found

    async def _open_optional(self, collection: Collection, key: str = "") -> CollectionSnapshot:
        snapshot = self._opened.get((collection, key))
        if snapshot is None:
            snapshot = await self._collections.open(self._context, collection, key, optional=True)
            self._opened[(collection, key)] = snapshot
        return snapshot

    async def _rows_of(
        self, collection: Collection, key: str = "", *, by: tuple[str, Container[object]] | None = None
    ) -> Sequence[Row] | Refusal:
        """Returns the rows of a list: all, or those with one of the keys in a column; or the refusal of the vendor."""
        snapshot = await self._open_optional(collection, key)
        rows = None if snapshot.refused else await self._some(snapshot, by)
        if rows is None and not snapshot.refused:
            snapshot = await self._collections.open(self._uncached, collection, key, optional=True)
            self._opened[(collection, key)] = snapshot
            rows = None if snapshot.refused else await self._some(snapshot, by) or ()
        self._note_snapshot(snapshot, collection)
        return Refusal(collection.path, snapshot.refused) if rows is None else rows

    async def _some(
        self, snapshot: CollectionSnapshot, by: tuple[str, Container[object]] | None
    ) -> Sequence[Row] | None:
        if by is None:
            return await self._snapshots.rows(self._context.cache, snapshot, 0)
        return await self._matching(snapshot, *by)


def _index(join: Join, lists: Sequence[Sequence[Row] | Refusal], embedded: Sequence[Row] | Refusal) -> JoinIndex:
    refusal = next((each for each in (*lists, embedded) if isinstance(each, Refusal)), None)
    if refusal is not None or isinstance(embedded, Refusal):
        return JoinIndex({}, refusal)
    return index(join, [row for rows in lists if not isinstance(rows, Refusal) for row in rows], embedded)


def _keys(join: Join, rows: Sequence[Row]) -> list[str]:
    """Returns the keys that some records are joined on and that may stand in a query, each once."""
    return [key for key in key_values(rows, join.on) if isinstance(key, str) and key]


def _names(join: Join, joins: Sequence[Join]) -> list[str]:
    """Returns the columns that hold the keys of a join: its own, and those that records lend to joined rows for it."""
    return [join.on, *(each.lends[join.on] for each in joins if join.on in each.lends)]
