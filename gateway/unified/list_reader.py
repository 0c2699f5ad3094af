"""Reads lists for one answer: whole lists or slices, the continuation of a walk through pages, and joined lists."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import reduce

from connectors.spec import Collection, Derived, Row
from gateway.cache.freshness import NO_DIRECTIVES, Times
from gateway.concurrency import together
from gateway.errors import Forbidden, GatewayError, NotImplementedHere
from gateway.unified.collections import Collections
from gateway.unified.context import ListContext
from gateway.unified.cursor import Cursor, SnapshotLost, mark
from gateway.unified.listing import Listing
from gateway.unified.mapping import Refusal
from gateway.unified.row_finder import RowFinder
from gateway.unified.snapshot_store import CollectionSnapshot
from gateway.unified.withheld import not_offered, why_refused
from gateway.upstream.vendor import VendorRefusal


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
        self.finder = RowFinder(collections.snapshots, context.cache)
        self._context = context
        self._times: Times | None = None
        self._opened: dict[tuple[Collection, str], CollectionSnapshot] = {}
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
                return self.note_snapshot(own, listing.source)
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
        fresh = await self.open(listing, self.uncached)
        if walk:
            position = walk.cursor.position
            walk.check(fresh, await self._snapshots.rows(self._context.cache, fresh, position - 1, position))
        return fresh, await self._snapshots.rows(self._context.cache, fresh, start, stop) or ()

    async def peek(self, collection: Collection) -> CollectionSnapshot | None:
        """Returns the snapshot of a whole list if it is cached and may be used now. Never asks the vendor."""
        return await self._collections.peek(self._context, collection)

    async def find(self, collection: Collection, column: str, value: str) -> Row | None:
        """Returns the row of a cached whole list with this value in a column.

        Returns None where there is none or the list is not cached: then the vendor has to be asked.
        """
        snapshot = await self.peek(collection)
        rows = await self.finder.rows_with(snapshot, column, [value]) if snapshot else None
        if snapshot is None or not rows:
            return None
        self.note_snapshot(snapshot, collection)
        return rows[0]

    async def open_optional(self, collection: Collection, key: str = "") -> CollectionSnapshot:
        """Returns a snapshot of a list, once for the request; a `refused` one where the vendor refuses it."""
        snapshot = self._opened.get((collection, key))
        if snapshot is None:
            snapshot = await self._collections.open(self._context, collection, key, optional=True)
            self._opened[(collection, key)] = snapshot
        return snapshot

    async def rows_of(
        self, collection: Collection, key: str = "", *, by: tuple[str, AbstractSet[str | int]] | None = None
    ) -> Sequence[Row] | Refusal:
        """Returns the rows of a list: all, or those with one of the keys in a column; or the refusal of the vendor."""
        snapshot = await self.open_optional(collection, key)
        rows = None if snapshot.refused else await self._some(snapshot, by)
        if rows is None and not snapshot.refused:
            snapshot = await self._collections.open(self.uncached, collection, key, optional=True)
            self._opened[(collection, key)] = snapshot
            rows = None if snapshot.refused else await self._some(snapshot, by) or ()
        self.note_snapshot(snapshot, collection)
        return Refusal(collection.path, snapshot.refused) if rows is None else rows

    def note(self, resource: str, times: Times) -> None:
        """Adds a reading to those that the answer is made of."""
        self._times = times if self._times is None else self._times.joined(times)
        self.used.add(resource)

    def note_snapshot(self, snapshot: CollectionSnapshot, collection: Collection) -> CollectionSnapshot:
        """Adds a snapshot to the readings that the answer is made of, and returns it."""
        self.note(collection.resource, snapshot.times)
        self.failed = self.failed or snapshot.failed
        return snapshot

    @property
    def uncached(self) -> ListContext:
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
        return self.note_snapshot(snapshot, collection)

    async def _some(
        self, snapshot: CollectionSnapshot, by: tuple[str, AbstractSet[str | int]] | None
    ) -> Sequence[Row] | None:
        if by is None:
            return await self._snapshots.rows(self._context.cache, snapshot, 0)
        return await self.finder.rows_with(snapshot, *by)

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
