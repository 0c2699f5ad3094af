"""Lists are read whole or not at all, kept in blocks, and read again only when they must be."""

import asyncio
from typing import Any

import pytest

from connectors.exchange import Answer, Request
from gateway.core.errors import VendorFailure
from tests.core.desk import Desk, numbered, things
from tests.core.parts import Vendor, json_answer, refusal


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
    desk = Desk(things(1))
    desk.vendor.instead = lambda _: json_answer(body)
    with pytest.raises(VendorFailure, match="Village answered /things in an unknown shape") as failed:
        await desk.open()
    assert words in failed.value.message
    assert not desk.memory.values
