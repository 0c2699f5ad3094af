"""Stale answers (RFC 5861): while revalidating or if the vendor fails, within their windows, and named as stale."""

import asyncio
from dataclasses import replace
from math import inf

import pytest

from connectors.exchange import Answer, Request
from gateway.cache.freshness import Directives, Windows
from gateway.errors import (
    AccountUnavailable,
    BadRequest,
    DeadlineExceeded,
    Forbidden,
    NotCached,
    NotImplementedHere,
    RateLimited,
    VendorFailure,
)
from gateway.model import Caching, Ceilings
from tests.fakes.core import UnreachableCache, Vendor, refusal
from tests.fakes.vendor import GET, ReadBench, freshness_of, make_vendor

WINDOWS = Windows(60, 30, 600)


def bench(people: int = 5) -> ReadBench[Vendor]:
    return ReadBench(make_vendor(people), windows=WINDOWS)


async def settle() -> None:
    """Let what goes on behind an answer come to its end."""
    for _ in range(200):
        await asyncio.sleep(0)


async def test_a_stale_answer_is_given_at_once_and_the_next_one_is_fresh() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.take_calls()
    gateway.vendor.lists["/people"][0]["name"] = "Renamed"
    gateway.time.forward(70)
    first = await gateway.ask()
    assert (freshness_of(first), first.freshness.detail, first.upstream_calls) == (
        (70, -10, "", False),
        "revalidating",
        0,
    )
    await settle()
    assert gateway.vendor.take_calls() == 2
    second = await gateway.ask()
    assert (second.freshness.age, second.freshness.ttl) == (0, 60)
    assert b"Renamed" in second.body
    assert b"Renamed" not in first.body


async def test_a_background_refresh_runs_once() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.take_calls()
    gateway.time.forward(70)
    pages = await asyncio.gather(*(gateway.ask() for _ in range(20)))
    assert {page.freshness.detail for page in pages} == {"revalidating"}
    await settle()
    assert gateway.vendor.take_calls() == 2


async def test_a_failed_background_refresh_is_no_error_and_the_stale_answer_stays() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.instead = lambda _: refusal(500)
    gateway.time.forward(70)
    for _ in range(2):
        assert (await gateway.ask()).freshness.detail == "revalidating"
        await settle()


@pytest.mark.parametrize(("status", "fault"), [(500, VendorFailure), (503, VendorFailure), (429, RateLimited)])
async def test_a_stale_answer_stands_in_for_a_vendor_that_fails(status: int, fault: type[Exception]) -> None:
    gateway = bench()
    first = await gateway.ask()
    gateway.vendor.instead = lambda _: refusal(status)
    gateway.time.forward(100)
    page = await gateway.ask()
    assert page.body == first.body
    assert freshness_of(page) == (100, -40, "stale", False)
    assert page.freshness.failed is not None
    assert page.freshness.failed.provider_errors[0].status == status
    # Another question about the same lists is answered from them.
    other = await gateway.ask(fields="id", page_size="2")
    assert (other.freshness.forwarded, other.freshness.age, other.freshness.stored) == ("stale", 100, False)
    gateway.time.forward(561)
    with pytest.raises(fault):
        await gateway.ask()


@pytest.mark.parametrize(("status", "error"), [(401, AccountUnavailable), (403, Forbidden), (404, NotImplementedHere)])
async def test_a_vendor_that_refuses_has_answered_and_nothing_stands_in_for_it(
    status: int, error: type[Exception]
) -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.instead = lambda _: refusal(status)
    gateway.time.forward(100)
    with pytest.raises(error):
        await gateway.ask()


async def test_a_request_with_max_age_gets_the_failure_and_no_older_answer() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.instead = lambda _: refusal(500)
    gateway.time.forward(100)
    with pytest.raises(VendorFailure):
        await gateway.ask(directives=Directives(max_age=90))
    with pytest.raises(VendorFailure):
        await gateway.ask(directives=Directives(no_cache=True))


