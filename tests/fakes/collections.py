"""Sweeps of one list of a vendor in memory, with all that they need."""

from dataclasses import dataclass, field
from typing import Any

from connectors.spec import Collection
from gateway.cache.account_cache import AccountCache
from gateway.cache.freshness import NO_DIRECTIVES, Directives, Windows
from gateway.cache.singleflight import Leases, SingleFlight
from gateway.model import NO_CEILINGS, Cache
from gateway.unified.collections import Collections, CollectionSnapshot, ReadContext, Retention, Sharing
from gateway.unified.decoded import DecodedListCache
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
class Desk:
    """Sweeps with what they need; each reading is a request of its own."""

    vendor: Vendor
    cache: Cache | None = None
    windows: Windows = A_MINUTE
    time: Time = field(default_factory=unjittered)
    readings: int = 0

    def __post_init__(self) -> None:
        self.memory = Memory(self.time)
        asker = VendorClient(self.vendor, RetryPolicy(retries=0, longest_wait=0.0), self.time.clock())
        cache = self.cache or self.memory
        sharing = Sharing(SingleFlight(), Leases(cache, 5, asker.clock.monotonic), DecodedListCache(0))
        self.sweeps = Collections(
            asker, Retention({"things": self.windows}, Windows(60), 3600, b"k"), sharing, side_by_side=4
        )
        self.account_cache = AccountCache(cache, LINKED, 1 << 20, "generation")

    def reading(self, directives: Directives = NO_DIRECTIVES) -> ReadContext:
        self.readings += 1
        now = self.time.moment
        session = VendorSession(VILLAGE, LINKED, now.timestamp() + 30)
        return ReadContext(session, self.account_cache, directives, now.date(), NO_CEILINGS, f"request {self.readings}")

    async def open(self, directives: Directives = NO_DIRECTIVES, *, optional: bool = False) -> CollectionSnapshot:
        return await self.sweeps.open(self.reading(directives), THINGS, optional=optional)

    async def ids(self, sweep: CollectionSnapshot, start: int = 0, stop: int | None = None) -> list[str] | None:
        rows = await self.sweeps.rows(self.account_cache, sweep, start, sweep.total if stop is None else stop)
        return None if rows is None else [row["id"] for row in rows]


def numbered(start: int, stop: int) -> list[str]:
    return [f"x{number}" for number in range(start, stop)]
