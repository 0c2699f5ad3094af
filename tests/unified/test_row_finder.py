"""Rows are found by a value in a column, in lists of one block and of several, by few keys and by many."""

import pytest

from gateway.unified.row_finder import FEW_KEYS, RowFinder
from tests.fakes.collections import CollectionsBench, thing
from tests.fakes.core import Vendor

OWNERS = ("ann", "bob", None, 7, "", "ann", 1.5, ["ann"])


@pytest.mark.parametrize("count", [1, 8, 600])
@pytest.mark.parametrize("keys", [("ann",), ("bob", 7, ""), ("nobody",), (), ("ann", "bob", 7, "", "x", "y")])
async def test_rows_with_a_key_are_those_that_have_it(count: int, keys: tuple[str | int, ...]) -> None:
    rows = [{**thing(number), "owner": OWNERS[number % len(OWNERS)]} for number in range(count)]
    bench = CollectionsBench(Vendor({"/things": rows}))
    for snapshot in (await bench.open(), await bench.open()):
        finder = RowFinder(bench.snapshots, bench.account_cache)
        found = await finder.rows_with(snapshot, "owner", keys)
        assert found == [row for row in rows if isinstance(row["owner"], str | int) and row["owner"] in keys]
    assert FEW_KEYS < 6


@pytest.mark.parametrize("count", [8, 600])
@pytest.mark.parametrize(("wanted", "places"), [("ann", {0, 5}), ("7", {3}), ("1.5", {6}), ("x", set()), ("", {4})])
async def test_rows_with_a_text_are_found_with_their_numbers(count: int, wanted: str, places: set[int]) -> None:
    rows = [{**thing(number), "owner": OWNERS[number % len(OWNERS)]} for number in range(count)]
    bench = CollectionsBench(Vendor({"/things": rows}))
    snapshot = await bench.open()
    finder = RowFinder(bench.snapshots, bench.account_cache)
    numbers = [number for number in range(3, count) if number % len(OWNERS) in places]
    assert await finder.rows_with_text(snapshot, "owner", wanted, 3) == (numbers, [rows[number] for number in numbers])


async def test_what_is_no_longer_stored_is_none() -> None:
    bench = CollectionsBench(Vendor({"/things": [thing(number) for number in range(600)]}))
    await bench.open()
    snapshot = await bench.open()
    bench.memory.evict("block")
    finder = RowFinder(bench.snapshots, bench.account_cache)
    assert await finder.rows_with(snapshot, "id", ["x1"]) is None
    assert await finder.rows_with_text(snapshot, "id", "x1", 0) is None
