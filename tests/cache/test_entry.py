"""What is cached of an answer, for how long, and for which query."""

from typing import Any

import pytest

from gateway.cache.freshness import NO_DIRECTIVES, Directives
from tests.fakes.core import Time, Vendor
from tests.fakes.vendor import GET, ReadBench, freshness_of, make_vendor


def bench(people: int = 5) -> ReadBench[Vendor]:
    return ReadBench(make_vendor(people))


async def test_an_answer_is_cached_and_returned_with_its_age() -> None:
    gateway = bench()
    first = await gateway.ask()
    assert freshness_of(first) == (0, 60, "miss", True)
    assert first.upstream_calls == 2
    gateway.time.forward(20)
    second = await gateway.ask()
    assert (second.body, second.withheld, second.upstream_calls) == (first.body, first.withheld, 0)
    assert freshness_of(second) == (20, 40, "", False)
    gateway.time.forward(40)
    third = await gateway.ask()
    assert freshness_of(third) == (0, 60, "miss", True)


async def test_an_expired_answer_is_not_used() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.memory.values = {key: (1e12, value) for key, (_, value) in gateway.memory.values.items()}
    gateway.time.forward(60)
    assert freshness_of(await gateway.ask()) == (0, 60, "miss", True)


async def test_another_page_of_a_cached_list_costs_no_call_and_is_as_old_as_the_list() -> None:
    gateway = bench()
    cursor = (await gateway.body(page_size="2"))["next"]
    gateway.time.forward(20)
    page = await gateway.ask(page_size="2", next=cursor)
    assert freshness_of(page) == (20, 40, "", True)
    assert page.upstream_calls == 0


async def test_an_answer_is_as_old_as_its_oldest_part() -> None:
    gateway = ReadBench(make_vendor(3), fresh={"employees": 60, "employments": 600, "locations": 30})
    await gateway.ask(fields="job_title")
    gateway.time.forward(100)
    page = await gateway.ask()
    # People were read now, roles 100 seconds ago; people are stale first.
    assert freshness_of(page) == (100, 60, "miss", True)
    page = await gateway.ask(expand="work_location")
    assert page.freshness.ttl == 30


@pytest.mark.parametrize(
    ("directives", "age", "calls", "freshness"),
    [
        (NO_DIRECTIVES, 10, 0, (10, 50, "", False)),
        (Directives(max_age=10), 10, 0, (10, 50, "", False)),
        (Directives(max_age=9), 10, 2, (0, 60, "miss", True)),
        (Directives(max_age=0), 0, 2, (0, 60, "request", True)),
        (Directives(no_cache=True), 0, 2, (0, 60, "request", True)),
        (Directives(no_store=True), 0, 2, (0, 60, "bypass", False)),
    ],
)
async def test_the_callers_directives_are_honoured(
    directives: Directives, age: int, calls: int, freshness: tuple[int, int, str, bool]
) -> None:
    gateway = bench()
    await gateway.ask()
    gateway.time.forward(age)
    stored = dict(gateway.memory.values)
    page = await gateway.ask(directives=directives)
    assert (page.upstream_calls, freshness_of(page)) == (calls, freshness)
    if directives.no_store:
        assert gateway.memory.values == stored


async def test_no_store_on_an_empty_cache_stores_nothing() -> None:
    gateway = bench()
    await gateway.ask(directives=Directives(no_store=True), expand="work_location")
    await gateway.ask(GET, "p1", directives=Directives(no_store=True))
    assert gateway.memory.values == {}


async def test_no_cache_renews_what_others_are_given() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.vendor.lists["/people"][0]["name"] = "Renamed"
    assert (await gateway.body())["data"][0]["name"] == "Person 0"
    await gateway.ask(directives=Directives(no_cache=True))
    assert (await gateway.body())["data"][0]["name"] == "Renamed"


async def test_what_is_never_fresh_is_asked_each_time() -> None:
    gateway = ReadBench(make_vendor(5), fresh={"employees": 0})
    for _ in range(2):
        page = await gateway.ask()
        assert freshness_of(page) == (0, 0, "miss", False)
    assert gateway.vendor.paths().count("/people") == 2
    assert gateway.vendor.paths().count("/roles") == 1
    assert gateway.memory.kinds() == {"list", "snapshot", "block"}


async def test_raw_is_neither_cached_nor_answered_from_the_cache() -> None:
    gateway = bench()
    await gateway.ask(fields="id")
    for _ in range(2):
        page = await gateway.ask(fields="id", raw="true")
        assert (page.freshness.forwarded, page.freshness.stored, page.upstream_calls) == ("bypass", False, 1)
    assert sum(":answer:" in key for key in gateway.memory.values) == 1


async def test_an_answer_that_is_too_large_is_returned_and_not_cached() -> None:
    gateway = ReadBench(make_vendor(5), max_value_bytes=100)
    page = await gateway.ask()
    assert not page.freshness.stored
    assert "answer" not in gateway.memory.kinds()


@pytest.mark.parametrize(
    ("query", "other"),
    [
        ({}, {"fields": "id"}),
        ({}, {"expand": "work_location"}),
        ({}, {"include": "withheld"}),
        ({}, {"page_size": "2"}),
        ({"page_size": "2"}, {"page_size": "2", "page": "2"}),
        ({"filter__employee_number": "1"}, {"filter__employee_number": "2"}),
        ({}, {"proxy__town": "t1"}),
        ({"proxy__town": "t0"}, {"proxy__town": "t1"}),
    ],
)
async def test_another_question_has_another_answer(query: dict[str, Any], other: dict[str, Any]) -> None:
    gateway = bench()
    bodies = [(await gateway.ask(**each)).body for each in (query, other, query, other)]
    assert bodies[0] != bodies[1]
    assert bodies[:2] == bodies[2:]


async def test_another_record_has_another_answer_and_both_of_its_names_the_same() -> None:
    gateway = bench()
    one, other = await gateway.body(GET, "p1"), await gateway.body(GET, "p2")
    assert (one["data"]["remote_id"], other["data"]["remote_id"]) == ("p1", "p2")
    assert await gateway.body(GET, one["data"]["id"]) == one


async def test_another_day_is_another_answer_made_of_the_same_lists() -> None:
    """What is current depends on the day, however long an answer is fresh."""
    gateway = ReadBench(make_vendor(5), fresh={"employees": 10**6, "employments": 10**6}, time=Time(chance=0))
    await gateway.ask()
    assert (await gateway.ask()).freshness.forwarded == ""
    gateway.time.forward(12 * 3600)
    gateway.vendor.take_calls()
    assert (await gateway.ask()).freshness.stored
    assert gateway.vendor.take_calls() == 0


async def test_a_new_revision_of_the_account_starts_again() -> None:
    gateway = bench()
    await gateway.ask()
    gateway.register.change("a1", revision=2)
    assert (await gateway.ask()).upstream_calls == 2
