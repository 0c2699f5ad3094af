"""Rounds go on whatever happens, at their pace, and end at once when they are told to."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from connectors.exchange import Answer, Request
from gateway.accounts.link import LinkContext
from gateway.accounts.usage import Due, Usage
from gateway.accounts.verification import Intervals
from gateway.accounts.verifier import LEASE_SECONDS, AccountVerifier, Around, Pace
from gateway.errors import StoreUnavailable
from tests.fakes.accounts import Office
from tests.fakes.core import NOW, make_linked


@dataclass
class Queue:
    """Accounts that are due, as a database gives them out; an exception is one that it raises instead."""

    due: list[Due | Exception] = field(default_factory=list)
    claimed: list[tuple[datetime, datetime]] = field(default_factory=list)
    scheduled: list[tuple[str, datetime, int]] = field(default_factory=list)
    refusing: bool = False

    async def claim(self, now: datetime, until: datetime) -> Due | None:
        self.claimed.append((now, until))
        found = self.due.pop(0) if self.due else None
        if isinstance(found, Exception):
            raise found
        return found

    async def schedule(self, account_id: str, at: datetime, failures: int) -> None:
        if self.refusing:
            raise StoreUnavailable("away")
        self.scheduled.append((account_id, at, failures))


@dataclass
class Enough(BaseException):
    """Ends rounds from within their sleep."""


@dataclass
class Walk:
    """The rounds of one worker, whose vendor answers as a test likes; they end after so many sleeps."""

    answer: Callable[[], Answer]
    sleeps: int = 12
    at_once: int = 4
    slept: list[float] = field(default_factory=list)
    undecided: list[tuple[str, str]] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)
    hanging: asyncio.Event | None = None
    asked: int = 0

    def __post_init__(self) -> None:
        self.office = Office()
        self.office.vendor.instead = self.reply
        self.queue = Queue()
        clock = self.office.time.clock()
        self.rounds = AccountVerifier(
            self.queue,
            self.office.authenticator,
            Pace(intervals=Intervals(idle=3600, used=36000, failed=7200), at_once=self.at_once, pause=2),
            LinkContext(
                ledger=self.office.books,
                upstream=self,
                clock=clock.now,
                new_id=lambda: "new",
                deadline=5,
            ),
            Around(
                clock=clock,
                wait=self.sleep,
                undecided=lambda account, code: self.undecided.append((account, code)),
                failed=self.failed.append,
            ),
        )

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked += 1
        if self.hanging is not None:
            await self.hanging.wait()
        return self.reply(request)

    def reply(self, request: Request) -> Answer:  # noqa: ARG002 - a vendor
        return self.answer()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        for _ in range(20):
            await asyncio.sleep(0)
        if len(self.slept) >= self.sleeps:
            raise Enough

    def add(self, account_id: str, failures: int = 0) -> None:
        linked = make_linked(account_id, "open")
        self.office.register.accounts[account_id] = linked
        usage = Usage(check_at=NOW, verified_at=NOW - timedelta(hours=2), failures=failures)
        self.queue.due.append(Due(linked.account, usage))

    async def walk(self) -> None:
        with pytest.raises(Enough):
            await self.rounds.run()


def good() -> Answer:
    return Answer(200, {}, b"open")


def fault() -> Answer:
    raise ZeroDivisionError


async def test_a_pause_comes_first_and_between_any_two_accounts() -> None:
    walk = Walk(good, sleeps=5)
    for number in range(3):
        walk.add(f"n{number}")
    await walk.walk()
    assert walk.slept == [24, 2.5, 2.5, 2.5, 24]
    assert [each[0] for each in walk.queue.scheduled] == ["n0", "n1", "n2"]
    assert walk.queue.claimed[0] == (NOW, NOW + timedelta(seconds=LEASE_SECONDS))


@pytest.mark.parametrize(
    ("trouble", "reported"), [(StoreUnavailable("away"), 0), (ZeroDivisionError(), 1)], ids=["away", "unexpected"]
)
async def test_a_database_that_fails_is_tried_again(trouble: Exception, reported: int) -> None:
    walk = Walk(good)
    walk.queue.due = [trouble, trouble]
    walk.add("n1")
    await walk.walk()
    assert [each[0] for each in walk.queue.scheduled] == ["n1"]
    assert len(walk.failed) == 2 * reported
    assert walk.slept[:3] == [24, 24, 24]


async def test_an_unexpected_fault_in_one_account_is_reported_and_the_next_is_looked_at() -> None:
    walk = Walk(fault)
    walk.add("n1")
    walk.add("n2")
    await walk.walk()
    assert ([type(each) for each in walk.failed], walk.asked) == ([ZeroDivisionError] * 2, 2)


@pytest.mark.parametrize(
    ("status", "headers", "failures", "code", "seconds"),
    [
        (503, {}, 0, "ProviderError", 75),
        (503, {}, 3, "ProviderError", 600),
        (429, {}, 0, "ProviderRateLimitError", 75),
        (429, {"retry-after": "4000"}, 0, "ProviderRateLimitError", 5000),
    ],
)
async def test_a_vendor_that_is_ill_or_busy_changes_nothing_and_is_left_in_peace(
    status: int, headers: dict[str, str], failures: int, code: str, seconds: float
) -> None:
    walk = Walk(lambda: Answer(status, headers, b""))
    walk.add("n1", failures=failures)
    before = walk.office.account("n1")
    assert await walk.rounds.step()
    assert (walk.office.account("n1"), walk.undecided) == (before, [("n1", code)])
    assert walk.queue.scheduled == [("n1", NOW + timedelta(seconds=seconds), failures + 1)]
    assert not await walk.rounds.step()


async def test_a_database_that_goes_away_in_the_middle_leaves_the_account_to_its_lease() -> None:
    walk = Walk(lambda: Answer(503, {}, b""))
    walk.add("n1")
    walk.add("n2")
    walk.queue.refusing = True
    await walk.walk()
    assert (walk.undecided, walk.failed) == ([("n1", "ProviderError"), ("n2", "ProviderError")], [])


async def test_a_change_by_another_at_the_same_time_goes_first() -> None:
    walk = Walk(good)
    walk.add("n1")

    def relink() -> Answer:
        walk.office.register.change("n1", label="theirs", revision=2)
        return Answer(200, {}, b"closed")

    walk.answer = relink
    assert await walk.rounds.step()
    account = walk.office.account("n1")
    assert (account.label, account.revision, account.grant.scopes) == ("theirs", 2, frozenset({"open"}))
    assert (walk.queue.scheduled, walk.undecided, walk.failed) == ([], [], [])


async def test_no_more_are_looked_at_at_once_than_there_is_room_for_and_an_end_is_an_end() -> None:
    walk = Walk(good, sleeps=100, at_once=3, hanging=asyncio.Event())
    for number in range(9):
        walk.add(f"n{number}")
    task = asyncio.ensure_future(walk.rounds.run())
    for _ in range(1000):
        await asyncio.sleep(0)
    assert walk.asked == 3
    task.cancel()
    assert (await asyncio.wait([task], timeout=1))[0] == {task}
    assert (walk.queue.scheduled, walk.failed, walk.rounds._under_way) == ([], [], set())


async def test_what_has_changed_since_it_was_taken_is_left_for_the_next_time() -> None:
    walk = Walk(good)
    walk.add("n1")
    walk.office.register.change("n1", revision=7)
    walk.add("n2")
    del walk.office.register.accounts["n2"]
    assert await walk.rounds.step()
    assert await walk.rounds.step()
    assert (walk.queue.scheduled, walk.asked) == ([], 0)
