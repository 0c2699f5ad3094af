"""Snapshots of one list of a vendor in memory, with all that they need."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from connectors.connector import Connector
from connectors.spec import Collection, Row
from gateway.cache.account_cache import AccountCache
from gateway.cache.freshness import NO_DIRECTIVES, Directives, Windows
from gateway.cache.singleflight import Leases, SingleFlight
from gateway.model import Cache, LinkedAccount
from gateway.unified.block_cache import BlockCache
from gateway.unified.collections import Collections
from gateway.unified.context import ListContext
from gateway.unified.snapshot_store import CollectionSnapshot, SnapshotStore
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import VendorClient, VendorSession
from tests.fakes.core import A_MINUTE, Memory, Time, Vendor, make_linked, unjittered
from tests.fakes.vendor import MADE, VILLAGE

THINGS = Collection("/things", "things")
LINKED = make_linked("a1", "open")


def thing(number: int, made: str | None = MADE) -> dict[str, Any]:
    return {"id": f"x{number}", "made": made}


def things(count: int, made: str | None = MADE) -> Vendor:
    return Vendor({"/things": [thing(number, made) for number in range(count)]})


@dataclass
class CollectionsBench:
    """Collections with what they need; each reading is a request of its own."""

    vendor: Vendor
    cache: Cache | None = None
    windows: Windows = A_MINUTE
    time: Time = field(default_factory=unjittered)
    collection: Collection = THINGS
    connector: Connector = VILLAGE
    linked: LinkedAccount = LINKED
    whole_seconds: float = 0
    readings: int = 0

    def __post_init__(self) -> None:
        self.memory = Memory(self.time)
        client = VendorClient(self.vendor, RetryPolicy(retries=0, longest_wait=0.0), self.time.clock())
        self.shared = self.cache or self.memory
        self.flights = SingleFlight()
        self.snapshots = SnapshotStore(BlockCache(0), self.time.seconds, 3600, b"k")
        self.collections = Collections(
            client,
            self.snapshots,
            self.flights,
            Leases(self.shared, 5, client.clock.monotonic),
            lambda _: self.windows,
            concurrency=4,
            whole_seconds=self.whole_seconds,
        )
        self.account_cache = self.new_cache()

    def new_cache(self) -> AccountCache:
        """Returns a request's own view of the cache."""
        return AccountCache(self.shared, self.linked, 1 << 20, f"request {self.readings}")

    def context(self, directives: Directives = NO_DIRECTIVES) -> ListContext:
        self.readings += 1
        now = self.time.moment
        return ListContext(
            session=VendorSession(self.connector, self.linked, now.timestamp() + 30),
            cache=self.new_cache(),
            directives=directives,
            today=now.date(),
            request_id=f"request {self.readings}",
        )

    async def open(self, directives: Directives = NO_DIRECTIVES, *, optional: bool = False) -> CollectionSnapshot:
        context = self.context(directives)
        snapshot = await self.collections.open(context, self.collection, optional=optional)
        if context.storing:
            await asyncio.wait(context.storing)
        return snapshot

    async def read(self, snapshot: CollectionSnapshot) -> list[Row]:
        """Returns all rows of a snapshot that is still stored."""
        return list(await self.snapshots.rows(self.account_cache, snapshot, 0) or ())

    async def ids(self, snapshot: CollectionSnapshot, start: int = 0, stop: int | None = None) -> list[str] | None:
        stop = snapshot.total if stop is None else stop
        rows = await self.snapshots.rows(self.account_cache, snapshot, start, stop)
        return None if rows is None else [row["id"] for row in rows]


def numbered(start: int, stop: int) -> list[str]:
    return [f"x{number}" for number in range(start, stop)]
