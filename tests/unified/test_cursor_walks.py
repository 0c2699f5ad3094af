"""Pages of a list: filled under filters, walked to the end whatever their size, and resumed when the cache is empty."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.exchange import Answer, Request
from gateway.errors import BadRequest, VendorFailure
from tests.fakes.core import Rows, Time, UnreachableCache, Vendor, json_answer, refusal
from tests.fakes.vendor import GET, ReadBench, make_vendor, person

MINUTE_300 = "2026-01-01T05:00:00Z"


def remote_ids(records: Rows) -> list[str]:
    return [record["remote_id"] for record in records]


def numbered(*numbers: int) -> list[str]:
    return [f"p{number}" for number in numbers]


# --- walks ------------------------------------------------------------------------------------------------------


@given(people=st.integers(0, 600), page_size=st.integers(1, 250))
@settings(deadline=None, max_examples=40)
async def test_a_walk_gives_every_record_once_whatever_the_page_size(people: int, page_size: int) -> None:
    page_size = max(page_size, people // 20)
    bench = ReadBench(make_vendor(people))
    found = await bench.walk(page_size=str(page_size))
    assert remote_ids(found) == numbered(*range(people))
    assert found == await ReadBench(make_vendor(people)).walk(page_size="250")
    # People and roles, each read once in pages of 250.
    # Where the list fills its last page, its pages do not overlap: that would cost one more.
    assert bench.vendor.take_calls() == 2 * max(1, -(-people // 250))


@given(
    people=st.lists(st.sampled_from(["a", "b", "c"]), max_size=40),
    page_size=st.integers(1, 9),
    wanted=st.sampled_from(["a", "b", "z"]),
    cache=st.sampled_from([True, False]),
)
@settings(deadline=None, max_examples=60)
async def test_pages_are_filled_with_what_passes_a_filter(
    *, people: list[str], page_size: int, wanted: str, cache: bool
) -> None:
    vendor = make_vendor(0)
    vendor.lists["/people"] = [person(number, number=word) for number, word in enumerate(people)]
    bench = ReadBench(vendor, cache=None if cache else UnreachableCache())
    expected = [f"p{number}" for number, word in enumerate(people) if word == wanted]
    found: list[str] = []
    cursor: dict[str, Any] = {}
    for start in range(0, max(len(expected), 1), page_size):
        body = await bench.body(page_size=str(page_size), filter__employee_number=wanted, **cursor)
        page = remote_ids(body["data"])
        assert page == expected[start : start + page_size]
        found += page
        # There is a next page exactly when there is something for it.
        assert (body["next"] is not None) == (len(expected) > start + page_size)
        cursor = {"next": body["next"] or ""}
    assert found == expected


@given(page_size=st.integers(1, 9), people=st.integers(0, 30), wanted=st.booleans())
@settings(deadline=None, max_examples=40)
async def test_the_deprecated_page_numbers_cut_the_same_pages(*, page_size: int, people: int, wanted: bool) -> None:
    vendor = make_vendor(people)
    for row in vendor.lists["/people"][::3]:
        row["number"] = "x"
    bench = ReadBench(vendor)
    query = {"page_size": str(page_size)} | ({"filter__employee_number": "x"} if wanted else {})
    whole = remote_ids(await bench.walk(**query))
    found = list[str]()
    for page in range(1, people + 2):
        found += remote_ids((await bench.body(page=str(page), **query))["data"])
    assert found == whole


async def test_a_walk_with_cursors_may_change_its_page_size() -> None:
    bench = ReadBench(make_vendor(10))
    first = await bench.body(page_size="3")
    second = await bench.body(page_size="5", next=first["next"])
    assert remote_ids(first["data"] + second["data"]) == numbered(*range(8))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"filter__updated_after": MINUTE_300}, [301, 302, 303, 304]),
        ({"updated_after": MINUTE_300}, [301, 302, 303, 304]),
        ({"filter__updated_after": "2026-01-01T05:04:00Z"}, []),
        ({"filter__updated_after": "2026-01-01T06:03:30+01:00"}, [304]),
        ({"filter__employee_number": "7"}, [7]),
        ({"filter__employee_number": "007"}, []),
        ({"filter__email": "p7@village.test"}, [7]),
        ({"filter__email": "P7@village.test"}, []),
        ({"filter__email": "p7@village.test", "filter__employee_number": "8"}, []),
        ({"filter__email": "p302@village.test", "filter__updated_after": MINUTE_300}, [302]),
    ],
)
async def test_a_filter_gives_what_it_says(query: dict[str, Any], expected: list[int]) -> None:
    body = await ReadBench(make_vendor(305)).body(**query)
    assert remote_ids(body["data"]) == numbered(*expected)
    assert body["next"] is None


async def test_a_record_without_the_value_passes_no_filter() -> None:
    vendor = make_vendor(2)
    vendor.lists["/people"] += [person(2, updated=None, number=None), person(3, updated="soon", number=7)]
    bench = ReadBench(vendor)
    assert remote_ids(await bench.walk(updated_after="2020-01-01")) == numbered(0, 1)
    assert remote_ids(await bench.walk(filter__employee_number="7")) == numbered(3)


async def test_a_filter_that_the_vendor_applies_costs_one_page_and_is_checked_again() -> None:
    bench = ReadBench(make_vendor(600))
    body = await bench.body(filter__email="p7@village.test")
    assert remote_ids(body["data"]) == numbered(7)
    assert body["data"][0]["job_title"] == "Title 7"
    assert [(request.path, dict(request.query)) for request in bench.vendor.asked] == [
        ("/people", {"email": "p7@village.test", "limit": "250", "skip": "0"}),
        ("/roles", {"person": "p7", "limit": "250", "skip": "0"}),
    ]

    def ignoring(request: Request) -> Answer | None:
        """Answers as a vendor that does not know the filter."""
        rows = bench.vendor.lists[request.path]
        skip = int(dict(request.query)["skip"])
        return json_answer({"total": len(rows), "data": rows[skip : skip + 250]})

    careless = ReadBench(make_vendor(600))
    careless.vendor.instead = ignoring
    assert (await careless.body(filter__email="p7@village.test"))["data"] == body["data"]


async def test_proxy_parameters_go_to_the_list_and_are_a_question_of_their_own() -> None:
    bench = ReadBench(make_vendor(10))
    body = await bench.body(proxy__town="t1")
    assert remote_ids(body["data"]) == numbered(1, 4, 7)
    assert ("town", "t1") in bench.vendor.asked[0].query
    assert len((await bench.body())["data"]) == 10


@pytest.mark.parametrize("name", ["proxy__limit", "proxy__skip", "proxy__limit][0", "proxy__skip][$gt"])
async def test_proxy_cannot_take_the_paging(name: str) -> None:
    bench = ReadBench(make_vendor(3))
    query: dict[str, Any] = {name: "1"}
    with pytest.raises(BadRequest, match="paging upstream is the gateway's, use page_size"):
        await bench.ask(**query)
    with pytest.raises(BadRequest, match="paging upstream"):
        await bench.ask(GET, "p1", **query)
    assert "/people" not in bench.vendor.paths()


# --- cursors ----------------------------------------------------------------------------------------------------


def lose_all(bench: ReadBench[Vendor]) -> None:
    bench.memory.values.clear()


def lose_the_rows(bench: ReadBench[Vendor]) -> None:
    bench.memory.evict("block", "answer")


def lose_the_rows_alone(bench: ReadBench[Vendor]) -> None:
    """The answers that were made from them stay."""
    bench.memory.evict("block")


def lose_the_list(bench: ReadBench[Vendor]) -> None:
    bench.memory.evict("list", "answer")


def lose_nothing(bench: ReadBench[Vendor]) -> None:
    """The cache is whole."""


LOSSES = [lose_nothing, lose_the_list, lose_the_rows, lose_the_rows_alone, lose_all]


@pytest.mark.parametrize("lose", LOSSES)
async def test_a_walk_goes_on_when_the_cache_is_empty_but_the_list_is_unchanged(
    lose: Callable[[ReadBench[Vendor]], None],
) -> None:
    bench = ReadBench(make_vendor(30))
    first = await bench.body(page_size="10")
    lose(bench)
    second = await bench.body(page_size="10", next=first["next"])
    lose(bench)
    third = await bench.body(page_size="10", next=second["next"])
    assert remote_ids(first["data"] + second["data"] + third["data"]) == numbered(*range(30))
    assert third["next"] is None


async def test_a_walk_goes_on_without_any_cache() -> None:
    bench = ReadBench(make_vendor(30), cache=UnreachableCache())
    assert remote_ids(await bench.walk(page_size="7")) == numbered(*range(30))
    assert remote_ids(await bench.walk(page_size="2", updated_after="2026-01-01T00:20:00Z")) == numbered(*range(21, 30))


def joined(rows: Rows) -> None:
    rows.append(person(999))


def left(rows: Rows) -> None:
    del rows[0]


def replaced(rows: Rows) -> None:
    rows[:] = [person(999), *rows[:-1]]


@pytest.mark.parametrize("change", [joined, left, replaced])
@pytest.mark.parametrize("lose", [lose_all, lose_the_rows, lose_the_rows_alone])
@pytest.mark.parametrize("cache", ["memory", "none"])
async def test_a_changed_list_never_looks_like_the_same_walk(
    change: Callable[[Rows], None], lose: Callable[[ReadBench[Vendor]], None], cache: str
) -> None:
    time = Time()
    bench = ReadBench(make_vendor(30), time=time, cache=UnreachableCache() if cache == "none" else None)
    first = await bench.body(page_size="10")
    change(bench.vendor.lists["/people"])
    lose(bench)
    with pytest.raises(BadRequest, match="next has gone stale: the list has changed") as refused:
        await bench.ask(page_size="10", next=first["next"])
    assert refused.value.code == "StaleCursorError"
    # The first page is still cached with a stale cursor: a new walk must not get it.
    assert remote_ids(await bench.walk(page_size="10")) == [each["id"] for each in bench.vendor.lists["/people"]]


@pytest.mark.parametrize("change", [joined, left, replaced])
async def test_a_walk_into_a_part_that_is_lost_does_not_repeat_or_skip(change: Callable[[Rows], None]) -> None:
    """Blocks of a snapshot are evicted one by one: the record before the cursor may stay, those after it not."""
    bench = ReadBench(make_vendor(600))
    first = await bench.body(page_size="100")
    second = await bench.body(page_size="150", next=first["next"])
    change(bench.vendor.lists["/people"])
    bench.memory.values = {key: value for key, value in bench.memory.values.items() if not key.endswith(":1")}
    with pytest.raises(BadRequest, match="next has gone stale: the list has changed"):
        await bench.ask(page_size="100", next=second["next"])


async def test_a_walk_into_a_part_that_is_lost_goes_on_where_the_list_stands() -> None:
    bench = ReadBench(make_vendor(600))
    first = await bench.body(page_size="250")
    bench.memory.values = {key: value for key, value in bench.memory.values.items() if not key.endswith(":1")}
    second = await bench.body(page_size="250", next=first["next"])
    third = await bench.body(page_size="250", next=second["next"])
    assert remote_ids(first["data"] + second["data"] + third["data"]) == numbered(*range(600))


@pytest.mark.parametrize("change", [joined, left, replaced])
async def test_a_walk_in_a_cached_snapshot_does_not_see_the_change(change: Callable[[Rows], None]) -> None:
    bench = ReadBench(make_vendor(30))
    first = await bench.body(page_size="10")
    change(bench.vendor.lists["/people"])
    bench.time.forward(600)
    second = await bench.body(page_size="10", next=first["next"])
    bench.time.forward(600)
    third = await bench.body(page_size="10", next=second["next"])
    assert remote_ids(first["data"] + second["data"] + third["data"]) == numbered(*range(30))
    assert third["next"] is None


@pytest.mark.parametrize("change", [joined, left, replaced])
@pytest.mark.parametrize("path", ["/people", "/roles"])
@pytest.mark.parametrize("query", [{}, {"updated_after": "2020-01-01"}, {"filter__employee_number": "5"}])
async def test_a_request_without_cursor_is_read_again_when_rows_are_lost(
    change: Callable[[Rows], None], path: str, query: dict[str, Any]
) -> None:
    """The head of a list may still be cached when its rows are not: that is no fault of the caller's."""
    bench = ReadBench(make_vendor(30))
    await bench.walk(**query)
    if path == "/people":
        change(bench.vendor.lists[path])
    else:
        bench.vendor.lists[path].append({"id": "r", "person": "p99", "title": "New"})
    lose_the_rows(bench)
    found = await bench.walk(page_size="7", **query)
    assert found == await ReadBench(bench.vendor).walk(page_size="7", **query)


