"""Snapshots of vendors' lists: how one is named, stored in blocks, and read back.

A snapshot is one complete reading of a list. It is stored in blocks, so that a small page reads one or two of them and
not the whole list. Its id is a keyed digest of its rows: a list that has not changed gets the same id when it is read
again, and the answers made from it have the same bytes.

In the shared cache, `list:…` (the pointer) leads to the newest snapshot of a list, and a change makes it unusable.
`snapshot:<id>` and `rows:<id>:<block>` live longer, for callers that walk through the pages of that snapshot.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from connectors.spec import Row
from gateway.cache.account_cache import AccountCache
from gateway.cache.compression import pack, unpack
from gateway.cache.freshness import Times
from gateway.errors import GatewayError
from gateway.unified.context import ListContext
from gateway.unified.decoded import DecodedList, DecodedListCache
from gateway.unified.list_request import ListRequest
from gateway.upstream.decoding import readable_rows

BLOCK = 250
"""Rows in a block."""


@dataclass(frozen=True, slots=True)
class CollectionSnapshot:
    """A complete reading of a list.

    `rows` is set where the snapshot has just been read; else its rows are in the cache. `refused` is the status with
    which the vendor refuses the list to this token, or 0. `failed` is the failure that this older reading replaces.
    `storing` is the write to the cache that is under way, if one is.
    """

    id: str
    times: Times
    total: int
    refused: int = 0
    rows: Sequence[Row] | None = None
    failed: GatewayError | None = None
    storing: "asyncio.Future[Any] | None" = field(default=None, compare=False, repr=False)


class SnapshotStore:
    """Reads and writes snapshots, in the shared cache and decoded in this worker's memory.

    `hold_seconds` is how long a snapshot outlives its own usefulness, for the walks through its pages. `key` makes
    the ids: callers see them in cursors, and without a key an id would confirm a guess at the rows.
    """

    def __init__(self, decoded: DecodedListCache, now: Callable[[], float], hold_seconds: int, key: bytes) -> None:
        self._decoded = decoded
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
        if start >= stop:
            return ()
        decoded = self._decoded.get(cache.account_id, snapshot.id)
        if decoded is not None:
            return decoded.rows[start:stop]
        first = start // BLOCK
        numbers = range(first, (stop - 1) // BLOCK + 1)
        blocks = await cache.read([cache.key("rows", f"{snapshot.id}:{number}") for number in numbers])
        rows: list[Row] = []
        size = 0
        for block in blocks:
            if block is None:
                return None
            plain = unpack(block)
            size += len(plain)
            rows += orjson.loads(plain)
        if len(rows) == snapshot.total:
            self._decoded.put(cache.account_id, snapshot.id, rows, size)
        return rows[start - first * BLOCK : stop - first * BLOCK]

    async def decoded(self, cache: AccountCache, snapshot: CollectionSnapshot) -> DecodedList | None:
        """Returns all rows of a snapshot, to be found by any column, or None when some are no longer stored."""
        found = self._decoded.get(cache.account_id, snapshot.id)
        if found is not None:
            return found
        rows = await self.rows(cache, snapshot, 0)
        if rows is None:
            return None
        return self._decoded.get(cache.account_id, snapshot.id) or DecodedList(rows)

    async def make(
        self, context: ListContext, request: ListRequest, times: Times, rows: Sequence[Row], *, refused: int
    ) -> tuple[CollectionSnapshot, Sequence[bytes]]:
        """Returns a snapshot of rows that were just read, and its blocks, which are to be stored."""
        digest = blake2b(digest_size=12, key=self._key)
        digest.update(f"{context.account.id}:{request.digest}".encode())
        blocks, readable = [], list[Row]()
        for start in range(0, len(rows), BLOCK):
            block, some = readable_rows(rows[start : start + BLOCK])
            digest.update(block)
            blocks.append(block)
            readable += some
            await asyncio.sleep(
                0
            )  # Ten thousand rows take a tenth of a second: lets other requests run between blocks.
        snapshot = CollectionSnapshot(digest.hexdigest(), times, len(readable), refused, readable)
        if not context.directives.no_store:
            self._decoded.put(context.account.id, snapshot.id, readable, sum(map(len, blocks)))
        return snapshot, blocks

    async def store(
        self, context: ListContext, request: ListRequest, snapshot: CollectionSnapshot, blocks: Sequence[bytes]
    ) -> None:
        """Writes a snapshot and the pointer to it, in one round trip.

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
            }
        )
        values = {cache.key("snapshot", snapshot.id): head}
        for number, block in enumerate(blocks):
            values[cache.key("rows", f"{snapshot.id}:{number}")] = pack(block)
            await asyncio.sleep(0)
        generations = cache.generations([request.collection.resource])
        if generations:
            values[request.pointer] = generations + head
        await cache.write(values, seconds + self._hold_seconds)


def _read_head(head: bytes | None) -> CollectionSnapshot | None:
    if head is None:
        return None
    found = orjson.loads(head)
    return CollectionSnapshot(found["id"], Times(**found["times"]), found["total"], found["refused"])
