"""Lists are read whole or not at all, kept in blocks, and read again only when they must be."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors.exchange import Answer, Request
from connectors.spec import OWN_KEY, TODAY, Collection
from gateway.core.ask import Asker, Conversation, VendorRefusal
from gateway.core.errors import RateLimited, VendorFailure
from gateway.core.freshness import NO_DIRECTIVES, Directives
from gateway.core.model import Cache
from gateway.core.retry import RetryPolicy
from gateway.core.shelf import Shelf
from gateway.core.sweeps import BLOCK, Keeping, Reading, Sweep, Sweeps, filled
from tests.core.parts import NOW, Forgetful, Memory, Time, Vendor, json_answer, make_linked, refusal
from tests.core.village import VILLAGE

THINGS = Collection("/things", "things")
LINKED = make_linked("a1", "open")


def things(count: int) -> Vendor:
    return Vendor({"/things": [{"id": f"x{number}"} for number in range(count)]})


@dataclass
class Desk:
    """Sweeps with what they need; each reading is a request of its own."""

    vendor: Vendor
    cache: Cache | None = None
    fresh: int = 60
    time: Time = field(default_factory=Time)
    readings: int = 0

    def __post_init__(self) -> None:
        self.memory = Memory(self.time)
        asker = Asker(self.vendor, RetryPolicy(retries=0, longest_wait=0.0), self.time.clock())
        self.sweeps = Sweeps(asker, Keeping({"things": self.fresh}, 60, 3600), side_by_side=4)
        self.shelf = Shelf(self.cache or self.memory, LINKED, 1 << 20)

    def reading(self, directives: Directives = NO_DIRECTIVES) -> Reading:
        self.readings += 1
        now = self.time.moment
        talk = Conversation(VILLAGE, LINKED, now.timestamp() + 30)
        return Reading(talk, self.shelf, directives, now.date(), now.timestamp(), f"request {self.readings}")

    async def open(self, directives: Directives = NO_DIRECTIVES, *, optional: bool = False) -> Sweep:
        return await self.sweeps.open(self.reading(directives), THINGS, optional=optional)

    async def ids(self, sweep: Sweep, start: int = 0, stop: int | None = None) -> list[str] | None:
        rows = await self.sweeps.rows(self.shelf, sweep, start, sweep.total if stop is None else stop)
        return None if rows is None else [row["id"] for row in rows]


def numbered(start: int, stop: int) -> list[str]:
    return [f"x{number}" for number in range(start, stop)]


@pytest.mark.parametrize(
    ("count", "most", "calls"),
    [
        (0, 250, 1),
        (1, 250, 1),
        (250, 250, 1),
        (251, 250, 2),
        (1000, 250, 4),
        # A vendor that gives less than was asked for sets the stride.
        (95, 10, 10),
        (100, 10, 10),
    ],
)
async def test_a_list_is_read_in_as_few_pages_as_the_vendor_allows(count: int, most: int, calls: int) -> None:
    desk = Desk(things(count))
    desk.vendor.most = most
    sweep = await desk.open()
    assert await desk.ids(sweep) == numbered(0, count)
    assert (sweep.total, len(desk.vendor.asked)) == (count, calls)


def changing(totals: list[int]) -> Vendor:
    """A list of which each call finds another length; the last length stays."""
    vendor = things(0)
    left = list(totals)

    def instead(_: Request) -> None:
        length = left.pop(0) if len(left) > 1 else left[0]
        vendor.lists["/things"] = [{"id": f"x{number}"} for number in range(length)]

    vendor.instead = instead
    return vendor


@pytest.mark.parametrize(
    ("totals", "found", "calls"),
    [
        ([500, 501, 501], 501, 5),  # grew: 2 calls of no use, then 3
        ([501, 501, 500, 500], 500, 5),  # shrank
        ([500, 240, 240], 240, 3),  # shrank below the page that was asked for
        ([300, 301, 302, 303, 303, 303], 303, 6),  # twice
    ],
)
async def test_a_list_that_changes_its_length_is_read_again(totals: list[int], found: int, calls: int) -> None:
    vendor = changing(totals)
    desk = Desk(vendor)
    sweep = await desk.open()
    assert (sweep.total, await desk.ids(sweep)) == (found, numbered(0, found))
    assert len(vendor.asked) == calls


async def test_a_list_that_keeps_changing_fails_and_nothing_is_kept() -> None:
    vendor = changing(list(range(300, 400)))
    desk = Desk(vendor)
    with pytest.raises(VendorFailure, match="Village changed /things while it was read, 3 times; try again"):
        await desk.open()
    assert not desk.memory.values
    assert len(vendor.asked) == 6


async def test_the_failure_of_one_page_ends_the_others_and_nothing_is_kept() -> None:
    started, cancelled = list[str](), list[str]()

    class Slow(Vendor):
        async def send(self, base_url: str, request: Request) -> Answer:
            skip = dict(request.query)["skip"]
            started.append(skip)
            if skip == "500":
                return refusal(500)
            if skip != "0":
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    cancelled.append(skip)
                    raise
            return await super().send(base_url, request)

    desk = Desk(Slow({"/things": [{"id": f"x{number}"} for number in range(2000)]}))
    with pytest.raises(VendorFailure, match="Village answered 500 to /things"):
        await desk.open()
    # Four go side by side; one more may set out while the failure is on its way.
    assert started[:5] == ["0", "250", "500", "750", "1000"]
    assert len(started) <= 6
    assert set(cancelled) == {*started} - {"0", "500"}
    assert not desk.memory.values


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "the list is not a JSON object"),
        (None, "the list is not a JSON object"),
        ({}, "'data' is not a list of objects"),
        ({"total": 1, "data": {}}, "'data' is not a list of objects"),
        ({"total": 1, "data": [1]}, "'data' is not a list of objects"),
        ({"data": [{}]}, "'total' is not a count"),
        ({"total": "1", "data": [{}]}, "'total' is not a count"),
        ({"total": True, "data": [{}]}, "'total' is not a count"),
        ({"total": -1, "data": []}, "'total' is not a count"),
        ({"total": 3, "data": []}, "'data' is empty though 'total' is not 0"),
        ({"total": 10**15, "data": [{"id": "x"}]}, "'total' would take more than 10000 pages"),
    ],
)
async def test_an_answer_of_another_shape_is_named(body: Any, words: str) -> None:
    desk = Desk(things(1))
    desk.vendor.instead = lambda _: json_answer(body)
    with pytest.raises(VendorFailure, match="Village answered /things in an unknown shape") as failed:
        await desk.open()
    assert words in failed.value.message
    assert not desk.memory.values


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (0, 250), (249, 251), (250, 500), (499, 501), (0, 600), (599, 700), (600, 700), (5, 5)]
)
async def test_kept_blocks_give_any_slice(start: int, stop: int) -> None:
    desk = Desk(things(600))
    await desk.open()
    desk.vendor.take_calls()
    kept = await desk.open()
    assert kept.rows is None
    assert await desk.ids(kept, start, stop) == numbered(start, min(stop, 600))
    assert desk.vendor.take_calls() == 0
    assert sum(":rows:" in key for key in desk.memory.values) == 3
    assert BLOCK == 250


async def test_a_block_that_is_gone_is_none_and_others_are_not() -> None:
    desk = Desk(things(600))
    await desk.open()
    kept = await desk.open()
    del desk.memory.values[f"{{a1}}:rows:{kept.id}:1"]
    assert await desk.ids(kept, 0, 600) is None
    assert await desk.ids(kept, 250, 251) is None
    assert await desk.ids(kept, 0, 250) == numbered(0, 250)
    assert await desk.ids(kept, 500, 600) == numbered(500, 600)


@pytest.mark.parametrize(
    ("directives", "age", "calls"),
    [
        (NO_DIRECTIVES, 59, 0),
        (NO_DIRECTIVES, 60, 1),
        (Directives(max_age=10), 10, 0),
        (Directives(max_age=10), 11, 1),
        (Directives(no_cache=True), 0, 1),
        (Directives(no_store=True), 0, 1),
    ],
)
async def test_a_kept_list_is_used_while_it_is_fresh(directives: Directives, age: int, calls: int) -> None:
    desk = Desk(things(3))
    await desk.open()
    desk.vendor.take_calls()
    desk.time.forward(age)
    await desk.open(directives)
    assert desk.vendor.take_calls() == calls


async def test_no_store_keeps_nothing_and_no_cache_keeps_what_is_new() -> None:
    desk = Desk(things(3))
    await desk.open(Directives(no_store=True))
    assert not desk.memory.values
    await desk.open(Directives(no_cache=True))
    assert desk.memory.kinds() == {"list", "sweep", "rows"}


async def test_a_resource_that_is_never_fresh_is_not_kept() -> None:
    desk = Desk(things(3), fresh=0)
    for _ in range(2):
        await desk.open()
    assert not desk.memory.values
    assert desk.vendor.take_calls() == 2


async def test_a_walk_holds_on_to_its_sweep_after_it_is_no_longer_fresh() -> None:
    desk = Desk(things(3))
    first = await desk.open()
    desk.vendor.lists["/things"].append({"id": "new"})
    desk.time.forward(600)
    second = await desk.open()
    assert (first.total, second.total) == (3, 4)
    held = await desk.sweeps.reopen(desk.shelf, first.id)
    assert held is not None
    assert await desk.ids(held) == numbered(0, 3)
    desk.time.forward(3601)
    assert await desk.sweeps.reopen(desk.shelf, first.id) is None


async def test_without_a_cache_a_list_is_in_hand_and_not_kept() -> None:
    desk = Desk(things(300), cache=Forgetful())
    sweep = await desk.open()
    assert await desk.ids(sweep, 298) == numbered(298, 300)
    assert await desk.sweeps.reopen(desk.shelf, sweep.id) is None


@pytest.mark.parametrize("status", [403, 404])
async def test_an_optional_list_that_is_refused_is_an_empty_one_and_remembered(status: int) -> None:
    desk = Desk(things(3))
    desk.vendor.instead = lambda _: refusal(status)
    for calls in (1, 0):
        sweep = await desk.open(optional=True)
        assert (sweep.refused, sweep.total, await desk.ids(sweep)) == (True, 0, [])
        assert desk.vendor.take_calls() == calls
    # Who needs the list asks again, and hears the refusal.
    with pytest.raises(VendorRefusal) as refused:
        await desk.open()
    assert refused.value.status == status
    assert desk.vendor.take_calls() == 1


@pytest.mark.parametrize("optional", [True, False])
async def test_a_token_that_is_no_longer_known_is_always_raised(*, optional: bool) -> None:
    desk = Desk(things(3))
    desk.vendor.instead = lambda _: refusal(401)
    with pytest.raises(VendorRefusal) as refused:
        await desk.open(optional=optional)
    assert refused.value.status == 401
    assert not desk.memory.values


async def test_a_rate_limit_is_raised_and_not_kept() -> None:
    desk = Desk(things(3))
    desk.vendor.instead = lambda _: refusal(429, retry_after="3")
    with pytest.raises(RateLimited):
        await desk.open(optional=True)
    assert not desk.memory.values


async def test_what_must_never_leave_is_not_even_kept() -> None:
    desk = Desk(Vendor({"/things": [{"id": "x", "secret": "planted"}, {"id": "y"}]}))
    sweep = await desk.open()
    assert list(sweep.rows or ()) == [{"id": "x"}, {"id": "y"}]
    kept = await desk.open()
    assert list(await desk.sweeps.rows(desk.shelf, kept, 0, 9) or ()) == [{"id": "x"}, {"id": "y"}]


async def test_another_revision_of_the_account_reads_anew() -> None:
    """A token with other scopes sees another list."""
    desk = Desk(things(3))
    await desk.open()
    desk.vendor.take_calls()
    reading = desk.reading()
    again = replace(LINKED, account=replace(LINKED.account, revision=2))
    await desk.sweeps.open(replace(reading, talk=replace(reading.talk, linked=again)), THINGS)
    assert desk.vendor.take_calls() == 1


def test_a_query_is_filled_with_the_day_and_the_key() -> None:
    collection = Collection("/x", "x", {"asOf": TODAY, "person": OWN_KEY, "status": "all", "tag": ("a", "b")})
    assert filled(collection, NOW.date(), "p1") == (
        ("asOf", "2026-11-24"),
        ("person", "p1"),
        ("status", "all"),
        ("tag", "a"),
        ("tag", "b"),
    )
