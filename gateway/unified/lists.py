"""Lists as a read wants them: opened fresh or gone on with where a walk has left them; kept and derived ones alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from connectors.spec import Collection, Derived, Further, Join, Row
from gateway.cache.freshness import NO_DIRECTIVES, Times
from gateway.concurrency import together
from gateway.errors import Forbidden, GatewayError, NotImplementedHere
from gateway.unified.collections import Collections, CollectionSnapshot, ReadContext
from gateway.unified.cursor import Cursor, WalkLost, mark
from gateway.unified.decoded import DecodedList, join_lists
from gateway.unified.mapping import Joined, Refusal, index
from gateway.unified.withheld import not_offered, why_refused
from gateway.upstream.vendor import VendorRefusal

FEW = 3
"""Up to so many records, joined lists are asked for each record alone instead of whole."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list to read: where it comes from, and the key of the one record that it is about, if it is."""

    source: Collection | Derived
    own_key: str = ""

    @property
    def first(self) -> Collection:
        return self.source.collections[0] if isinstance(self.source, Derived) else self.source


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk has come to, in a list whose records have their id in the column `key`."""

    place: Cursor
    key: str

    def must_go_on(self, sweep: CollectionSnapshot, before: Sequence[Row] | None) -> None:
        """Raise `WalkLost` unless a list is as long as it was and has the same record before the place."""
        here = mark(str(before[0].get(self.key))) if before else ""
        if sweep.total != self.place.total or here != self.place.last:
            raise WalkLost


class Lists:
    """Opens lists for one request, and remembers how old the oldest part of it was and until when all is fresh.

    `used` are the resources that it has read, and `failed` the failure that an older reading stands in for.
    """

    def __init__(self, sweeps: Collections, reading: ReadContext) -> None:
        self._sweeps = sweeps
        self._reading = reading
        self._times: Times | None = None
        self._had: dict[tuple[Collection, str], CollectionSnapshot] = {}
        self._short: set[Join] = set()
        self.used: set[str] = set()
        self.failed: GatewayError | None = None

    @property
    def times(self) -> Times:
        """Give the times of what was read so far, of which there must be something."""
        if self._times is None:
            raise LookupError("nothing has been read")
        return self._times

    async def open(self, listing: Listing, reading: ReadContext | None = None) -> CollectionSnapshot:
        """Open a list. Raises `Forbidden` where the vendor refuses it, `NotImplementedHere` where it has none such.

        And what asking raises.
        """
        reading = reading or self._reading
        if isinstance(listing.source, Collection):
            return await self._open_one(listing.source, listing.own_key, reading)
        sweeps = await together(self._open_one(each, listing.own_key, reading) for each in listing.source.collections)
        return await self._derive(listing, listing.source, sweeps)

    async def resume(self, listing: Listing, walk: Walk) -> CollectionSnapshot:
        """Go on with a walk: in its own reading, or in a new one if that still has the same record at the place.

        Raises `WalkLost` where neither can be had.
        """
        place = walk.place
        if isinstance(listing.source, Collection):
            kept = await self._sweeps.reopen(self._reading.account_cache, place.sweep)
            if kept and await self._sweeps.rows(self._reading.account_cache, kept, place.position - 1, place.position):
                return self._noted(kept, listing.source)
        # A derived list is made anew each time: one of its parts may have changed though another is kept.
        sweep, before = await self.rows(listing, await self.open(listing), place.position - 1, place.position)
        walk.must_go_on(sweep, before)
        return sweep

    async def rows(
        self,
        listing: Listing,
        sweep: CollectionSnapshot,
        start: int,
        stop: int | None = None,
        *,
        walk: Walk | None = None,
    ) -> tuple[CollectionSnapshot, Sequence[Row]]:
        """Give rows of a list, to the end without a `stop`, and the sweep that they are of.

        That is another sweep where rows were evicted while others, or their head, were not; raises `WalkLost` where
        a walk cannot go on in that.
        """
        rows = await self._sweeps.rows(self._reading.account_cache, sweep, start, stop)
        if rows is not None:
            return sweep, rows
        fresh = await self.open(listing, self._anew)
        if walk:
            position = walk.place.position
            walk.must_go_on(fresh, await self._sweeps.rows(self._reading.account_cache, fresh, position - 1, position))
        return fresh, await self._sweeps.rows(self._reading.account_cache, fresh, start, stop) or ()

    async def join(
        self, joins: Sequence[Join], only: Sequence[Row] | None, deep: frozenset[Join] = frozenset()
    ) -> Mapping[Join, Joined]:
        """Read the joined lists: whole, or for a few records alone where the join can be narrowed.

        A `deep` join is about rows that are not in hand yet, so it is always read whole.
        """
        found = await together(self._joined(join, None if join in deep else only) for join in joins)
        return dict(zip(joins, found, strict=True))

    async def complete(self, joined: Mapping[Join, Joined], rows: Sequence[Row], *, few: bool) -> Mapping[Join, Joined]:
        """Read the further list of each join whose short ones do not do for some of these records.

        Of `few` records each is asked for alone, where the join can be narrowed.
        """
        found = dict(joined)
        for join in self._short:
            further = join.further
            if further is None or found[join].refusal:
                continue
            lacking = [row for row in rows if further.wanted(row, found[join].of(join, row), self._reading.today)]
            if lacking and few and join.narrow is not None and len(lacking) <= FEW:
                narrow = await self._join_narrow(join, join.narrow, _keys(join, lacking))
                found[join] = narrow if narrow.refusal else Joined({**found[join].by_key, **narrow.by_key})
            elif lacking:
                found[join] = await self._join_further(join, further)
                await self._sweeps.learn(self._reading, _lacks(join))
        return found

    async def peek(self, collection: Collection) -> CollectionSnapshot | None:
        """Give a whole list if it is kept and may be used; the vendor is not asked for it."""
        return await self._sweeps.peek(self._reading, collection)

    async def find(self, collection: Collection, column: str, value: str) -> Row | None:
        """Give a row of a whole list that is kept, or None where it is not: then the vendor is to be asked."""
        sweep = await self.peek(collection)
        opened = await self._sweeps.opened(self._reading.account_cache, sweep) if sweep else None
        if sweep is None or opened is None:
            return None
        rows = opened.by(column).get(value)
        if rows:
            self._noted(sweep, collection)
        return rows[0] if rows else None

    def note(self, resource: str, times: Times) -> None:
        """Take note of a reading that the answer is made from."""
        self._times = times if self._times is None else self._times.joined(times)
        self.used.add(resource)

    def _noted(self, sweep: CollectionSnapshot, collection: Collection) -> CollectionSnapshot:
        self.note(collection.resource, sweep.times)
        self.failed = self.failed or sweep.failed
        return sweep

    @property
    def _anew(self) -> ReadContext:
        return replace(self._reading, directives=replace(NO_DIRECTIVES, no_cache=True))

    async def _open_one(self, collection: Collection, own_key: str, reading: ReadContext) -> CollectionSnapshot:
        try:
            sweep = await self._sweeps.open(reading, collection, own_key)
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            name, said = self._reading.session.connector.name, [refusal.provider]
            if refusal.status == 404:
                raise NotImplementedHere(not_offered(name, collection.path), provider_errors=said) from refusal
            raise Forbidden(why_refused(name, collection.path), provider_errors=said) from refusal
        self._had[(collection, own_key)] = sweep
        return self._noted(sweep, collection)

    async def _derive(
        self, listing: Listing, derived: Derived, sweeps: Sequence[CollectionSnapshot]
    ) -> CollectionSnapshot:
        lists = []
        for collection, sweep in zip(derived.collections, sweeps, strict=True):
            _, rows = await self.rows(Listing(collection, listing.own_key), sweep, 0)
            lists.append(rows)
        rows = derived.derive(lists)
        times = reduce(Times.joined, (sweep.times for sweep in sweeps))
        return CollectionSnapshot(sweeps[0].id, times, len(rows), rows=rows)

    async def _joined(self, join: Join, only: Sequence[Row] | None) -> Joined:
        keys = None if only is None else _keys(join, only)
        if keys is None or join.narrow is None or len(keys) > FEW or await self._all_kept(join, keys):
            return await self._join_whole(join)
        if join.further and await self.peek(join.further.collection):
            return await self._join_further(join, join.further)
        return await self._join_narrow(join, join.narrow, keys)

    async def _join_narrow(self, join: Join, narrow: Collection, keys: Sequence[str]) -> Joined:
        lists = await together(self._whole(narrow, key) for key in keys)
        embedded = await self._whole(join.embed.collection) if join.embed else None
        refusal = _first_refusal([*lists, *([embedded] if embedded else [])])
        if refusal:
            return Joined({}, refusal)
        rows = [row for _, opened in lists if not isinstance(opened, Refusal) for row in opened.rows]
        return index(join, rows, embedded[1].rows if embedded and not isinstance(embedded[1], Refusal) else ())

    async def _join_whole(self, join: Join) -> Joined:
        if join.further is None:
            return await self._join_lists(join, join.collections)
        if not await self._kept(join.collections) and (
            await self.peek(join.further.collection) or await self._sweeps.has_learned(self._reading, _lacks(join))
        ):
            return await self._join_further(join, join.further)
        self._short.add(join)
        return await self._join_lists(join, join.collections)

    async def _join_further(self, join: Join, further: Further) -> Joined:
        return await self._join_lists(join, (further.collection,))

    async def _join_lists(self, join: Join, collections: Sequence[Collection]) -> Joined:
        further = [join.embed.collection] if join.embed else []
        lists = await together(self._whole(collection) for collection in (*collections, *further))
        refusal = _first_refusal(lists)
        if refusal:
            return Joined({}, refusal)
        known = [(name, opened) for name, opened in lists if not isinstance(opened, Refusal)]
        return join_lists(join, known[: len(collections)], known[-1] if join.embed else None)

    async def _kept(self, collections: Sequence[Collection]) -> list[CollectionSnapshot] | None:
        """Give whole lists if all of them are kept and may be used."""
        sweeps = await together(self.peek(collection) for collection in collections)
        kept = [sweep for sweep in sweeps if sweep]
        return kept if len(kept) == len(sweeps) else None

    async def _all_kept(self, join: Join, keys: Sequence[str]) -> bool:
        """Tell whether the whole lists of a join are kept and say something of each of these records.

        Of one that they say nothing of, the narrow list may know more: roles that have ended, for one.
        """
        if join.key is None:
            return False
        lists = [
            await self._sweeps.opened(self._reading.account_cache, sweep)
            for sweep in await self._kept(join.collections) or ()
        ]
        arranged = [opened.by(join.key) for opened in lists if opened]
        return len(arranged) == len(join.collections) and all(any(key in rows for rows in arranged) for key in keys)

    async def _whole(self, collection: Collection, key: str = "") -> tuple[str, DecodedList | Refusal]:
        """Give all rows of a joined list with its sweep's id, or that the vendor refuses it."""
        account_cache = self._reading.account_cache
        sweep = self._had.get((collection, key))
        if sweep is None:
            sweep = await self._sweeps.open(self._reading, collection, key, optional=True)
        opened = None if sweep.refused else await self._sweeps.opened(account_cache, sweep)
        if opened is None and not sweep.refused:
            sweep = await self._sweeps.open(self._anew, collection, key, optional=True)
            opened = None if sweep.refused else DecodedList(sweep.rows or ())
        self._noted(sweep, collection)
        return sweep.id, opened or Refusal(collection.path, sweep.refused)


def _first_refusal(lists: Sequence[tuple[str, DecodedList | Refusal]]) -> Refusal | None:
    return next((opened for _, opened in lists if isinstance(opened, Refusal)), None)


def _keys(join: Join, rows: Sequence[Row]) -> list[str]:
    """Give what some records are joined on, each once."""
    return list(dict.fromkeys(key for row in rows if isinstance(key := row.get(join.on), str) and key))


def _lacks(join: Join) -> str:
    """Name the fact that a join's short lists do not do for an account."""
    return f"lacks {join.name} {' '.join(collection.label() for collection in join.collections)}"
