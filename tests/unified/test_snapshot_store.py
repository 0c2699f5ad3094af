"""A list that was read is stored in blocks, and read again only when it must be."""

from dataclasses import replace

import pytest

from connectors.spec import OWN_KEY, TODAY, Collection
from gateway.cache.freshness import NO_DIRECTIVES, Directives, Windows
from gateway.errors import RateLimited
from gateway.unified.blocks import BLOCK
from gateway.unified.list_request import fill_query
from gateway.upstream.vendor import VendorRefusal
from tests.fakes.collections import LINKED, THINGS, CollectionsBench, numbered, things
from tests.fakes.core import NOW, UnreachableCache, Vendor, refusal


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (0, 250), (249, 251), (250, 500), (499, 501), (0, 600), (599, 700), (600, 700), (5, 5)]
)
async def test_stored_blocks_give_any_slice(start: int, stop: int) -> None:
    bench = CollectionsBench(things(600))
    await bench.open()
    bench.vendor.take_calls()
    again = await bench.open()
    assert again.rows is None
    assert await bench.ids(again, start, stop) == numbered(start, min(stop, 600))
    assert bench.vendor.take_calls() == 0
    assert sum(":block:" in key for key in bench.memory.values) == 3
    assert BLOCK == 250


async def test_an_evicted_block_is_none_and_the_others_are_not() -> None:
    bench = CollectionsBench(things(600))
    await bench.open()
    again = await bench.open()
    del bench.memory.values[f"{{a1}}:block:{again.id}:1"]
    assert await bench.ids(again, 0, 600) is None
    assert await bench.ids(again, 250, 251) is None
    assert await bench.ids(again, 0, 250) == numbered(0, 250)
    assert await bench.ids(again, 500, 600) == numbered(500, 600)


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
async def test_a_cached_list_is_used_while_it_is_fresh(directives: Directives, age: int, calls: int) -> None:
    bench = CollectionsBench(things(3))
    await bench.open()
    bench.vendor.take_calls()
    bench.time.forward(age)
    await bench.open(directives)
    assert bench.vendor.take_calls() == calls


async def test_no_store_stores_nothing_and_no_cache_stores_the_new_list() -> None:
    bench = CollectionsBench(things(3))
    await bench.open(Directives(no_store=True))
    assert not bench.memory.values
    await bench.open(Directives(no_cache=True))
    assert bench.memory.kinds() == {"list", "snapshot", "block"}


async def test_a_resource_that_is_never_fresh_is_not_cached() -> None:
    bench = CollectionsBench(things(3), windows=Windows(0))
    for _ in range(2):
        await bench.open()
    assert not bench.memory.values
    assert bench.vendor.take_calls() == 2


async def test_a_walk_goes_on_in_its_snapshot_after_that_is_no_longer_fresh() -> None:
    bench = CollectionsBench(things(3))
    first = await bench.open()
    bench.vendor.lists["/things"].append({"id": "new"})
    bench.time.forward(600)
    second = await bench.open()
    assert (first.total, second.total) == (3, 4)
    found = await bench.snapshots.find_by_id(bench.account_cache, first.id)
    assert found is not None
    assert await bench.ids(found) == numbered(0, 3)
    bench.time.forward(3601)
    assert await bench.snapshots.find_by_id(bench.account_cache, first.id) is None


async def test_without_a_cache_a_list_is_returned_and_not_stored() -> None:
    bench = CollectionsBench(things(300), cache=UnreachableCache())
    snapshot = await bench.open()
    assert await bench.ids(snapshot, 298) == numbered(298, 300)
    assert await bench.snapshots.find_by_id(bench.account_cache, snapshot.id) is None


@pytest.mark.parametrize("status", [403, 404])
async def test_an_optional_list_that_is_refused_is_an_empty_one_and_remembered(status: int) -> None:
    bench = CollectionsBench(things(3))
    bench.vendor.instead = lambda _: refusal(status)
    for calls in (1, 0):
        snapshot = await bench.open(optional=True)
        assert (snapshot.refused, snapshot.total, await bench.ids(snapshot)) == (status, 0, [])
        assert bench.vendor.take_calls() == calls
    # A request that needs the list asks again, and gets the refusal.
    with pytest.raises(VendorRefusal) as refused:
        await bench.open()
    assert refused.value.status == status
    assert bench.vendor.take_calls() == 1


@pytest.mark.parametrize("optional", [True, False])
async def test_a_token_that_is_no_longer_known_is_always_raised(*, optional: bool) -> None:
    bench = CollectionsBench(things(3))
    bench.vendor.instead = lambda _: refusal(401)
    with pytest.raises(VendorRefusal) as refused:
        await bench.open(optional=optional)
    assert refused.value.status == 401
    assert not bench.memory.values


async def test_a_rate_limit_is_raised_and_not_cached() -> None:
    bench = CollectionsBench(things(3))
    bench.vendor.instead = lambda _: refusal(429, retry_after="3")
    with pytest.raises(RateLimited):
        await bench.open(optional=True)
    assert not bench.memory.values


async def test_columns_that_must_never_leave_are_not_even_cached() -> None:
    bench = CollectionsBench(Vendor({"/things": [{"id": "x", "secret": "planted"}, {"id": "y"}]}))
    snapshot = await bench.open()
    assert await bench.read(snapshot) == [{"id": "x"}, {"id": "y"}]
    again = await bench.open()
    assert await bench.read(again) == [{"id": "x"}, {"id": "y"}]


async def test_another_revision_of_the_account_reads_again() -> None:
    """A token with other scopes sees another list."""
    bench = CollectionsBench(things(3))
    await bench.open()
    bench.vendor.take_calls()
    context = bench.context()
    again = replace(LINKED, account=replace(LINKED.account, revision=2))
    await bench.collections.open(replace(context, session=replace(context.session, linked=again)), THINGS)
    assert bench.vendor.take_calls() == 1


def test_a_query_is_filled_with_the_day_and_the_key() -> None:
    collection = Collection("/x", "x", {"asOf": TODAY, "person": OWN_KEY, "status": "all", "tag": ("a", "b")})
    assert fill_query(collection, NOW.date(), "p1") == (
        ("asOf", "2026-11-24"),
        ("person", "p1"),
        ("status", "all"),
        ("tag", "a"),
        ("tag", "b"),
    )