async def test_a_vendor_that_hangs_is_waited_for_less_long_where_there_is_a_stale_answer() -> None:
    class Slow(Vendor):
        async def send(self, base_url: str, request: Request) -> Answer:
            await hold.wait()
            return await super().send(base_url, request)

    hold = asyncio.Event()
    hold.set()
    gateway = ReadBench(Slow(make_vendor(5).lists), windows=WINDOWS, stale_wait=0.02)
    await gateway.ask()
    hold.clear()
    gateway.time.forward(100)
    assert freshness_of(await gateway.ask()) == (100, -40, "stale", False)
    hold.set()
    await asyncio.sleep(0.01)
    # What was being asked went on, and is there for the next.
    assert (await gateway.ask()).freshness.age == 0


async def test_a_request_with_max_stale_gets_a_stale_answer_without_a_vendor_call() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.take_calls()
    gateway.time.forward(500)
    page = await gateway.ask(directives=Directives(max_stale=440))
    await settle()
    assert (freshness_of(page), gateway.vendor.take_calls()) == ((500, -440, "", False), 0)


async def test_a_request_that_waited_for_another_has_one_deadline_for_both() -> None:
    class Slow(Vendor):
        async def send(self, base_url: str, request: Request) -> Answer:
            await asyncio.sleep(0)
            gateway.time.forward(20)
            return await super().send(base_url, request)

    gateway = ReadBench(Slow(make_vendor(5).lists), windows=WINDOWS)
    wants_younger = Directives(max_age=5)
    made, late = await asyncio.gather(
        gateway.ask(fields="id,job_title"),
        gateway.ask(directives=wants_younger, fields="id,job_title"),
        return_exceptions=True,
    )
    assert not isinstance(made, BaseException)
    assert made.upstream_calls == 2
    assert isinstance(late, DeadlineExceeded)
    assert gateway.vendor.take_calls() == 2


async def test_a_request_that_refuses_stale_answers_does_not_share_one() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.time.forward(100)
    takes = Directives(max_stale=inf)
    stale, fresh = await asyncio.gather(gateway.ask(directives=takes, fields="id"), gateway.ask(fields="id"))
    assert (stale.freshness.age, stale.upstream_calls) == (100, 0)
    assert (fresh.freshness.age, fresh.freshness.collapsed) == (0, False)


async def test_only_if_cached_never_asks() -> None:
    gateway = bench()
    only = Directives(only_if_cached=True)
    with pytest.raises(NotCached):
        await gateway.ask(directives=only)
    await gateway.ask()
    gateway.vendor.take_calls()
    assert (await gateway.ask(directives=only)).freshness.age == 0
    gateway.time.forward(100)
    with pytest.raises(NotCached):
        await gateway.ask(directives=only)
    with pytest.raises(NotCached):
        await gateway.ask(directives=replace(only, no_cache=True))
    assert gateway.vendor.take_calls() == 0


async def test_only_if_cached_takes_what_another_may_be_fetched_behind_and_has_none_fetched() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.take_calls()
    gateway.time.forward(70)
    page = await gateway.ask(directives=Directives(only_if_cached=True))
    await settle()
    assert (freshness_of(page), page.freshness.detail, gateway.vendor.take_calls()) == (
        (70, -10, "", False),
        "shared",
        0,
    )


@pytest.mark.parametrize(
    ("ceilings", "age", "outcome"),
    [
        (Ceilings(fresh=10), 9, (9, 1, "", False)),
        (Ceilings(fresh=10, stale=0), 10, (0, 10, "miss", True)),
        (Ceilings(stale=0), 59, (59, 1, "", False)),
        (Ceilings(stale=0), 60, (0, 60, "miss", True)),
        (Ceilings(fresh=0), 0, (0, 0, "bypass", False)),
        (Ceilings(fresh=10**6), 70, (70, -10, "", False)),
    ],
)
async def test_an_account_has_ceilings(ceilings: Ceilings, age: int, outcome: tuple[int, int, str, bool]) -> None:
    gateway = bench()
    gateway.register.change("a1", caching=Caching(ceilings=ceilings))
    await gateway.ask()
    gateway.time.forward(age)
    assert freshness_of(await gateway.ask()) == outcome


async def test_caching_may_be_off_for_an_account() -> None:
    gateway = bench()
    gateway.register.change("a1", caching=Caching(enabled=False))
    for _ in range(2):
        page = await gateway.ask()
        assert (page.freshness.forwarded, page.freshness.detail, page.upstream_calls) == ("bypass", "account", 2)
    assert gateway.memory.values == {}
    assert len(gateway.local) == 0


