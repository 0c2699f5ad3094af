"""Every process purges what another has unlinked, and the shared cache until that has worked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.accounts.purge_store import PendingPurge, PurgeStore
from gateway.accounts.unlink import (
    LONGEST_RETRY_SECONDS,
    OVERLAP,
    AccountPurge,
    PurgePlace,
    UnlinkPoll,
)
from gateway.cache.tombstones import REMEMBERED_SECONDS, GuardedCache, Tombstones
from gateway.errors import StoreUnavailable
from gateway.model import Invalidation
from tests.fakes.core import Memory, Time


@dataclass
class Trail(PurgeStore):
    """The database: rows of the audit trail that tell what was erased, and which of them are done."""

    rows: list[PendingPurge] = field(default_factory=list)
    highest: int = 0
    away: bool = False
    asked: list[int] = field(default_factory=list)
    done: set[int] = field(default_factory=set)

    def tell(self, row: int, account_id: str, news: Invalidation = Invalidation.GONE) -> None:
        self.rows.append(PendingPurge(row, "p1", account_id, news))
        self.highest = max(self.highest, row)

    async def newest_row(self) -> int:
        return self.highest

    async def since(self, after: int) -> Sequence[PendingPurge]:
        if self.away:
            raise StoreUnavailable("away")
        self.asked.append(after)
        return [each for each in self.rows if each.row > after]

    async def unfinished(self) -> Sequence[PendingPurge]:
        return [each for each in self.rows if each.row not in self.done]

    async def finish(self, row: int) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.done.add(row)


@dataclass
class Process:
    """One process: what it has purged in its memory and in the shared cache, which it cannot reach while `broken`."""

    trail: Trail
    time: Time = field(default_factory=Time)
    local: list[tuple[PurgePlace, str]] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    broken: bool = False

    def __post_init__(self) -> None:
        self.purge = AccountPurge(Shared(self))
        for place in (PurgePlace.LOCAL_ANSWERS, PurgePlace.TOMBSTONE):
            self.purge.register(place, lambda account_id, place=place: self.local.append((place, account_id)))  # type: ignore[misc] # a default that binds
        self.poll = UnlinkPoll(self.trail, self.purge, repeat_seconds=(1, 30), monotonic=self.time.seconds)

    async def look(self, seconds: float = 0) -> list[str]:
        """Look after some seconds; gives what was purged in the shared cache then."""
        self.time.forward(seconds)
        self.shared.clear()
        await self.poll.poll()
        return list(self.shared)


class Shared(Memory):
    def __init__(self, process: Process) -> None:
        super().__init__(process.time)
        self._process = process

    async def purge(self, account_id: str) -> bool:
        assert (PurgePlace.TOMBSTONE, account_id) in self._process.local, "nothing may be stored while it is purged"
        self._process.shared.append(account_id)
        return not self._process.broken


async def test_what_was_swept_before_the_start_is_no_news() -> None:
    trail = Trail()
    trail.tell(7, "old")
    trail.done.add(7)
    process = Process(trail)
    assert await process.look() == await process.look(99) == []
    trail.tell(8, "new")
    assert await process.look() == ["new"]
    assert process.local == [(PurgePlace.TOMBSTONE, "new"), (PurgePlace.LOCAL_ANSWERS, "new")]


async def test_an_account_is_swept_at_once_and_again_when_the_news_has_reached_everybody() -> None:
    process = Process(Trail())
    await process.look()
    process.trail.tell(1, "a1")
    assert [await process.look(seconds) for seconds in (0, 0.5, 0.5, 0.5, 28, 0.5, 99)] == [
        ["a1"],
        [],
        ["a1"],
        [],
        [],
        ["a1"],
        [],
    ]
    assert {account for _, account in process.local} == {"a1"}
    assert process.trail.done == {1}


async def test_a_cache_that_is_away_is_swept_until_it_has_worked() -> None:
    process = Process(Trail())
    await process.look()
    process.broken = True
    process.trail.tell(1, "a1")
    for _ in range(3000):
        await process.look(0.5)
    assert process.trail.done == set()
    process.broken = False
    swept = [each for _ in range(int(LONGEST_RETRY_SECONDS) * 2 + 1) for each in await process.look(0.5)]
    assert swept
    assert process.trail.done == {1}
    assert await process.look(999) == []


async def test_what_a_process_leaves_unswept_the_next_one_sweeps() -> None:
    """Killed while the cache was away: the database still knows."""
    trail = Trail()
    first = Process(trail)
    await first.look()
    first.broken = True
    trail.tell(1, "a1")
    await first.look()
    await first.look(40)
    next_one = Process(trail)
    assert await next_one.look() == ["a1"]
    await next_one.look(31)
    assert trail.done == {1}
    third = Process(trail)
    assert await third.look() == []


async def test_a_row_that_comes_to_be_seen_after_a_later_one_is_not_missed() -> None:
    process = Process(Trail(highest=5000))
    await process.look()
    process.trail.tell(5002, "later")
    assert await process.look() == ["later"]
    process.trail.tell(5001, "sooner")
    assert await process.look() == ["sooner"]
    assert await process.look(0.1) == []
    assert process.trail.asked[-1] == 5002 - OVERLAP


async def test_a_database_that_is_away_is_asked_again_and_what_is_due_is_swept_all_the_same() -> None:
    process = Process(Trail(away=True))
    assert await process.look() == []
    process.trail.away = False
    await process.look()
    process.trail.tell(1, "a1")
    assert await process.look() == ["a1"]
    process.trail.away = True
    assert await process.look(1) == ["a1"]
    # That the last sweep has worked is noted when the database is there again.
    await process.look(30)
    assert process.trail.done == set()
    process.trail.away = False
    await process.look(2)
    assert process.trail.done == {1}


async def test_nothing_is_put_under_the_id_of_an_account_that_is_gone() -> None:
    time = Time()
    memory, erased = Memory(time), Tombstones(time.seconds)
    cache = GuardedCache(memory, erased)
    assert await cache.write({"{a1}:k": b"1", "{a2}:k": b"2"}, 60)
    erased.add("a1")
    assert not await cache.write({"{a1}:later": b"1"}, 60)
    assert not await cache.write({"{a2}:later": b"1", "{a1}:later": b"1"}, 60)
    assert await cache.claim(["{a1}:generation"], b"g", 60) == [None]
    assert not await cache.replace("a1", {"{a1}:generation": b"g"}, 60)
    assert await cache.read(["{a1}:k", "{a1}:later", "{a1}:generation", "{a2}:later"]) == [b"1", None, None, None]
    await cache.purge("a1")
    assert await cache.read(["{a1}:k", "{a2}:k"]) == [None, b"2"]
    assert await cache.write({"{a2}:later": b"1"}, 60)
    assert await cache.claim(["{a2}:generation"], b"g", 60) == [b"g"]
    assert await cache.replace("a2", {"{a2}:generation": b"h"}, 60)


def test_an_account_that_is_gone_is_remembered_for_longer_than_a_request_takes() -> None:
    time = Time()
    erased = Tombstones(time.seconds)
    assert not erased
    erased.add("a1")
    time.forward(REMEMBERED_SECONDS - 1)
    erased.add("a2")
    assert ("a1" in erased, "a2" in erased, "a3" in erased) == (True, True, False)
    time.forward(2)
    erased.add("a3")
    assert ("a1" in erased, "a2" in erased, "a3" in erased) == (False, True, True)
