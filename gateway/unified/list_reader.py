"""Reads lists for one answer: whole lists or slices, the continuation of a walk through pages, and joined lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from connectors.spec import Collection, Derived, Further, Join, Row
from gateway.cache.freshness import NO_DIRECTIVES, Times
from gateway.concurrency import together
from gateway.errors import Forbidden, GatewayError, NotImplementedHere
from gateway.unified.collections import Collections
from gateway.unified.context import ListContext
from gateway.unified.cursor import Cursor, SnapshotLost, mark
from gateway.unified.decoded import DecodedList, join_lists
from gateway.unified.listing import Listing
from gateway.unified.mapping import JoinIndex, Refusal, index
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

    async def join(
        self, joins: Sequence[Join], only: Sequence[Row] | None, deep: frozenset[Join] = frozenset()
    ) -> Mapping[Join, JoinIndex]:
        """Returns the rows of the joined lists.

        They are read whole, or for the records of `only` alone where these are few and the join can be narrowed. A
        `deep` join is about the rows of another join, which are not read yet, so it is always read whole.
        """
        found = await together(self._joined(join, None if join in deep else only) for join in joins)
        return dict(zip(joins, found, strict=True))

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
                found[join] = await self._join_further(join, further)
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
        decoded = await self._snapshots.decoded(self._context.cache, snapshot) if snapshot else None
        if snapshot is None or decoded is None:
            return None
        rows = decoded.by(column).get(value)
        if rows:
            self._note_snapshot(snapshot, collection)
        return rows[0] if rows else None

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

    async def _joined(self, join: Join, only: Sequence[Row] | None) -> JoinIndex:
        """Returns the rows of one join, read in the way that costs the fewest calls."""
        keys = None if only is None else _keys(join, only)
        if keys is None or join.narrow is None or len(keys) > FEW or await self._all_cached(join, keys):
            return await self._join_whole(join)
        if join.further and await self.peek(join.further.collection):
            return await self._join_further(join, join.further)
        return await self._join_narrow(join, join.narrow, keys)

    async def _join_narrow(self, join: Join, narrow: Collection, keys: Sequence[str]) -> JoinIndex:
        lists = await together(self._whole(narrow, key) for key in keys)
        embedded = await self._whole(join.embed.collection) if join.embed else None
        refusal = _first_refusal([*lists, *([embedded] if embedded else [])])
        if refusal:
            return JoinIndex({}, refusal)
        rows = [row for _, decoded in lists if not isinstance(decoded, Refusal) for row in decoded.rows]
        return index(join, rows, embedded[1].rows if embedded and not isinstance(embedded[1], Refusal) else ())

    async def _join_whole(self, join: Join) -> JoinIndex:
        """Returns a join made of its whole lists, or of its further list where those are known to lack rows."""
        if join.further is None:
            return await self._join_lists(join, join.collections)
        if not await self._cached(join.collections) and (
            await self.peek(join.further.collection) or await self._collections.facts.has(self._context, lacks(join))
        ):
            return await self._join_further(join, join.further)
        self._short.add(join)
        return await self._join_lists(join, join.collections)

    async def _join_further(self, join: Join, further: Further) -> JoinIndex:
        return await self._join_lists(join, (further.collection,))

    async def _join_lists(self, join: Join, collections: Sequence[Collection]) -> JoinIndex:
        further = [join.embed.collection] if join.embed else []
        lists = await together(self._whole(collection) for collection in (*collections, *further))
        refusal = _first_refusal(lists)
        if refusal:
            return JoinIndex({}, refusal)
        known = [(name, decoded) for name, decoded in lists if not isinstance(decoded, Refusal)]
        return join_lists(join, known[: len(collections)], known[-1] if join.embed else None)

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
        lists = [
            await self._snapshots.decoded(self._context.cache, snapshot)
            for snapshot in await self._cached(join.collections) or ()
        ]
        arranged = [decoded.by(join.key) for decoded in lists if decoded]
        return len(arranged) == len(join.collections) and all(any(key in rows for rows in arranged) for key in keys)

    async def _whole(self, collection: Collection, key: str = "") -> tuple[str, DecodedList | Refusal]:
        """Returns the id of a snapshot with all its rows, or with the refusal of the vendor."""
        snapshot = self._opened.get((collection, key))
        if snapshot is None:
            snapshot = await self._collections.open(self._context, collection, key, optional=True)
        decoded = None if snapshot.refused else await self._snapshots.decoded(self._context.cache, snapshot)
        if decoded is None and not snapshot.refused:
            snapshot = await self._collections.open(self._uncached, collection, key, optional=True)
            decoded = None if snapshot.refused else DecodedList(snapshot.rows or ())
        self._note_snapshot(snapshot, collection)
        return snapshot.id, decoded or Refusal(collection.path, snapshot.refused)


def _first_refusal(lists: Sequence[tuple[str, DecodedList | Refusal]]) -> Refusal | None:
    return next((decoded for _, decoded in lists if isinstance(decoded, Refusal)), None)


def _keys(join: Join, rows: Sequence[Row]) -> list[str]:
    """Returns the keys that some records are joined on, each once."""
    return list(dict.fromkeys(key for row in rows if isinstance(key := row.get(join.on), str) and key))
