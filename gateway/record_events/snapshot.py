"""Reads a list whole and hashes each record, a few at a time so that requests do not wait.

The lists come from the cache that callers use: a fresh one costs no call, and one that is fetched here answers callers.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import orjson

from connectors.spec import Collection, Further, Join, Row
from gateway.cache.account_cache import AccountCache
from gateway.cache.freshness import NO_DIRECTIVES
from gateway.model import Cache, Clock, LinkedAccount
from gateway.policy.provider import Provider
from gateway.record_events.diff import NO_VERSION, SnapshotVersion
from gateway.record_events.subject import Subject
from gateway.unified.collections import Collections
from gateway.unified.context import ListContext
from gateway.unified.mapping import REFUSED, JoinIndex, index, make_record
from gateway.unified.snapshot_store import CollectionSnapshot
from gateway.upstream.vendor import VendorSession, encode


class Evicted(Exception):
    """The cache lost blocks of a list, but not its head: the list has to be read again."""


SLICE = 10
"""Records hashed before other tasks run: one or two milliseconds."""
INDEXED = 500
"""Joined rows indexed before other tasks run: as long."""
READ_SECONDS = 240.0
"""The deadline for the lists: no caller waits, but it must end before the lease of the watch."""
HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class RecordHasher:
    """Keyed hashes: without `key` nobody can guess a record from its hash. `version` names the way records are made.

    Both are part of a snapshot's version: hashes of another key or version cannot be compared.
    """

    key: bytes = field(repr=False)
    version: str

    def digest(self, *parts: bytes) -> str:
        hash_ = blake2b(key=self.key, digest_size=HASH_BYTES)
        for part in parts:
            hash_.update(len(part).to_bytes(8, "big") + part)
        return hash_.hexdigest()

    def of_record(self, owner: bytes, record: Mapping[str, Any]) -> bytes:
        """Returns the hash of a record. The order within lists makes no difference: vendors do not promise one."""
        ordered = {
            name: sorted(map(encode, value)) if isinstance(value, list) and len(value) > 1 else value
            for name, value in record.items()
        }
        text = orjson.dumps(ordered, default=bytes.decode, option=orjson.OPT_SORT_KEYS)
        return blake2b(owner + text, key=self.key, digest_size=HASH_BYTES).digest()


@dataclass(frozen=True, slots=True)
class ListSnapshot:
    """All lists of a subject, each fresh when it was read. `digest` is equal for equal records."""

    subject: Subject
    context: ListContext
    lists: Mapping[Collection, CollectionSnapshot]
    version: SnapshotVersion = NO_VERSION
    digest: str = ""


class SnapshotReader:
    """Reads through the cache of callers, which takes values of up to `max_value_bytes`."""

    def __init__(
        self, collections: Collections, hashing: RecordHasher, *, cache: Cache, max_value_bytes: int, clock: Clock
    ) -> None:
        self._collections = collections
        self._hashing = hashing
        self._cache = cache
        self._max_value_bytes = max_value_bytes
        self._clock = clock

    async def read(
        self, subject: Subject, linked: LinkedAccount, provider: Provider, *, from_vendor: bool
    ) -> ListSnapshot:
        """Reads all lists, one after the other, as no caller waits; `from_vendor` does not use what is cached.

        Raises the vendor's error where a stale list would stand in for a failed one: no change follows from it.
        """
        context = self._context(linked, provider, from_vendor=from_vendor)
        lists = {subject.listing: await self._collections.open(context, subject.listing)}
        for collection in subject.joined:
            if collection not in lists:
                lists[collection] = await self._collections.open(context, collection, optional=True)
        for join in subject.joins:
            if join.further and await self._lacks(ListSnapshot(subject, context, lists), join, join.further):
                further = join.further.collection
                lists[further] = await self._collections.open(context, further, optional=True)
        for each in lists.values():
            if each.failed is not None:
                raise each.failed
        refused = ",".join(collection.label() for collection, each in lists.items() if each.refused)
        hashing = self._hashing
        version = SnapshotVersion(
            # Without the key: who is there can be compared even after the key was changed.
            rights=blake2b(subject.rights.encode(), digest_size=HASH_BYTES).hexdigest(),
            mapping=hashing.digest(hashing.version.encode(), refused.encode()),
        )
        # The day is part of it: some fields depend on it, such as which role is in force.
        named = [context.today.isoformat(), *(each.id for each in lists.values())]
        return ListSnapshot(subject, context, lists, version, hashing.digest(*(each.encode() for each in named)))

    def _context(self, linked: LinkedAccount, provider: Provider, *, from_vendor: bool) -> ListContext:
        caching, new_id = linked.account.caching, secrets.token_hex(12)
        return ListContext(
            session=VendorSession(provider.connector, linked, self._clock.monotonic() + READ_SECONDS),
            cache=AccountCache(self._cache, linked, self._max_value_bytes, new_id),
            directives=replace(NO_DIRECTIVES, no_store=not caching.keeps, no_cache=from_vendor),
            today=self._clock.now().date(),
            request_id=new_id,
            revalidating=True,
        )

    async def hashes(self, snapshot: ListSnapshot) -> dict[str, bytes]:
        """Returns the hash of each record by the vendor's id. Raises `Evicted` where the cache lost the list."""
        subject, context = snapshot.subject, snapshot.context
        joins = {join: await self._joined(snapshot, join) for join in subject.joins}
        only, key = subject.endpoint.only, subject.endpoint.key
        owner = f"{context.session.linked.account.id}\0{subject.resource}\0".encode()
        found: dict[str, bytes] = {}
        rows = await self._rows(snapshot, subject.listing)
        for start in range(0, len(rows), SLICE):
            for row in rows[start : start + SLICE]:
                remote_id = row.get(key)
                # Real ids are printable, and not every database can store other characters.
                if not isinstance(remote_id, str) or not remote_id or not remote_id.isprintable():
                    continue
                if only is None or only(row):
                    record = subject.plan.unify(make_record(subject.endpoint, row, joins, context.today))
                    found[remote_id] = self._hashing.of_record(owner, record)
            await asyncio.sleep(0)
        return found

    async def _lacks(self, snapshot: ListSnapshot, join: Join, further: Further) -> bool:
        """Returns whether some record needs the larger list of a join, as its short lists do not suffice."""
        try:
            joined = await self._joined(snapshot, join)
            rows = () if joined.refusal else await self._rows(snapshot, snapshot.subject.listing)
        except Evicted:
            return True  # `hashes` raises this too, and then everything is read again.
        for start in range(0, len(rows), INDEXED):
            for row in rows[start : start + INDEXED]:
                if further.wanted(row, joined.of(join, row), snapshot.context.today):
                    return True
            await asyncio.sleep(0)
        return False

    async def _joined(self, snapshot: ListSnapshot, join: Join) -> JoinIndex:
        further = join.further.collection if join.further else None
        collections = (further,) if further in snapshot.lists and further else join.collections
        if any(snapshot.lists[each].refused for each in collections):
            return REFUSED
        rows: list[Row] = []
        for collection in collections:
            rows += await self._rows(snapshot, collection)
        embedded = await self._rows(snapshot, join.embed.collection) if join.embed is not None else ()
        by_key: dict[Any, list[Row]] = {}
        for start in range(0, len(rows), INDEXED):
            for key, some in index(join, rows[start : start + INDEXED], embedded).by_key.items():
                by_key.setdefault(key, []).extend(some)
            await asyncio.sleep(0)
        return JoinIndex(by_key)

    async def _rows(self, snapshot: ListSnapshot, collection: Collection) -> Sequence[Row]:
        """Returns all rows of a list. Raises `Evicted`."""
        opened = snapshot.lists[collection]
        rows = await self._collections.snapshots.rows(snapshot.context.cache, opened, 0)
        if rows is None:
            raise Evicted
        return rows
