"""Sweeps of one list of a vendor in memory, with all that they need."""

from dataclasses import dataclass, field
from typing import Any

from connectors.spec import Collection
from gateway.cache.account_cache import Shelf
from gateway.cache.freshness import NO_DIRECTIVES, Directives, Windows
from gateway.cache.singleflight import Flights, Leases
from gateway.model import NO_CEILINGS, Cache
from gateway.unified.collections import Keeping, Reading, Sharing, Sweep, Sweeps
from gateway.unified.decoded import OpenLists
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import Asker, Conversation
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
        asker = Asker(self.vendor, RetryPolicy(retries=0, longest_wait=0.0), self.time.clock())
        cache = self.cache or self.memory
        sharing = Sharing(Flights(), Leases(cache, 5, asker.clock.monotonic), OpenLists(0))
        self.sweeps = Sweeps(asker, Keeping({"things": self.windows}, Windows(60), 3600, b"k"), sharing, side_by_side=4)
        self.shelf = Shelf(cache, LINKED, 1 << 20, "generation")

    def reading(self, directives: Directives = NO_DIRECTIVES) -> Reading:
        self.readings += 1
        now = self.time.moment
        talk = Conversation(VILLAGE, LINKED, now.timestamp() + 30)
        return Reading(talk, self.shelf, directives, now.date(), NO_CEILINGS, f"request {self.readings}")

    async def open(self, directives: Directives = NO_DIRECTIVES, *, optional: bool = False) -> Sweep:
        return await self.sweeps.open(self.reading(directives), THINGS, optional=optional)

    async def ids(self, sweep: Sweep, start: int = 0, stop: int | None = None) -> list[str] | None:
        rows = await self.sweeps.rows(self.shelf, sweep, start, sweep.total if stop is None else stop)
        return None if rows is None else [row["id"] for row in rows]


def numbered(start: int, stop: int) -> list[str]:
    return [f"x{number}" for number in range(start, stop)]
