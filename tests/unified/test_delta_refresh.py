"""A list that is refreshed by its changes is the vendor's list, whatever happens and whatever the vendor does.

Before any call rows are created, changed and deleted. A list that was refreshed must be what the vendor had at the
moment of the call for the changes; and a vendor that does not tell changes rightly must be found out.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.changes import Changes
from connectors.exchange import Answer, Request
from connectors.paging import OffsetPaging
from connectors.spec import OWN_KEY, Collection, any_row, owned_by
from gateway.cache.freshness import NO_DIRECTIVES, Directives
from gateway.errors import VendorFailure
from gateway.unified.delta import DeltaBasis
from gateway.unified.page_checks import SKEW
from gateway.unified.vendor_facts import refuses_query
from tests.fakes.collections import LINKED, CollectionsBench
from tests.fakes.core import Vendor, json_answer, refusal
from tests.fakes.vendor import VILLAGE

State = dict[str, dict[str, Any]]
PAGE = 8
TOLD = Changes(since="changed[gte]", before="changed[lt]")
TURNING = replace(TOLD, among="id[in]", turns=lambda row, until: "" < (row.get("turns") or "") <= until.isoformat())
SMALL_PAGES = replace(
    VILLAGE, paging=OffsetPaging(limit="limit", offset="skip", size=PAGE, created="made", updated="changed")
)
KINDS = ("honest", "ignores", "refuses", "fails", "later", "earlier", "ignores before", "counts all", "cuts pages")
"""What a vendor may do with the filters. `later` and `earlier` compare with a local time, hours away from UTC."""


@dataclass
class Historian(Vendor):
    """A vendor with one list, which remembers all that it ever was. `change` is called before each answer."""

    kind: str = "honest"
    skew: timedelta = timedelta()
    change: Callable[["Historian"], None] = lambda _: None
    rows: State = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    made: int = 0
    bench: CollectionsBench | None = None

    @property
    def now(self) -> datetime:
        assert self.bench is not None
        return self.bench.time.moment + self.skew

    def stamp(self, ago: timedelta = timedelta()) -> str:
        return (self.now - ago).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def create(self, ago: timedelta = timedelta(), **values: Any) -> str:
        name, self.made = f"n{self.made}", self.made + 1
        self.rows[name] = {"id": name, "made": self.stamp(ago), "changed": self.stamp(ago), "title": 0, **values}
        return name

    def update(self, name: str, *, stamped: bool = True, **values: Any) -> None:
        row = self.rows[name]
        self.rows[name] = {**row, "title": row["title"] + 1, **values}
        if stamped:
            self.rows[name]["changed"] = self.stamp()

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked.append(request)
        self.change(self)
        self.states.append(dict(self.rows))
        filters = [(name, value) for name, value in request.query if name not in {"limit", "skip"}]
        if filters and self.kind in {"refuses", "fails"}:
            return refusal(400 if self.kind == "refuses" else 500)
        query = dict(request.query)
        rows = [row for row in self.rows.values() if self._chosen(row, filters)]
        skip, limit = int(query["skip"]), min(int(query["limit"]), self.most)
        page = rows[skip : skip + limit]
        if filters and self.kind == "cuts pages":
            page = page[: len(page) // 2]
        return json_answer({"total": len(self.rows if self.kind == "counts all" else rows), "data": page})

    def _chosen(self, row: dict[str, Any], filters: list[tuple[str, str]]) -> bool:
        shift = timedelta(hours={"later": 5, "earlier": -5}.get(self.kind, 0))
        ids = [value for name, value in filters if name == "id[in]"]
        told = dict(filters)
        if self.kind == "ignores" or not filters:
            return True
        at = datetime.fromisoformat(row["changed"])
        since, before = told.get("changed[gte]"), told.get("changed[lt]")
        if since and at < datetime.fromisoformat(since) + shift:
            return False
        if before and self.kind != "ignores before" and at >= datetime.fromisoformat(before) + shift:
            return False
        return not ids or row["id"] in ids


def historian(count: int = 30, *, kind: str = "honest", skew: int = 0, changes: Changes = TOLD) -> Historian:
    vendor = Historian(most=PAGE, kind=kind, skew=timedelta(seconds=skew))
    collection = Collection("/things", "things", changes=changes)
    vendor.bench = CollectionsBench(vendor, collection=collection, connector=SMALL_PAGES, whole_seconds=3600)
    for number in range(count):
        vendor.create(timedelta(days=9, minutes=-number))
    return vendor


async def proven(vendor: Historian) -> None:
    """Reads the list, and once by its changes, so that the vendor is known to tell them."""
    await read(vendor)
    assert await later(vendor, 400) == (vendor.rows, [*PROBE, *BY_CHANGES])


async def read(vendor: Historian, directives: Directives = NO_DIRECTIVES) -> tuple[State, list[str]]:
    """Returns the list as it is read, and for each call which filter it had, or `page`. All background work is done."""
    bench = vendor.bench
    assert bench is not None
    vendor.asked.clear()
    vendor.states.clear()
    snapshot = await bench.open(directives)
    for _ in range(50):
        await asyncio.sleep(0)
    rows = await bench.snapshots.rows(bench.new_cache(), snapshot, 0)
    assert rows is not None
    found = {row["id"]: dict(row) for row in rows}
    assert len(found) == len(rows) == snapshot.total
    return found, [_filter_of(request) for request in vendor.asked]


def _filter_of(request: Request) -> str:
    return next((name for name, _ in request.query if name not in {"limit", "skip"}), "page")


BY_CHANGES = ["changed[gte]", "changed[lt]"]
PROBE = ["changed[lt]"]
"""At first, and again after some hours: rows that are older than the oldest one."""


async def later(vendor: Historian, seconds: float = 61) -> tuple[State, list[str]]:
    """Reads the list when it is stale."""
    assert vendor.bench is not None
    vendor.bench.time.forward(seconds)
    return await read(vendor)


# --- what it costs, and what it gives ---------------------------------------------------------------------------


async def test_an_unchanged_list_costs_two_calls_and_stays_the_same_snapshot() -> None:
    vendor = historian(300)
    assert vendor.bench is not None
    await proven(vendor)
    first = await vendor.bench.open()
    for _ in range(5):
        vendor.asked.clear()
        vendor.bench.time.forward(61)
        again = await vendor.bench.open()
        assert (again.id, again.total, len(vendor.asked)) == (first.id, 300, 2)
        assert again.times.made_at == vendor.bench.time.seconds()
        assert (await read(vendor)) == (vendor.rows, [])


Happening = Callable[[Historian], object]


def turn_over(vendor: Historian) -> None:
    del vendor.rows["n3"]
    vendor.create()


def delete_new(vendor: Historian) -> None:
    del vendor.rows[vendor.create()]


@pytest.mark.parametrize(
    ("happens", "calls"),
    [
        (lambda vendor: vendor.create(), BY_CHANGES),
        (lambda vendor: vendor.update("n3"), BY_CHANGES),
        (lambda vendor: [vendor.update(f"n{number}") for number in range(5)], BY_CHANGES),
        (delete_new, BY_CHANGES),
        (lambda vendor: vendor.rows.pop("n3"), [*BY_CHANGES, *["page"] * 5]),
        (turn_over, [*BY_CHANGES, *["page"] * 5]),
        # More than a page has changed: one call says so.
        (lambda vendor: [vendor.update(f"n{number}") for number in range(9)], ["changed[gte]", *["page"] * 5]),
        # The row that would show that the filter works is gone.
        (lambda vendor: vendor.rows.pop("n29"), ["changed[gte]", *["page"] * 5]),
        # One that was there long ago and is seen only now.
        (lambda vendor: vendor.rows.update(x={**vendor.rows["n3"], "id": "x", "changed": vendor.stamp()}), None),
    ],
)
async def test_what_happens_is_seen(happens: Happening, calls: list[str] | None) -> None:
    vendor = historian()
    await proven(vendor)
    happens(vendor)
    found, asked = await later(vendor, 400)
    assert found == vendor.rows
    assert "page" in asked if calls is None else asked[: len(BY_CHANGES)] == calls[: len(BY_CHANGES)]
    assert calls is None or ("page" in asked) == ("page" in calls)
    # And the next time, and the one after.
    for name in ("n5", "n6"):
        vendor.update(name)
        assert (await later(vendor))[0] == vendor.rows


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"honest", "earlier"}])
async def test_a_vendor_that_does_not_tell_changes_is_found_out_and_not_asked_again(kind: str) -> None:
    vendor = historian(kind=kind)
    await read(vendor)
    asked = []
    for name in ("n1", "n2", "n3"):
        vendor.update(name)
        found, calls = await later(vendor, 400)
        assert found == vendor.rows
        asked += calls
    assert len([call for call in asked if call != "page"]) <= 4
    # After some hours it is tried again.
    assert vendor.bench is not None
    vendor.kind = "honest"
    vendor.bench.time.forward(7 * 3600)
    await read(vendor)
    await later(vendor)
    assert await later(vendor) == (vendor.rows, BY_CHANGES)


async def test_a_vendor_that_compares_with_an_earlier_local_time_does_no_harm() -> None:
    vendor = historian(kind="earlier")
    await read(vendor)
    vendor.update("n1")
    assert (await later(vendor))[0] == vendor.rows


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_a_vendor_that_is_not_available_is_not_taken_for_one_that_refuses(status: int) -> None:
    vendor = historian()
    await proven(vendor)
    vendor.instead = lambda _: refusal(status)
    usual = vendor.send

    async def send(base_url: str, request: Request) -> Answer:
        vendor.asked.append(request)
        return refusal(status) if vendor.instead(request) else await usual(base_url, request)

    vendor.send = send  # type: ignore[method-assign]
    with pytest.raises(Exception, match=str(status) if status != 429 else "limits"):
        await later(vendor)
    del vendor.send
    assert (await read(vendor))[1] == BY_CHANGES


async def test_a_list_is_read_whole_once_an_hour_and_where_the_caller_wants_a_new_one() -> None:
    vendor = historian()
    await proven(vendor)
    whole = []
    for _ in range(120):
        _, calls = await later(vendor)
        whole.append("page" in calls)
    assert whole.count(True) == 2
    assert "page" in (await read(vendor, Directives(no_cache=True)))[1]


async def test_a_list_that_a_write_has_outdated_is_refreshed_by_its_changes_and_after_a_general_change_is_not() -> None:
    vendor = historian()
    assert vendor.bench is not None
    await proven(vendor)
    vendor.update("n4")
    vendor.bench.readings += 1
    await vendor.bench.new_cache().invalidate(["things"])
    assert await read(vendor) == (vendor.rows, BY_CHANGES)
    vendor.bench.readings += 1
    await vendor.bench.new_cache().invalidate(None)
    assert "page" in (await read(vendor))[1]


@pytest.mark.parametrize("ripples", [True, False])
async def test_where_a_change_may_change_others_the_list_is_unchanged_or_read_whole(*, ripples: bool) -> None:
    vendor = historian(changes=replace(TOLD, ripples=ripples))
    await proven(vendor)
    assert (await later(vendor))[1] == BY_CHANGES
    vendor.update("n4")
    found, calls = await later(vendor)
    assert found == vendor.rows
    assert ("page" in calls) == ripples


async def test_changes_that_move_no_time_are_found_at_the_next_whole_reading_and_then_the_list_is_read_whole() -> None:
    vendor = historian()
    await proven(vendor)
    await later(vendor)
    vendor.update("n4", stamped=False)
    await later(vendor, 3145)
    vendor.update("n5", stamped=False)
    found, calls = await later(vendor)
    assert found == vendor.rows
    assert set(calls) == {"page"}


async def test_loose_columns_do_not_count_as_changes() -> None:
    vendor = historian(changes=replace(TOLD, loose=frozenset({"title"})))
    await proven(vendor)
    await later(vendor)
    vendor.update("n4", stamped=False)
    await later(vendor, 3145)
    assert (await later(vendor))[1] == BY_CHANGES


async def test_rows_that_were_evicted_are_read_again_though_the_list_is_unchanged() -> None:
    vendor = historian()
    bench = vendor.bench
    assert bench is not None
    await proven(vendor)
    whole = bench.collection
    part = Collection("/things", "things", {"id": OWN_KEY}, whole=whole, sift=owned_by("id"))
    bench.collection = Collection("/things", "things", {"no": "filter"}, whole=whole, sift=any_row)
    context = bench.context()
    await bench.collections.facts.add(context, refuses_query(part))
    bench.memory.evict("block", "column")
    bench.time.forward(61)
    snapshot = await bench.collections.open(context, part, "n7")
    assert [row["id"] for row in await bench.snapshots.rows(context.cache, snapshot, 0) or ()] == ["n7"]
    await bench.collections.facts.add(context, refuses_query(bench.collection))
    bench.memory.evict("block", "column")
    bench.time.forward(61)
    snapshot = await bench.collections.open(bench.context(), bench.collection)
    assert {
        row["id"] for row in await bench.snapshots.rows(bench.context().cache, snapshot, 0) or ()
    } == vendor.rows.keys()


async def test_a_basis_of_another_version_is_not_used() -> None:
    assert DeltaBasis.read(b'{"snapshot":"s","total":3}') is None


# --- what the rows must say -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        ({"changed": None}, TOLD),
        ({"changed": "yesterday"}, TOLD),
        ({"changed": "2027-01-01T00:00:00Z"}, TOLD),
        ({"made": "2020-01-01T00:00:00Z"}, replace(TOLD, shows=("status",))),
        ({}, replace(TOLD, scope=SMALL_PAGES.endpoints[0].scope.__class__(("private",)))),
    ],
)
async def test_a_list_whose_rows_do_not_say_enough_is_read_whole(values: dict[str, Any], changes: Changes) -> None:
    vendor = historian(changes=changes)
    vendor.rows["n4"] |= values
    await read(vendor)
    assert set((await later(vendor))[1]) == {"page"}
    assert "private" not in LINKED.account.grant.scopes


@pytest.mark.parametrize(("count", "calls"), [(2 * PAGE, {"page"}), (2 * PAGE + 1, set(BY_CHANGES))])
async def test_a_short_list_is_read_whole(count: int, calls: set[str]) -> None:
    vendor = historian(count)
    await read(vendor)
    await later(vendor)
    assert set((await later(vendor))[1]) == calls


async def test_who_turns_by_the_day_alone_is_read_again() -> None:
    vendor = historian(changes=TURNING)
    today = date(2026, 11, 24).isoformat()
    await proven(vendor)
    vendor.create(timedelta(days=20), turns=today)
    await read(vendor, Directives(no_cache=True))
    assert (await later(vendor))[1] == ["id[in]", *BY_CHANGES]
    vendor.update("n30", stamped=False, turns=None)
    assert await later(vendor) == (vendor.rows, ["id[in]", *BY_CHANGES])
    # It has turned and will not do so again.
    assert await later(vendor) == (vendor.rows, BY_CHANGES)
    vendor.create(timedelta(days=20), turns=today)
    await read(vendor, Directives(no_cache=True))
    del vendor.rows["n31"]
    found, calls = await later(vendor)
    assert found == vendor.rows
    assert "page" in calls


# --- whatever happens -------------------------------------------------------------------------------------------


def at_random(chance: Random, restlessness: float) -> Callable[[Historian], None]:
    def change(vendor: Historian) -> None:
        assert vendor.bench is not None
        vendor.bench.time.forward(chance.choice([0, 0, 1, 3]))
        while chance.random() < restlessness:
            what = chance.choice(["create", "update", "delete", "both", "fleeting", "shuffle"])
            if what in {"create", "both"}:
                vendor.create()
            if what == "fleeting":
                del vendor.rows[vendor.create()]
            if vendor.rows and what == "update":
                vendor.update(chance.choice(list(vendor.rows)))
            if vendor.rows and what in {"delete", "both"}:
                del vendor.rows[chance.choice(list(vendor.rows))]
            if what == "shuffle":
                vendor.rows = dict(chance.sample(list(vendor.rows.items()), len(vendor.rows)))

    return change


@given(
    seed=st.integers(0, 1 << 32),
    count=st.integers(2 * PAGE + 1, 4 * PAGE),
    kind=st.sampled_from(("honest", *KINDS)),
    restlessness=st.sampled_from([0.1, 0.3, 0.5]),
    skew=st.integers(-int(SKEW.total_seconds()) + 1, int(SKEW.total_seconds()) - 1),
    pauses=st.lists(st.sampled_from([61, 61, 200, 400, 4000]), min_size=1, max_size=6),
)
@settings(deadline=None, max_examples=400)
async def test_a_refreshed_list_is_the_one_that_the_vendor_had_when_it_told_the_changes(
    seed: int, count: int, kind: str, restlessness: float, skew: int, pauses: list[int]
) -> None:
    vendor = historian(count, kind=kind, skew=skew)
    assert vendor.bench is not None
    await read(vendor)
    vendor.change = at_random(Random(seed), restlessness)
    for pause in pauses:
        vendor.change(vendor)
        vendor.bench.time.forward(pause)
        try:
            found, calls = await read(vendor)
        except VendorFailure:
            continue
        if calls and calls[-1] == "changed[lt]":
            assert found == vendor.states[-2]
        elif calls:
            first = calls.index("page")
            throughout = set.intersection(*(set(state) for state in vendor.states[first:]))
            assert throughout <= found.keys()