async def test_a_cursor_outlives_its_snapshot_by_no_more_than_its_own_lifetime() -> None:
    bench = ReadBench(make_vendor(30))
    first = await bench.body(page_size="10")
    bench.time.forward(3601)
    with pytest.raises(BadRequest, match="older than 3600 seconds"):
        await bench.ask(page_size="10", next=first["next"])


@pytest.mark.parametrize(
    "other",
    [
        {"fields": "id"},
        {"expand": "work_location"},
        {"include": "avatar_url"},
        {"include": "withheld"},
        {"filter__employee_number": "1"},
        {"updated_after": "2020-01-01"},
        {"proxy__town": "t1"},
    ],
)
async def test_a_cursor_is_of_no_use_to_another_question(other: dict[str, Any]) -> None:
    bench = ReadBench(make_vendor(30))
    cursor = (await bench.body(page_size="10"))["next"]
    bench.vendor.take_calls()
    with pytest.raises(BadRequest, match="not a cursor of this list"):
        await bench.ask(page_size="10", next=cursor, **other)


async def test_an_error_half_way_is_an_error_and_not_the_end() -> None:
    bench = ReadBench(make_vendor(30))
    first = await bench.body(page_size="10")
    lose_all(bench)
    bench.vendor.instead = lambda _: refusal(500)
    with pytest.raises(VendorFailure):
        await bench.ask(page_size="10", next=first["next"])
    bench.vendor.instead = lambda _: None
    assert remote_ids((await bench.body(page_size="10", next=first["next"]))["data"]) == numbered(*range(10, 20))
