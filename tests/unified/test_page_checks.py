"""No snapshot that is accepted repeats somebody, or misses one who was there throughout: a model of lists that change.

Between any two pages rows are inserted anywhere, deleted and put in another order. A snapshot may fail, but never lie.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.exchange import Answer, Request
from gateway.cache.freshness import Directives
from gateway.errors import VendorFailure
from gateway.unified.page_checks import SKEW
from tests.fakes.collections import CollectionsBench
from tests.fakes.core import Vendor, json_answer

Rows = list[dict[str, Any]]


@dataclass
class Restless(Vendor):
    """A vendor whose list is changed before each page. No id is ever given again."""

    bench: CollectionsBench | None = None
    change: Callable[["Restless", int, int], None] = lambda *_: None
    stamped: bool = True
    skew: timedelta = timedelta()
    rows: Rows = field(default_factory=list)
    throughout: set[str] = field(default_factory=set)
    made: int = 0

    def insert(self, position: int, *, long_ago: bool = False) -> None:
        assert self.bench is not None
        stamp = self.bench.time.moment + self.skew - (timedelta(days=9) if long_ago else timedelta())
        self.rows.insert(position, {"id": f"n{self.made}", "made": stamp.isoformat() if self.stamped else None})
        self.made += 1

    def delete(self, position: int) -> None:
        self.throughout.discard(self.rows.pop(position)["id"])

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked.append(request)
        query = dict(request.query)
        skip, limit = int(query["skip"]), min(int(query["limit"]), self.most)
        if len(self.asked) == 1:
            self.throughout = {row["id"] for row in self.rows}
        else:
            self.change(self, skip, limit)
        return json_answer({"total": len(self.rows), "data": self.rows[skip : skip + limit]})


def restless(
    count: int, most: int, change: Callable[[Restless, int, int], None], *, stamped: bool, skew: int = 0
) -> Restless:
    vendor = Restless(most=most, change=change, stamped=stamped, skew=timedelta(seconds=skew))
    vendor.bench = CollectionsBench(vendor)
    for _ in range(count):
        vendor.insert(0, long_ago=True)
    return vendor


async def swept(vendor: Restless) -> list[str] | None:
    """Returns the ids of a snapshot, or None where it failed; what is accepted must be true."""
    assert vendor.bench is not None
    try:
        snapshot = await vendor.bench.open(Directives(no_store=True))
    except VendorFailure:
        return None
    found = [row["id"] for row in await vendor.bench.read(snapshot)]
    assert len(found) == len(set(found))
    assert vendor.throughout <= set(found)
    return found


def at_random(chance: Random, restlessness: float) -> Callable[[Restless, int, int], None]:
    def change(vendor: Restless, _: int, __: int) -> None:
        assert vendor.bench is not None
        vendor.bench.time.forward(chance.choice([0, 1, 400]))
        while chance.random() < restlessness:
            what = chance.choice(["insert", "delete", "both", "swap", "shuffle"])
            if what in {"insert", "both"}:
                vendor.insert(chance.randint(0, len(vendor.rows)))
            if what in {"delete", "both"} and vendor.rows:
                vendor.delete(chance.randrange(len(vendor.rows)))
            if what == "swap" and len(vendor.rows) > 1:
                one, other = chance.sample(range(len(vendor.rows)), 2)
                vendor.rows[one], vendor.rows[other] = vendor.rows[other], vendor.rows[one]
            if what == "shuffle":
                chance.shuffle(vendor.rows)

    return change


@given(
    chance=st.randoms(use_true_random=False),
    count=st.integers(0, 14),
    most=st.integers(1, 6),
    restlessness=st.sampled_from([0.0, 0.1, 0.3, 0.6]),
    stamped=st.booleans(),
    skew=st.integers(-int(SKEW.total_seconds()) + 1, int(SKEW.total_seconds()) - 1),
)
@settings(deadline=None, max_examples=400)
async def test_what_is_accepted_repeats_nobody_and_misses_nobody_who_was_there_throughout(
    chance: Random, count: int, most: int, restlessness: float, *, stamped: bool, skew: int
) -> None:
    vendor = restless(count, most, at_random(chance, restlessness), stamped=stamped, skew=skew)
    found = await swept(vendor)
    if not restlessness:
        assert found == [row["id"] for row in vendor.rows]


@given(count=st.integers(4, 14), most=st.integers(2, 6), stamped=st.booleans())
@settings(deadline=None, max_examples=200)
async def test_no_row_can_be_hidden_from_all_pages(count: int, most: int, *, stamped: bool) -> None:
    """One row is missing in each page, as a changing order may do, and a new row replaces it in the total.

    Each page begins with the row that the one before ended with, and holds nobody twice.
    """
    seen: list[dict[str, Any]] = []

    def hide(vendor: Restless, skip: int, limit: int) -> None:
        hidden = next(row for row in vendor.rows if row["id"] == "n0")
        if skip == 0:
            seen.clear()
        length = min(limit, len(vendor.rows) - skip)
        joint = [row for row in seen[-1:] if row in vendor.rows]
        unseen = [row for row in vendor.rows if row not in seen and row is not hidden]
        while len(joint) + len(unseen) < length:
            deleted = next(row for row in vendor.rows if row not in joint and row is not hidden and row in seen)
            vendor.delete(vendor.rows.index(deleted))
            vendor.insert(0)
            unseen.append(vendor.rows[0])
        page = (joint + unseen)[:length]
        others = [row for row in vendor.rows if row not in page and row is not hidden]
        rest = [*others, hidden]
        # Who is hidden stands behind the page, or before it where that is the end.
        before = rest[:skip] if len(rest) - 1 >= skip else [*others[: skip - 1], hidden]
        vendor.rows[:] = [*before, *page, *(row for row in rest if row not in before)]
        seen.extend(page[len(joint) :])

    vendor = restless(count, most, hide, stamped=stamped)
    # The first page is read before anything changes; the one to be hidden is the last of the list.
    seen.extend(vendor.rows[:most])
    found = await swept(vendor)
    assert found is None or "n0" in found


@pytest.mark.parametrize("stamped", [True, False])
async def test_a_list_that_moves_on_by_one_is_not_taken_for_whole(*, stamped: bool) -> None:
    """One leaves whose page was read, one joins at the end: the total stays, and who moves up is on neither page."""
    moved: list[int] = []

    def change(vendor: Restless, _: int, __: int) -> None:
        if not moved:
            vendor.delete(0)
            vendor.insert(len(vendor.rows))
            moved.append(1)

    vendor = restless(8, 4, change, stamped=stamped)
    assert await swept(vendor) == [row["id"] for row in vendor.rows]


@pytest.mark.parametrize("stamp", ["made", "no stamp"])
async def test_a_row_without_a_key_is_known_by_all_that_it_says(stamp: str) -> None:
    rows: Rows = [{"name": f"row {number}", stamp: "2020-01-01T00:00:00Z"} for number in range(6)]
    bench = CollectionsBench(Vendor({"/things": rows}, most=4))
    assert await bench.read(await bench.open()) == rows
    # Two that say the same are two where they are of one answer, and cannot be told apart where they are of two.
    rows[5] = dict(rows[4])
    bench.vendor.most = 6
    assert len(await bench.read(await bench.open(Directives(no_cache=True)))) == 6
    bench.vendor.most = 4
    with pytest.raises(VendorFailure, match=r"its pages held 5 different rows, 6 in all, of 6\."):
        await bench.open(Directives(no_cache=True))


async def test_a_page_with_the_same_row_twice_is_refused_too() -> None:
    bench = CollectionsBench(Vendor({"/things": [{"id": "x"}, {"id": "x"}, {"id": "y"}]}))
    with pytest.raises(VendorFailure, match=r"its pages held 2 different rows, 3 in all, of 3\."):
        await bench.open()
    assert not bench.memory.values
