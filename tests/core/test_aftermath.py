"""What follows an unlinking in every process: nothing is put under the account's id, and what was is swept away."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.core.aftermath import OVERLAP, Aftermath, Gone, Sweeping
from gateway.core.erased import REMEMBERED_SECONDS, Erased, GuardedCache
from gateway.core.errors import StoreUnavailable
from tests.core.parts import Memory, Time


@dataclass
class News:
    """The trail, in which some rows tell of accounts that are gone."""

    rows: list[Gone] = field(default_factory=list)
    highest: int = 0
    away: bool = False
    asked: list[int] = field(default_factory=list)

    def tell(self, row: int, account_id: str) -> None:
        self.rows.append(Gone(row, "p1", account_id))
        self.highest = max(self.highest, row)

    async def newest(self) -> int:
        return self.highest

    async def unlinked(self, after: int) -> Sequence[Gone]:
        if self.away:
            raise StoreUnavailable("away")
        self.asked.append(after)
        return [each for each in self.rows if each.row > after]


@dataclass
class Process:
    """One process: what it remembers, and what it has swept."""

    news: News
    time: Time = field(default_factory=Time)
    dropped: list[str] = field(default_factory=list)
    swept: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.erased = Erased(self.time.seconds)
        sweeping = Sweeping(
            drop=self.dropped.append,
            forget=self.forget,
            again=(1, 30),
            monotonic=self.time.seconds,
        )
        self.aftermath = Aftermath(self.news, self.erased, sweeping)

    async def forget(self, account_id: str) -> None:
        assert account_id in self.erased, "nothing may be put there while it is swept"
        self.swept.append(account_id)

    async def look(self, seconds: float = 0) -> list[str]:
        """Look after some seconds; gives what was swept then."""
        self.time.forward(seconds)
        self.swept.clear()
        await self.aftermath.look()
        return list(self.swept)


async def test_what_was_unlinked_before_the_start_is_no_news() -> None:
    news = News()
    news.tell(7, "old")
    process = Process(news)
    assert await process.look() == await process.look(99) == []
    news.tell(8, "new")
    assert (await process.look(), process.dropped) == (["new"], ["new"])
    assert "old" not in process.erased


async def test_an_account_is_swept_at_once_and_again_when_the_news_has_reached_everybody() -> None:
    process = Process(News())
    await process.look()
    process.news.tell(1, "a1")
    assert [await process.look(seconds) for seconds in (0, 0.5, 0.5, 0.5, 28, 0.5, 99)] == [
        ["a1"],
        [],
        ["a1"],
        [],
        [],
        ["a1"],
        [],
    ]
    assert process.dropped == ["a1"]


async def test_a_row_that_comes_to_be_seen_after_a_later_one_is_not_missed() -> None:
    process = Process(News(highest=5000))
    await process.look()
    process.news.tell(5002, "later")
    assert await process.look() == ["later"]
    process.news.tell(5001, "sooner")
    assert await process.look() == ["sooner"]
    assert await process.look(0.1) == []
    assert process.news.asked[-1] == 5002 - OVERLAP


async def test_a_database_that_is_away_is_asked_again_and_what_is_due_is_swept_all_the_same() -> None:
    process = Process(News(away=True))
    assert await process.look() == []
    process.news.away = False
    await process.look()
    process.news.tell(1, "a1")
    assert await process.look() == ["a1"]
    process.news.away = True
    assert await process.look(1) == ["a1"]


async def test_nothing_is_put_under_the_id_of_an_account_that_is_gone() -> None:
    time = Time()
    memory, erased = Memory(time), Erased(time.seconds)
    cache = GuardedCache(memory, erased)
    assert await cache.write({"{a1}:k": b"1", "{a2}:k": b"2"}, 60)
    erased.add("a1")
    assert not await cache.write({"{a1}:later": b"1"}, 60)
    assert not await cache.write({"{a2}:later": b"1", "{a1}:later": b"1"}, 60)
    assert await cache.claim(["{a1}:generation"], b"g", 60) == [None]
    assert not await cache.replace("a1", {"{a1}:generation": b"g"}, 60)
    assert await cache.read(["{a1}:k", "{a1}:later", "{a1}:generation", "{a2}:later"]) == [b"1", None, None, None]
    await cache.forget("a1")
    assert await cache.read(["{a1}:k", "{a2}:k"]) == [None, b"2"]
    assert await cache.write({"{a2}:later": b"1"}, 60)
    assert await cache.claim(["{a2}:generation"], b"g", 60) == [b"g"]
    assert await cache.replace("a2", {"{a2}:generation": b"h"}, 60)


def test_an_account_that_is_gone_is_remembered_for_longer_than_a_request_takes() -> None:
    time = Time()
    erased = Erased(time.seconds)
    assert not erased
    erased.add("a1")
    time.forward(REMEMBERED_SECONDS - 1)
    erased.add("a2")
    assert ("a1" in erased, "a2" in erased, "a3" in erased) == (True, True, False)
    time.forward(2)
    erased.add("a3")
    assert ("a1" in erased, "a2" in erased, "a3" in erased) == (False, True, True)
