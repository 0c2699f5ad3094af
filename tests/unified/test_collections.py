"""Lists are read whole or not at all, stored in blocks, and read again only when they must be."""

import asyncio
from typing import Any

import pytest

from connectors.exchange import Answer, Request
from gateway.errors import VendorFailure
from tests.fakes.collections import CollectionsBench, numbered, thing, things
from tests.fakes.core import Vendor, json_answer, refusal
from tests.fakes.vendor import MADE


@pytest.mark.parametrize(
    ("count", "most", "made", "calls"),
    [
        (0, 250, MADE, 1),
        (1, 250, MADE, 1),
        (250, 250, MADE, 1),
        (251, 250, MADE, 2),
        (997, 250, MADE, 4),
        # Full to the last page: an overlap would cost a fifth call, and the rows say that they have long been there.
        (1000, 250, MADE, 4),
        # A vendor that gives less than was asked for sets the stride.
        (91, 10, MADE, 10),
        (100, 10, MADE, 10),
        (3, 1, MADE, 3),
        # Rows that do not say when they were made: twice, with an overlap. One page is of one moment.
        (250, 250, None, 1),
        (251, 250, None, 4),
        (1000, 250, None, 10),
        (3, 1, None, 6),
        # Or that came while we read, for all we know.
        (500, 250, "2026-11-24T11:56:00.000Z", 6),
        (500, 250, "2026-11-24T11:54:00.000Z", 2),
        (500, 250, "yesterday", 6),
    ],
)
async def test_a_list_is_read_in_as_few_pages_as_will_do(count: int, most: int, made: str | None, calls: int) -> None:
    bench = CollectionsBench(things(count, made))
    bench.vendor.most = most
    snapshot = await bench.open()
    assert await bench.ids(snapshot) == numbered(0, count)
    assert (snapshot.total, len(bench.vendor.asked)) == (count, calls)


def changing(totals: list[int]) -> Vendor:
    """A list of which each call finds another length; the last length stays."""
    vendor = things(0)
    left = list(totals)

    def instead(_: Request) -> None:
        length = left.pop(0) if len(left) > 1 else left[0]
        vendor.lists["/things"] = [thing(number) for number in range(length)]

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
    bench = CollectionsBench(vendor)
    snapshot = await bench.open()
    assert (snapshot.total, await bench.ids(snapshot)) == (found, numbered(0, found))
    assert len(vendor.asked) == calls


async def test_a_list_that_changes_at_every_reading_fails_and_nothing_is_cached() -> None:
    vendor = changing(list(range(300, 400)))
    bench = CollectionsBench(vendor)
    with pytest.raises(
        VendorFailure,
        match=r"/things while it was read, 3 times; try again\. The last time it counted 304 rows and then 305\.",
    ):
        await bench.open()
    assert not bench.memory.values
    assert len(vendor.asked) == 6


async def test_the_failure_of_one_page_ends_the_others_and_nothing_is_cached() -> None:
    started, cancelled = list[str](), list[str]()

    class Slow(Vendor):
        async def send(self, base_url: str, request: Request) -> Answer:
            skip = dict(request.query)["skip"]
            started.append(skip)
            if skip == "498":
                return refusal(500)
            if skip != "0":
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    cancelled.append(skip)
                    raise
            return await super().send(base_url, request)

    bench = CollectionsBench(Slow(things(1900).lists))
    with pytest.raises(VendorFailure, match="Village answered 500 to /things"):
        await bench.open()
    # Four go side by side; one more may set out while the failure is on its way.
    assert started[:5] == ["0", "249", "498", "747", "996"]
    assert len(started) <= 6
    assert set(cancelled) == {*started} - {"0", "498"}
    assert not bench.memory.values


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "the list is not a JSON object"),
        (None, "the list is not a JSON object"),
        ({}, "'data' is not a list"),
        ({"total": 1, "data": {}}, "'data' is not a list"),
        ({"total": 2, "data": [{}, 1]}, "1 of 2 rows in 'data' are not objects"),
        ({"data": [{}]}, "'total' is not a count"),
        ({"total": "1", "data": [{}]}, "'total' is not a count"),
        ({"total": True, "data": [{}]}, "'total' is not a count"),
        ({"total": -1, "data": []}, "'total' is not a count"),
        ({"total": 3, "data": []}, "'data' is empty though 'total' is not 0"),
        ({"total": 10**15, "data": [{"id": "x"}]}, "'total' would take more than 10000 pages"),
    ],
)
async def test_an_answer_of_another_shape_is_named(body: Any, words: str) -> None:
    bench = CollectionsBench(things(1))
    bench.vendor.instead = lambda _: json_answer(body)
    with pytest.raises(VendorFailure, match="Village answered /things in an unknown shape") as failed:
        await bench.open()
    assert words in failed.value.message
    assert not bench.memory.values
