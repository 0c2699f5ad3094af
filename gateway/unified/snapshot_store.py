"""Snapshots of vendors' lists: how one is named, stored in blocks, and read back.

A snapshot is one complete reading of a list. It is stored in blocks, and beside them the columns by which rows are
looked up, so that a page or a record reads one or two blocks and not the whole list. Its id is a keyed digest of its
blocks: a list that has not changed gets the same id when it is read again, and the answers made from it have the same
bytes.

In the shared cache, `list:…` (the pointer) leads to the newest snapshot of a list, and a change makes it unusable.
`snapshot:<id>`, `block:<id>:<number>` and `column:<id>:<name>` live longer, for callers that walk through the pages of
that snapshot.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from connectors.spec import Row
from gateway.cache.account_cache import AccountCache
from gateway.cache.compression import pack, unpack
from gateway.cache.freshness import Times
from gateway.errors import GatewayError
from gateway.unified.block_cache import BlockCache, Value
from gateway.unified.blocks import Block, Held, column_of, make_blocks
from gateway.unified.context import ListContext
from gateway.unified.list_request import ListRequest
from gateway.unified.row_text import join_rows, split_rows
from gateway.upstream.decoding import decode_rows


@dataclass(frozen=True, slots=True)
class CollectionSnapshot:
    """A complete reading of a list.

    `spans` are of each block the number of its first row that belongs to the list, and how many do. `held` are the
    blocks themselves where the snapshot has just been read; else they are in the cache. `rows` is set where the list
    has no blocks, as it was computed. `refused` is the status with which the vendor refuses the list to this token, or
    0. `failed` is the failure that this older reading replaces. `storing` is the write to the cache that is under way,
    if one is.
    """

    id: str
    times: Times
    total: int
    spans: Sequence[tuple[int, int]] = ()
    refused: int = 0
    rows: Sequence[Row] | None = None
    failed: GatewayError | None = None
    held: Held | None = field(default=None, compare=False, repr=False)
    storing: "asyncio.Future[Any] | None" = field(default=None, compare=False, repr=False)


class SnapshotStore:
    """Reads and writes snapshots, in the shared cache and in this worker's memory.

    `hold_seconds` is how long a snapshot outlives its own usefulness, for the walks through its pages. `key` makes
    the ids: callers see them in cursors, and without a key an id would confirm a guess at the rows.
    """

    def __init__(self, memory: BlockCache, now: Callable[[], float], hold_seconds: int, key: bytes) -> None:
        self._memory = memory
        self._now = now
        self._hold_seconds = hold_seconds
        self._key = key

    async def find(
        self, context: ListContext, request: ListRequest, *, refresh: bool = False
    ) -> CollectionSnapshot | None:
        """Returns the newest snapshot of a list, unless a change has outdated it.

        With `refresh` the cache is asked again, though it was asked at the beginning of the request.
        """
        [head] = await context.cache.read_current([request.pointer], [request.collection.resource], refresh=refresh)
        return _read_head(head)

    async def find_by_id(self, cache: AccountCache, snapshot_id: str) -> CollectionSnapshot | None:
        """Returns the snapshot that a walk reads, or None when it is no longer stored."""
        [head] = await cache.read([cache.key("snapshot", snapshot_id)])
        return _read_head(head)

    async def rows(
        self, cache: AccountCache, snapshot: CollectionSnapshot, start: int, stop: int | None = None
    ) -> Sequence[Row] | None:
        """Returns rows `start` to `stop` (or the end) of a snapshot, or None when some are no longer stored."""
        stop = snapshot.total if stop is None else min(stop, snapshot.total)
        if snapshot.rows is not None:
            return snapshot.rows[start:stop]
        return await self.take(cache, snapshot, range(start, stop))

    async def take(
        self, cache: AccountCache, snapshot: CollectionSnapshot, numbers: Sequence[int]
    ) -> Sequence[Row] | None:
        """Returns the rows with these numbers, which ascend, or None when some are no longer stored.

        Opens only the blocks that hold them, and decodes no other rows. Between two blocks other requests run.
        """
        if snapshot.rows is not None:
            return [snapshot.rows[number] for number in numbers]
        decoded = self._memory.decoded(cache.account_id, snapshot.id)
        if decoded is not None:
            return [decoded[number] for number in numbers]
        places = _places(snapshot.spans, numbers)
        blocks = await self._packed(cache, snapshot, list(places))
        if blocks is None:
            return None
        rows: list[Row] = []
        size = 0
        for number, wanted in places.items():
            if len(wanted) == snapshot.spans[number][1]:
                text = unpack(blocks[number])
                some = decode_rows(text)
                rows += some if len(some) == len(wanted) else [some[place] for place in wanted]
                size += len(text)
            else:
                rows += self._pick(cache.account_id, snapshot.id, number, blocks[number], wanted)
            await asyncio.sleep(0)
        if len(rows) == snapshot.total:
            self._memory.put_decoded(cache.account_id, snapshot.id, rows, size)
        return rows

    async def column(self, cache: AccountCache, snapshot: CollectionSnapshot, name: str) -> Sequence[Value] | None:
        """Returns a column of a snapshot, or None when it cannot be read any more."""
        if snapshot.rows is not None:
            return column_of(snapshot.rows, name)
        if snapshot.held is not None and name in snapshot.held.columns:
            return snapshot.held.columns[name]
        values = self._memory.column(cache.account_id, snapshot.id, name)
        if values is not None:
            return values
        [stored] = await cache.read([cache.key("column", f"{snapshot.id}:{name}")])
        if stored is not None:
            values = orjson.loads(unpack(stored))
        else:
            rows = await self.rows(cache, snapshot, 0)
            values = None if rows is None else column_of(rows, name)
        if values is not None:
            self._memory.put_column(cache.account_id, snapshot.id, name, values)
        return values

    async def make(
        self, context: ListContext, request: ListRequest, times: Times, rows: Sequence[Row], *, refused: int
    ) -> CollectionSnapshot:
        """Returns a snapshot of rows that were just read. It holds its blocks, which are to be stored."""
        names = context.session.connector.lookups.get(request.collection.path, ())
        held = await make_blocks(rows, names)
        digest = blake2b(digest_size=12, key=self._key)
        digest.update(f"{context.account.id}:{request.digest}".encode())
        for block in held.blocks:
            digest.update(f":{block.first}:{block.count}:{len(block.packed)}:".encode() + block.packed)
        spans = [(block.first, block.count) for block in held.blocks]
        snapshot = CollectionSnapshot(digest.hexdigest(), times, len(rows), spans, refused, held=held)
        if not context.directives.no_store:
            self._keep(context.account.id, snapshot.id, held.blocks, held.columns)
        return snapshot

    async def store(self, context: ListContext, request: ListRequest, snapshot: CollectionSnapshot) -> None:
        """Writes a snapshot and the pointer to it: with its blocks where it was just made, else they are stored.

        A pointer without its blocks (evicted, or refused by a full Redis) leads to a new reading of the list.
        """
        seconds = int(snapshot.times.usable_until - self._now())
        if seconds <= 0:
            return
        cache = context.cache
        head = orjson.dumps(
            {
                "id": snapshot.id,
                "times": asdict(snapshot.times),
                "total": snapshot.total,
                "refused": snapshot.refused,
                "spans": snapshot.spans,
            }
        )
        values = {cache.key("snapshot", snapshot.id): head}
        held = snapshot.held or Held((), {})
        for number, block in enumerate(held.blocks):
            values[cache.key("block", f"{snapshot.id}:{number}")] = block.packed
        # Of a list of one block the columns are read from its rows, which takes no further trip.
        for name, column in held.columns.items() if len(snapshot.spans) > 1 else ():
            values[cache.key("column", f"{snapshot.id}:{name}")] = pack(orjson.dumps(column))
            await asyncio.sleep(0)
        generations = cache.generations([request.collection.resource])
        if generations:
            values[request.pointer] = generations + head
        await cache.write(values, seconds + self._hold_seconds)

    def _keep(
        self, account: str, snapshot: str, blocks: Sequence[Block], columns: Mapping[str, Sequence[Value]]
    ) -> None:
        for number, block in enumerate(blocks):
            self._memory.put_packed(account, snapshot, number, block.packed)
        for name, column in columns.items():
            self._memory.put_column(account, snapshot, name, column)

    async def _packed(
        self, cache: AccountCache, snapshot: CollectionSnapshot, numbers: Sequence[int]
    ) -> Mapping[int, bytes] | None:
        """Returns compressed blocks by their numbers, or None when some are no longer stored."""
        if snapshot.held is not None:
            return {number: snapshot.held.blocks[number].packed for number in numbers}
        account = cache.account_id
        found: dict[int, bytes] = {}
        for number in numbers:
            here = self._memory.packed(account, snapshot.id, number)
            if here is not None:
                found[number] = here
        missing = [number for number in numbers if number not in found]
        stored = await cache.read([cache.key("block", f"{snapshot.id}:{number}") for number in missing])
        for number, block in zip(missing, stored, strict=True):
            if block is None:
                return None
            found[number] = block
            self._memory.put_packed(account, snapshot.id, number, block)
        return found

    def _pick(self, account: str, snapshot: str, number: int, packed: bytes, wanted: Sequence[int]) -> Sequence[Row]:
        """Returns some rows of a block."""
        opened = self._memory.opened(account, snapshot, number)
        if opened is None:
            text = unpack(packed)
            try:
                opened = split_rows(text)
            except ValueError:  # Nested more deeply than rows can be split.
                rows = decode_rows(text)
                return [rows[place] for place in wanted]
            self._memory.put_opened(account, snapshot, number, opened, len(text))
        return decode_rows(join_rows([opened[place] for place in wanted]))


def _places(spans: Sequence[tuple[int, int]], numbers: Sequence[int]) -> dict[int, list[int]]:
    """Returns for each block that holds some of the rows, the places of those within the block."""
    found: dict[int, list[int]] = {}
    block, before = 0, 0
    for number in numbers:
        while number >= before + spans[block][1]:
            before += spans[block][1]
            block += 1
        found.setdefault(block, []).append(spans[block][0] + number - before)
    return found


def _read_head(head: bytes | None) -> CollectionSnapshot | None:
    if head is None:
        return None
    found = orjson.loads(head)
    if "spans" not in found:  # Stored by an earlier version of the gateway, whose blocks have other names.
        return None
    return CollectionSnapshot(found["id"], Times(**found["times"]), found["total"], found["spans"], found["refused"])
