"""Large pages are kept as the vendor's text: what is read from them is what decoding them at once would give."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.exchange import Answer, Request
from gateway.unified.block_cache import DECODED, BlockCache
from gateway.unified.blocks import BLOCK
from gateway.unified.vendor_page import SMALLEST
from gateway.upstream.decoding import UNREADABLE_COLUMNS
from tests.fakes.collections import CollectionsBench, thing
from tests.fakes.core import Vendor

FILLING = "ä" * (SMALLEST // BLOCK)


def large(count: int, made: str | None = "2020-01-01T00:00:00Z", **more: Any) -> list[dict[str, Any]]:
    return [{**thing(number, made), "filling": FILLING, "number": number, **more} for number in range(count)]


@pytest.mark.parametrize("made", ["2020-01-01T00:00:00Z", None], ids=["pages that touch", "pages that overlap"])
@pytest.mark.parametrize("count", [250, 251, 600])
async def test_any_slice_is_that_of_the_list(count: int, made: str | None) -> None:
    rows = large(count, made)
    bench = CollectionsBench(Vendor({"/things": rows}))
    fresh = await bench.open()
    stored = await bench.open()
    assert fresh.held is not None
    assert stored.held is None
    assert [count for _, count in stored.spans] == [count for _, count in fresh.spans]
    for snapshot in (fresh, stored):
        for start, stop in [
            (0, 1),
            (0, 30),
            (240, 260),
            (249, 250),
            (250, 251),
            (0, count),
            (count - 1, count),
            (9, 9),
        ]:
            found = await bench.snapshots.rows(bench.account_cache, snapshot, start, stop)
            assert list(found or ()) == rows[start:stop]
        wanted = [0, 3, 249, count - 1]
        assert await bench.snapshots.take(bench.account_cache, snapshot, wanted) == [rows[each] for each in wanted]


async def test_a_column_is_that_of_the_rows_whether_it_was_kept_or_not() -> None:
    rows = large(600)
    bench = CollectionsBench(Vendor({"/things": rows}))
    for snapshot in (await bench.open(), await bench.open()):
        for name in ("id", "number", "nothing"):
            column = await bench.snapshots.column(bench.account_cache, snapshot, name)
            assert column == [row.get(name) for row in rows]


async def test_the_same_list_has_the_same_id_and_another_one_has_another() -> None:
    rows = large(600)
    first, second = [await CollectionsBench(Vendor({"/things": rows})).open() for _ in range(2)]
    rows[599]["filling"] += "!"
    third = await CollectionsBench(Vendor({"/things": rows})).open()
    assert first.id == second.id != third.id


async def test_columns_that_must_never_leave_are_not_kept_from_large_pages_either() -> None:
    bench = CollectionsBench(Vendor({"/things": [*large(500), {**thing(500), "secret": "planted"}]}))
    await bench.open()
    found = await bench.read(await bench.open())
    assert found == [*large(500), thing(500)]


class Odd(Vendor):
    """Sends JSON of its own in place of a mark."""

    odd: bytes = b""

    async def send(self, base_url: str, request: Request) -> Answer:
        answer = await super().send(base_url, request)
        return replace(answer, body=answer.body.replace(b'"MARK"', self.odd))


@pytest.mark.parametrize("odd", [b"1e400", b"9" * 400, b'"\\ud83d"', b"[" * 500 + b"]" * 500, b"NaN"], ids=str)
async def test_a_value_that_cannot_be_read_is_null_and_named(odd: bytes) -> None:
    rows = large(300)
    vendor = Odd({"/things": [*rows[:7], {**rows[7], "filling": "MARK"}, *rows[8:]]})
    vendor.odd = odd
    bench = CollectionsBench(vendor)
    for snapshot in (await bench.open(), await bench.open()):
        [row] = await bench.snapshots.take(bench.account_cache, snapshot, [7]) or ()
        assert (row["filling"], row[UNREADABLE_COLUMNS]) == (None, ["filling"])
        assert await bench.snapshots.take(bench.account_cache, snapshot, [8]) == [rows[8]]


def test_lists_in_memory_are_bounded_and_those_of_a_purged_account_are_gone() -> None:
    closed = set[str]()
    lists = BlockCache(60_000, closed)

    def fill(account: str) -> None:
        lists.put_packed(account, "s", 0, b"x" * 900)
        lists.put_opened(account, "s", 0, [b"x"], 900)
        lists.put_column(account, "s", "id", ["x"] * 9)
        lists.put_decoded(account, "s", [{"id": "x"}], 900 // DECODED)

    def held(account: str) -> list[bool]:
        parts = (lists.packed(account, "s", 0), lists.opened(account, "s", 0))
        return [each is not None for each in (*parts, lists.column(account, "s", "id"), lists.decoded(account, "s"))]

    for number in range(1000):
        fill(f"a{number}")
    assert 30_000 < lists.weight <= 60_000
    assert all(held("a999"))
    assert "a999" in lists
    assert not any(held("a0"))
    closed.add("a999")
    lists.purge("a999")
    # A read that began before the purge ends now.
    fill("a999")
    assert not any(held("a999"))
    assert "a999" not in lists
