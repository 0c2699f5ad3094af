"""Parts of a list are asked for one by one until the whole list would have cost less, and then it is read whole."""

import pytest

from connectors.spec import OWN_KEY, Collection, owned_by
from gateway.unified.demand import UNKNOWN_PAGES, Demand
from tests.fakes.collections import THINGS, CollectionsBench
from tests.fakes.core import Vendor, unjittered
from tests.fakes.vendor import MADE

OF_ONE = Collection("/things", "things", {"owner": OWN_KEY}, whole=THINGS, sift=owned_by("owner"))


def owned(count: int) -> Vendor:
    return Vendor({"/things": [{"id": f"x{each}", "owner": f"p{each}", "made": MADE} for each in range(count)]})


async def calls_for(bench: CollectionsBench, numbers: range) -> int:
    bench.vendor.asked.clear()
    for number in numbers:
        context = bench.context()
        snapshot = await bench.collections.open(context, OF_ONE, f"p{number}")
        assert await bench.ids(snapshot) == [f"x{number}"]
        for each in context.storing:
            await each
    return len(bench.vendor.asked)


@pytest.mark.parametrize(("people", "asked", "calls"), [(700, 10, 10), (700, 11, 13), (700, 300, 13)])
async def test_nobody_pays_much_more_than_the_cheaper_way(people: int, asked: int, calls: int) -> None:
    bench = CollectionsBench(owned(people))
    assert await calls_for(bench, range(asked)) == calls


async def test_where_many_were_wanted_the_whole_list_is_read_at_once_the_next_time_and_else_not() -> None:
    bench = CollectionsBench(owned(700))
    await calls_for(bench, range(20))
    bench.time.forward(61)
    assert await calls_for(bench, range(20, 40)) == 3
    bench.time.forward(200)
    assert await calls_for(bench, range(40, 43)) == 3
    # It is known by now to have three pages.
    assert await calls_for(bench, range(43, 60)) == 3


def test_what_is_asked_seldom_never_counts_together() -> None:
    time = unjittered()
    demand = Demand(time.seconds)
    for _ in range(10 * UNKNOWN_PAGES):
        assert not demand.prefers_whole("a1", THINGS, 60)
        time.forward(30)


def test_accounts_and_lists_are_counted_apart() -> None:
    demand = Demand(unjittered().seconds)
    for number in range(UNKNOWN_PAGES):
        for account in ("a1", "a2"):
            assert not demand.prefers_whole(account, THINGS, 60), number
    assert demand.prefers_whole("a1", THINGS, 60)
    assert not demand.prefers_whole("a3", THINGS, 60)
    assert not demand.prefers_whole("a1", OF_ONE, 60)
