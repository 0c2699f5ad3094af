"""Reading a list whole and making a hash of each record, a few at a time so that nobody waits long for it.

The lists are those of the cache: a fresh one costs the vendor nothing, and one that is fetched answers callers too.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from connectors.spec import Collection, Further, Join, Row
from gateway.record_events.diff import NOT_SEEN, Sight
from gateway.record_events.subject import Subject
from gateway.unified.collections import Collections
from gateway.unified.context import ListContext
from gateway.unified.mapping import REFUSED, Joined, index, make_record
from gateway.unified.snapshot_store import BLOCK, CollectionSnapshot
from gateway.upstream.vendor import encode


class Evicted(Exception):
    """Rows of a list were forgotten while their head was not: it has to be gathered anew."""


SLICE = 10
"""Records hashed at a stretch: a millisecond or two."""
INDEXED = 500
"""Joined rows arranged at a stretch: as long."""
HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Hashing:
    """`key` makes hashes that tell nothing to who does not have it, `version` names the way records are made.

    Both are in the sight of a reading: with another of them hashes cannot be compared.
    """

    key: bytes = field(repr=False)
    version: str

    def digest(self, *parts: bytes) -> str:
        made = blake2b(key=self.key, digest_size=HASH_BYTES)
        for part in parts:
            made.update(len(part).to_bytes(8, "big") + part)
        return made.hexdigest()

    def of_record(self, owner: bytes, record: Mapping[str, Any]) -> bytes:
        """Hash a record; in which order a list of several has come makes no difference."""
        steady = {
            name: sorted(map(encode, value)) if isinstance(value, list) and len(value) > 1 else value
            for name, value in record.items()
        }
        text = orjson.dumps(steady, default=bytes.decode, option=orjson.OPT_SORT_KEYS)
        return blake2b(owner + text, key=self.key, digest_size=HASH_BYTES).digest()


@dataclass(frozen=True, slots=True)
class ListSnapshot:
    """All lists of a subject, none of them older than it may be. `digest` is the same for the same records."""

    subject: Subject
    reading: ListContext
    sweeps: Mapping[Collection, CollectionSnapshot]
    sight: Sight = NOT_SEEN
    digest: str = ""


class SnapshotReader:
    def __init__(self, sweeps: Collections, hashing: Hashing) -> None:
        self._sweeps = sweeps
        self._hashing = hashing

    async def gather(self, subject: Subject, reading: ListContext) -> ListSnapshot:
        """Open all lists, one after the other, as nobody waits for them. Raises what asking raises.

        A list that an older reading stands in for is a failure: nothing is to be concluded from it.
        """
        sweeps = {subject.listing: await self._sweeps.open(reading, subject.listing)}
        for collection in subject.joined:
            if collection not in sweeps:
                sweeps[collection] = await self._sweeps.open(reading, collection, optional=True)
        for join in subject.joins:
            if join.further and await self._lacks(ListSnapshot(subject, reading, sweeps), join, join.further):
                further = join.further.collection
                sweeps[further] = await self._sweeps.open(reading, further, optional=True)
        for sweep in sweeps.values():
            if sweep.failed is not None:
                raise sweep.failed
        refused = ",".join(collection.label() for collection, sweep in sweeps.items() if sweep.refused)
        hashing = self._hashing
        sight = Sight(
            # Without the key: with another one, too, it can be told who is there.
            rights=blake2b(subject.rights.encode(), digest_size=HASH_BYTES).hexdigest(),
            mapping=hashing.digest(hashing.version.encode(), refused.encode()),
        )
        # The day counts: roles come into force by day.
        named = [reading.today.isoformat(), *(sweep.id for sweep in sweeps.values())]
        return ListSnapshot(subject, reading, sweeps, sight, hashing.digest(*(each.encode() for each in named)))

    async def hashes(self, gathered: ListSnapshot) -> dict[str, bytes]:
        """Give a hash of each record by the vendor's id. Raises `Evicted` for lists that are no longer kept."""
        subject, reading = gathered.subject, gathered.reading
        joins = {join: await self._joined(gathered, join) for join in subject.joins}
        only, key = subject.endpoint.only, subject.endpoint.key
        owner = f"{reading.session.linked.account.id}\0{subject.resource}\0".encode()
        found: dict[str, bytes] = {}
        rows = await self._rows(gathered, subject.listing)
        for start in range(0, len(rows), SLICE):
            for row in rows[start : start + SLICE]:
                remote_id = row.get(key)
                # No id has other characters, and not every database can keep them.
                if not isinstance(remote_id, str) or not remote_id or not remote_id.isprintable():
                    continue
                if only is None or only(row):
                    record = subject.plan.unify(make_record(subject.endpoint, row, joins, reading.today))
                    found[remote_id] = self._hashing.of_record(owner, record)
            await asyncio.sleep(0)
        return found

    async def _lacks(self, gathered: ListSnapshot, join: Join, further: Further) -> bool:
        """Tell whether the short lists of a join may not do for some record."""
        try:
            joined = await self._joined(gathered, join)
            rows = () if joined.refusal else await self._rows(gathered, gathered.subject.listing)
        except Evicted:
            return True  # Who makes the hashes finds that out too, and has all gathered anew.
        for start in range(0, len(rows), INDEXED):
            for row in rows[start : start + INDEXED]:
                if further.wanted(row, joined.of(join, row), gathered.reading.today):
                    return True
            await asyncio.sleep(0)
        return False

    async def _joined(self, gathered: ListSnapshot, join: Join) -> Joined:
        further = join.further.collection if join.further else None
        collections = (further,) if further in gathered.sweeps and further else join.collections
        if any(gathered.sweeps[each].refused for each in collections):
            return REFUSED
        rows: list[Row] = []
        for collection in collections:
            rows += await self._rows(gathered, collection)
        embedded = await self._rows(gathered, join.embed.collection) if join.embed is not None else ()
        by_key: dict[Any, list[Row]] = {}
        for start in range(0, len(rows), INDEXED):
            for key, some in index(join, rows[start : start + INDEXED], embedded).by_key.items():
                by_key.setdefault(key, []).extend(some)
            await asyncio.sleep(0)
        return Joined(by_key)

    async def _rows(self, gathered: ListSnapshot, collection: Collection) -> Sequence[Row]:
        """Give all rows, a block at a time."""
        sweep, cache = gathered.sweeps[collection], gathered.reading.cache
        if sweep.rows is not None:
            return sweep.rows
        rows: list[Row] = []
        for start in range(0, sweep.total, BLOCK):
            block = await self._sweeps.snapshots.rows(cache, sweep, start, start + BLOCK)
            if block is None:
                raise Evicted
            rows += block
        return rows