async def test_freshness_is_cut_short_by_chance_and_never_prolonged() -> None:
    lengths = set()
    for chance in (0.0, 0.3, 0.999):
        gateway = bench()
        gateway.time.chance = chance
        lengths.add((await gateway.ask()).freshness.ttl)
    assert lengths == {60, 58, 54}


async def test_an_unchanged_list_gives_the_same_bytes_when_it_is_read_again() -> None:
    """So a caller's `If-None-Match` works beyond the lifetime of the cache entry."""
    gateway = bench()
    first = await gateway.ask(page_size="2")
    gateway.time.forward(61)
    again = await gateway.ask(page_size="2", directives=Directives(no_cache=True))
    assert again.freshness.forwarded == "request"
    assert (again.body, again.entry.etag) == (first.body, first.entry.etag)
    gateway.vendor.lists["/people"][4]["name"] = "Renamed"
    changed = await gateway.ask(page_size="2", directives=Directives(no_cache=True))
    # The page is the same and the walk is not.
    assert changed.entry.etag != first.entry.etag


async def test_a_walk_goes_on_though_the_list_was_read_again_meanwhile() -> None:
    gateway = bench(6)
    cursor = (await gateway.body(page_size="2"))["next"]
    gateway.time.forward(100)
    del gateway.vendor.lists["/people"][0]
    await gateway.ask(directives=Directives(no_cache=True))
    rest = await gateway.body(page_size="2", next=cursor)
    assert [each["remote_id"] for each in rest["data"]] == ["p2", "p3"]
    gateway.memory.evict("snapshot", "block")
    with pytest.raises(BadRequest, match="stale"):
        await gateway.body(page_size="2", next=rest["next"])


async def test_a_record_of_a_cached_list_costs_no_call() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.take_calls()
    gateway.time.forward(20)
    page = await gateway.ask(GET, "p3")
    assert (freshness_of(page), page.upstream_calls, gateway.vendor.take_calls()) == ((20, 40, "", True), 0, 0)
    # Beyond the list's freshness the record is asked for alone.
    gateway.time.forward(60)
    await gateway.ask(GET, "p4")
    assert "/people/p4" in gateway.vendor.paths()


async def test_a_record_that_a_cached_list_does_not_have_is_fetched() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.lists["/people"].append({"id": "new", "name": "New", "town": "t0"})
    assert (await gateway.body(GET, "new"))["data"]["name"] == "New"


class Waiting(Vendor):
    """A vendor that looks up what it answers at once, and answers once it may."""

    def __init__(self, people: int) -> None:
        super().__init__(make_vendor(people).lists)
        self.may = asyncio.Event()

    async def send(self, base_url: str, request: Request) -> Answer:
        answer = await super().send(base_url, request)
        await self.may.wait()
        return answer


async def test_without_a_shared_cache_too_no_request_joins_a_reading_from_before_a_known_change() -> None:
    gateway = ReadBench(Waiting(3), cache=UnreachableCache())
    before = asyncio.ensure_future(gateway.ask(fields="name"))
    await settle()
    gateway.vendor.lists["/people"][0]["name"] = "Renamed"
    gateway.local.invalidate("a1")
    after = asyncio.ensure_future(gateway.ask(fields="name"))
    await settle()
    gateway.vendor.may.set()
    assert [b"Renamed" in (await each).body for each in (before, after)] == [False, True]


async def test_the_time_of_the_local_cache_runs_from_when_an_answer_was_asked_for() -> None:
    """A change that goes unheard while an answer is under way is not outlived by it: not by more than it may be."""
    gateway = ReadBench(Waiting(3), local_bytes=1 << 20, subscribed=False)
    before = asyncio.ensure_future(gateway.ask(fields="name"))
    await settle()
    gateway.time.forward(0.5)
    gateway.vendor.may.set()
    await before
    assert (await gateway.ask(fields="name")).freshness.detail == "local"
    gateway.time.forward(0.5)
    assert (await gateway.ask(fields="name")).freshness.detail == "shared"
