"""Joins rows of other lists to records: from whole lists, or for few records from lists of each of them."""

from collections.abc import Iterable, Mapping, Sequence

from connectors.spec import Collection, Further, Join, Row
from gateway.concurrency import together
from gateway.unified.collections import Collections
from gateway.unified.context import ListContext
from gateway.unified.list_reader import ListReader
from gateway.unified.mapping import JoinIndex, Refusal, index, key_values
from gateway.unified.snapshot_store import CollectionSnapshot
from gateway.unified.vendor_facts import lacks

FEW = 3
"""For up to this number of records, joined rows are asked for record by record instead of reading the whole list."""


class JoinReader:
    """Reads joined lists for one request, through its `lists`."""

    def __init__(self, collections: Collections, lists: ListReader, context: ListContext) -> None:
        self._collections = collections
        self._lists = lists
        self._context = context
        self._short: set[Join] = set()

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

    async def _open_joined(self, join: Join) -> None:
        """Opens the lists of a join, as `_joined` reads them whole."""
        embedded = (join.embed.collection,) if join.embed else ()
        await together(self._lists.open_optional(each) for each in (*await self._whole_lists(join), *embedded))

    async def _joined(self, join: Join, rows: Sequence[Row], *, few: bool) -> JoinIndex:
        """Returns the rows of one join, read in the way that costs the fewest calls."""
        keys = _keys(join, rows)
        if not few or join.narrow is None or len(keys) > FEW or await self._all_cached(join, keys):
            return await self._join_lists(join, await self._whole_lists(join), key_values(rows, join.on))
        if join.further and await self._lists.peek(join.further.collection):
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
        lists = await together(self._lists.rows_of(narrow, key) for key in keys)
        embedded = await self._lists.rows_of(join.embed.collection) if join.embed else ()
        return _index(join, lists, embedded)

    async def _join_further(self, join: Join, further: Further, rows: Sequence[Row]) -> JoinIndex:
        return await self._join_lists(join, (further.collection,), key_values(rows, join.on))

    async def _join_lists(self, join: Join, collections: Sequence[Collection], keys: Iterable[str | int]) -> JoinIndex:
        """Returns the rows of whole lists that have one of the keys; all of them where the join has no key."""
        by = None if join.key is None else (join.key, frozenset(keys))
        lists = await together(self._lists.rows_of(each, by=by) for each in collections)
        embedded = await self._lists.rows_of(join.embed.collection) if join.embed else ()
        return _index(join, lists, embedded)

    async def _whole_lists(self, join: Join) -> Sequence[Collection]:
        """Returns the whole lists of a join, or its further list where those are known to lack rows."""
        if join.further is None or join in self._short:
            return join.collections
        if not await self._cached(join.collections) and (
            await self._lists.peek(join.further.collection)
            or await self._collections.facts.has(self._context, lacks(join))
        ):
            return (join.further.collection,)
        self._short.add(join)
        return join.collections

    async def _cached(self, collections: Sequence[Collection]) -> list[CollectionSnapshot] | None:
        """Returns whole lists if all of them are cached and may be used."""
        snapshots = await together(self._lists.peek(collection) for collection in collections)
        cached = [snapshot for snapshot in snapshots if snapshot]
        return cached if len(cached) == len(snapshots) else None

    async def _all_cached(self, join: Join, keys: Sequence[str]) -> bool:
        """Returns whether the whole lists of a join are cached and have a row for each of these records.

        If a record has none, the narrow list may still have one for it: a role that has ended, for example.
        """
        if join.key is None:
            return False
        missing = set(keys)  # Few: each is searched for.
        snapshots = await self._cached(join.collections)
        for snapshot in snapshots or ():
            values = await self._lists.finder.column(snapshot, join.key) or ()
            missing -= {key for key in missing if key in values}
        return snapshots is not None and not missing


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
