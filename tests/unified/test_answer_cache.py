"""How often a read goes to Redis: a round trip takes a hundredth of a second here, and nothing else takes time."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.cache.account_cache import AccountCache
from gateway.cache.freshness import Directives
from gateway.model import GENERATION
from tests.fakes.core import CacheProxy, Memory, Time, Vendor, make_linked, unjittered
from tests.fakes.vendor import GET, LIST, ReadBench, make_vendor
from tests.simulation.virtual_clock import TimedLoop

TRIP = 0.01
PLAIN = {"fields": "id,name"}
JOINED = {"fields": "id,name,job_title", "expand": "work_location"}


class DistantCache(CacheProxy):
    """A shared cache at a distance, which counts its commands."""

    def __init__(self, loop: TimedLoop, inner: Memory) -> None:
        super().__init__(inner)
        self.memory = inner
        self.loop = loop
        self.commands: Counter[str] = Counter()
        self.generations: Counter[str] = Counter()

    async def read(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        self.generations.update(key for key in keys if f":{GENERATION}:" in key)
        return await super().read(keys)

    async def run(self, command: str, work: Callable[[], Awaitable[Any]]) -> Any:
        self.commands[command] += 1
        future = self.loop.create_future()
        self.loop.call_later(TRIP, future.set_result, None)
        await future
        return await work()


@dataclass
class DistantGateway:
    """A gateway far from its Redis. `trips` are those that the last request has waited for, one after the other."""

    loop: TimedLoop
    bench: ReadBench[Vendor]
    cache: DistantCache

    def ask(self, *args: Any, **kwargs: Any) -> tuple[int, str]:
        self.cache.commands.clear()
        self.cache.generations.clear()
        began = self.loop.time()
        page = self.loop.run_until_complete(self.bench.ask(*args, **kwargs))
        trips = round((self.loop.time() - began) / TRIP)
        return trips, page.freshness.forwarded or "hit"

    def settle(self) -> Counter[str]:
        """Waits for background work; returns all commands since the request began."""
        future = self.loop.create_future()
        self.loop.call_later(10 * TRIP, future.set_result, None)
        self.loop.run_until_complete(future)
        return Counter(self.cache.commands)


@contextmanager
def distant_gateway() -> Iterator[DistantGateway]:
    time: Time = unjittered()
    loop = TimedLoop(time)
    memory = Memory(time)
    cache = DistantCache(loop, memory)
    here = DistantGateway(loop, ReadBench(make_vendor(60), time=time, cache=cache), cache)
    try:
        # The generations live for a month, so nearly every request finds them.
        made_of = ("employees", "employments", "locations")
        loop.run_until_complete(AccountCache(cache, make_linked("a1"), 0, "g").read_generations(made_of))
        yield here
    finally:
        here.settle()
        loop.close()


@pytest.mark.parametrize("query", [PLAIN, JOINED])
def test_a_cold_miss_waits_for_a_read_a_lease_and_a_write_however_many_lists_it_joins(query: dict[str, str]) -> None:
    with distant_gateway() as here:
        assert here.ask(**query) == (3, "miss")
        assert here.ask(**query) == (1, "hit")


def test_a_miss_reads_each_generation_once() -> None:
    with distant_gateway() as here:
        here.ask(**JOINED)
        here.settle()
        assert set(here.cache.generations.values()) == {1}


def test_a_cold_miss_sends_few_commands() -> None:
    with distant_gateway() as here:
        here.ask(**PLAIN)
        # A look; a lease and a look at whether another worker was first; the list, then the answer; the lease's end.
        assert here.settle() == {"read": 2, "claim": 1, "write": 2, "release": 1}
        here.ask(**JOINED)
        # The people are known by now; each of two joined lists costs what a list costs.
        assert here.settle() == {"read": 3 + 1, "claim": 2, "write": 3, "release": 2}


@pytest.mark.parametrize(
    ("query", "trips"),
    [
        # What is asked otherwise is made of the same lists: a look, their rows, and a write.
        ({"fields": "id,work_email"}, 3),
        ({"fields": "id,name", "page_size": "10"}, 3),
        # A list that the vendor narrows has a name of its own: one more look.
        ({"fields": "id,name", "filter__email": "nobody@village.test"}, 3),
    ],
)
def test_another_question_about_a_cached_list(query: dict[str, str], trips: int) -> None:
    with distant_gateway() as here:
        here.ask(**PLAIN)
        here.settle()
        assert here.ask(**query)[0] == trips


def test_a_filter_that_the_vendor_applies_costs_one_more_read() -> None:
    with distant_gateway() as here:
        assert here.ask(**PLAIN, filter__email="p1@village.test") == (4, "miss")


def test_a_single_record_needs_no_lease_of_its_own() -> None:
    with distant_gateway() as here:
        assert here.ask(GET, "p1", **PLAIN) == (2, "miss")
        here.ask(LIST, **PLAIN)
        here.settle()
        # Its row is among those of the cached list.
        assert here.ask(GET, "p2", **PLAIN) == (3, "hit")


def test_the_first_request_of_an_account_makes_its_generations() -> None:
    with distant_gateway() as here:
        here.cache.memory.marks.clear()
        assert here.ask(**PLAIN) == (4, "miss")


@pytest.mark.parametrize("query", [PLAIN, JOINED, {**PLAIN, "filter__email": "p1@village.test"}])
def test_where_nothing_may_be_stored_redis_is_not_asked(query: dict[str, str]) -> None:
    with distant_gateway() as here:
        assert here.ask(**query, directives=Directives(no_store=True)) == (0, "bypass")
        assert here.settle() == {}
