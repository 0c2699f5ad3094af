"""At midnight roles begin and end, and nobody asks the vendor for that: what is known decides what is current."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Operation
from connectors.exchange import Answer, Request
from connectors.hris.operations import OPERATIONS
from connectors.humaans.connector import HUMAANS
from connectors.registry import CONNECTORS
from connectors.spec import Collection, Endpoint
from gateway.cache.account_cache import AccountCache
from gateway.unified.day_change import DayWatch
from gateway.unified.mapping import compile_table, index, joins_for, make_record
from tests.fakes.core import Register, Rows, Time, json_answer, make_key, make_linked, refusal
from tests.fakes.vendor import ReadBench

EVENING = datetime(2026, 11, 24, 23, 59, 30, tzinfo=UTC)
TODAY = EVENING.date()
TOMORROW = TODAY + timedelta(days=1)
ACCOUNTS = [f"a{number}" for number in range(1, 201)]
FIELDS: dict[str, Any] = {"fields": "id,first_name,job_title,employment_status"}
MADE = "2025-06-01T09:00:00.000Z"


def operation(name: str) -> Operation:
    return next(each for each in OPERATIONS if each.id == name)


LIST, GET = operation("list_employees"), operation("get_employee")


def person(key: str) -> dict[str, Any]:
    return {
        "id": key,
        "firstName": key,
        "status": "active",
        "employmentStartDate": "2024-01-01",
        "createdAt": MADE,
        "updatedAt": MADE,
    }


def role(key: str, owner: str, title: str, begins: str, ends: str | None = None) -> dict[str, Any]:
    made = {"createdAt": MADE, "updatedAt": MADE}
    return {"id": key, "personId": owner, "jobTitle": title, "effectiveDate": begins, "endDate": ends, **made}


@dataclass
class Company:
    """A vendor with two people, of whom `mover` has another role from tomorrow on."""

    asked: list[Request] = field(default_factory=list)
    people: Rows = field(default_factory=lambda: [person("stayer"), person("mover")])
    roles: Rows = field(
        default_factory=lambda: [
            role("r1", "stayer", "Clerk", "2024-01-01"),
            role("r2", "mover", "Clerk", "2024-01-01", TODAY.isoformat()),
            role("r3", "mover", "Lead", TOMORROW.isoformat()),
        ]
    )

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked.append(request)
        query = dict(request.query)
        if request.path == "/people":
            return self._page(self.people, query)
        if request.path == "/job-roles":
            return self._page([each for each in self.roles if _asked_for(each, query)], query)
        found = [each for each in self.people if request.path == f"/people/{each['id']}"]
        return json_answer(found[0]) if found else refusal(404)

    def take_calls(self) -> int:
        calls = len(self.asked)
        self.asked.clear()
        return calls

    def _page(self, rows: Rows, query: Mapping[str, str]) -> Answer:
        limit, skip = int(query.get("$limit", "100")), int(query.get("$skip", "0"))
        return json_answer({"total": len(rows), "limit": limit, "skip": skip, "data": rows[skip : skip + limit]})


def _asked_for(row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    on, after, owner = query.get("$asOf"), query.get("effectiveDate[$gt]"), query.get("personId")
    in_force = on is None or (row["effectiveDate"] <= on and (row["endDate"] is None or on <= row["endDate"]))
    return in_force and (after is None or row["effectiveDate"] > after) and owner in {None, row["personId"]}


def evening(local_bytes: int = 0) -> ReadBench[Company]:
    clock = Time(EVENING, chance=0.0)
    linked = {each: make_linked(each, *HUMAANS.scopes, provider="humaans") for each in ACCOUNTS}
    keys = {"key": make_key("hris.employees:read", "hris.employments:read")}
    register = Register(keys=keys, accounts=linked)
    return ReadBench(Company(), time=clock, connector=HUMAANS, usual=LIST, local_bytes=local_bytes, register=register)


def titles(body: Mapping[str, Any]) -> dict[str, str]:
    return {each["first_name"]: each["job_title"] for each in body["data"]}


@pytest.mark.parametrize("local_bytes", [0, 8 << 20], ids=["Redis alone", "and the workers' memory"])
async def test_two_hundred_companies_pass_midnight_without_a_call(local_bytes: int) -> None:
    bench = evening(local_bytes)
    for account in ACCOUNTS:
        assert titles(await bench.body(account=account, **FIELDS)) == {"stayer": "Clerk", "mover": "Clerk"}
    assert bench.vendor.take_calls() == 3 * len(ACCOUNTS)
    bench.time.forward(35)
    for account in ACCOUNTS:
        page = await bench.ask(account=account, **FIELDS)
        assert b"Lead" in page.body
        assert (page.freshness.age, page.freshness.ttl) == (35, 25)
    assert bench.vendor.take_calls() == 0


@pytest.mark.parametrize("local_bytes", [0, 8 << 20], ids=["Redis alone", "and the workers' memory"])
async def test_a_record_by_id_is_asked_for_again_only_where_the_day_may_change_it(local_bytes: int) -> None:
    ids = {each["id"]: each["remote_id"] for each in (await evening().body(fields="id,remote_id"))["data"]}
    bench = evening(local_bytes)
    for account in ACCOUNTS:
        for key in ids:
            await bench.ask(GET, key, account=account, **FIELDS)
    bench.vendor.take_calls()
    bench.time.forward(35)
    for account in ACCOUNTS:
        for key, name in ids.items():
            body = await bench.body(GET, key, account=account, **FIELDS)
            assert body["data"]["job_title"] == {"stayer": "Clerk", "mover": "Lead"}[name]
            assert bench.vendor.take_calls() == {"stayer": 0, "mover": 1}[name]


async def test_a_new_day_does_not_make_lists_younger() -> None:
    bench = evening()
    await bench.ask(**FIELDS)
    bench.time.forward(35)
    await bench.ask(**FIELDS)
    bench.vendor.take_calls()
    bench.time.forward(26 + 60)
    assert titles(await bench.body(**FIELDS)) == {"stayer": "Clerk", "mover": "Lead"}
    assert ("$asOf", TOMORROW.isoformat()) in [pair for each in bench.vendor.asked for pair in each.query]


async def test_an_answer_does_not_outlive_its_day_in_a_caller_s_cache_either() -> None:
    bench = evening()
    assert (await bench.ask(**FIELDS)).freshness.lifetime == 30
    assert (await bench.ask(fields="id,first_name")).freshness.lifetime == 60


@pytest.mark.parametrize("number", range(3))
async def test_where_one_of_the_lists_is_lost_the_vendor_is_asked(number: int) -> None:
    bench = evening()
    await bench.ask(**FIELDS)
    bench.vendor.take_calls()
    lists = sorted(key for key in bench.memory.values if ":list:" in key)
    assert len(lists) == 3
    del bench.memory.values[lists[number]]
    bench.time.forward(35)
    assert titles(await bench.body(**FIELDS)) == {"stayer": "Clerk", "mover": "Lead"}
    assert bench.vendor.take_calls() > 0


async def test_what_was_changed_before_midnight_is_not_carried_over() -> None:
    bench = evening()
    await bench.ask(**FIELDS)
    bench.vendor.take_calls()
    linked = bench.register.accounts["a1"]
    await AccountCache(bench.memory, linked, 8 << 20, "a change").invalidate(["employments"])
    bench.vendor.roles[2]["jobTitle"] = "Chief"
    bench.time.forward(35)
    assert titles(await bench.body(**FIELDS))["mover"] == "Chief"
    assert bench.vendor.take_calls() > 0


DATES = st.dates(TODAY - timedelta(days=4), TODAY + timedelta(days=6)).map(date.isoformat)
MAYBE_DATES = st.none() | DATES | st.just("nonsense")
COLUMNS = ("effectiveDate", "endDate", "employmentStartDate", "employmentEndDate")


def rows_of(owner: str) -> st.SearchStrategy[Rows]:
    rows = st.fixed_dictionaries(dict.fromkeys(COLUMNS[:2], MAYBE_DATES))
    return st.lists(rows, max_size=4).map(
        lambda found: [
            {"id": f"r{number}", "personId": owner, "createdAt": MADE, "jobTitle": f"Title {number}", **each}
            for number, each in enumerate(found)
        ]
    )


def lists_of_a_day() -> list[tuple[Collection, tuple[Collection, ...]]]:
    joins = [join for each in CONNECTORS.values() for endpoint in each.endpoints for join in every_join(endpoint)]
    found = {collection for join in joins for collection in join.all_collections() if collection.of_day}
    return [(each, each.carried) for each in found if each.carried is not None]


def every_join(endpoint: Endpoint) -> tuple[Any, ...]:
    return joins_for(endpoint, compile_table(endpoint.table, list(endpoint.table.rows), frozenset()))


def test_a_join_of_the_day_reads_all_that_may_be_in_it_on_a_later_day() -> None:
    """Or the rows at hand would not tell when a record changes."""
    for connector in CONNECTORS.values():
        for endpoint in connector.endpoints:
            for join in every_join(endpoint):
                of_day = [each for each in join.collections if each.of_day]
                assert all(set(each.carried or ()) <= set(join.collections) for each in of_day)
                assert all(each.carried is not None for each in of_day)


@given(rows=rows_of("p1"), later=st.integers(1, 6))
def test_what_is_carried_over_is_what_the_whole_list_has_on_that_day(rows: Rows, later: int) -> None:
    then = TODAY + timedelta(days=later)
    for collection, carried in lists_of_a_day():
        known = [row for row in rows if any(_keeps(each, row, TODAY) for each in (collection, *carried))]
        assert [row for row in known if _keeps(collection, row, then)] == [
            row for row in rows if _keeps(collection, row, then)
        ]


def _keeps(collection: Collection, row: Mapping[str, Any], on: date) -> bool:
    return collection.sift is not None and collection.sift(row, "", on)


@given(roles=rows_of("p1"), pays=rows_of("p1"), dates=st.tuples(MAYBE_DATES, MAYBE_DATES), later=st.integers(0, 8))
def test_a_record_stays_the_same_until_the_day_that_its_rows_name(
    roles: Rows, pays: Rows, dates: tuple[str | None, str | None], later: int
) -> None:
    owner = {**person("p1"), **dict(zip(COLUMNS[2:], dates, strict=True))}
    tables = {"/job-roles": roles, "/compensations": pays, "/people": [owner], "/people/{key}": [owner]}
    then = TODAY + timedelta(days=later)
    for endpoint in HUMAANS.endpoints:
        plan = compile_table(endpoint.table, list(endpoint.table.rows), frozenset())
        joins = joins_for(endpoint, plan)
        joined = {join: index(join, tables.get(join.collections[0].path, [])) for join in joins}
        paths = {each.path for each in endpoint.collections()}
        for row in [row for path, rows in tables.items() if path in paths for row in rows]:
            watch = DayWatch(TODAY)
            now = plan.unify(make_record(endpoint, row, joined, TODAY, watch.see))
            if datetime.combine(then, time(), UTC).timestamp() < watch.holds_until:
                assert plan.unify(make_record(endpoint, row, joined, then)) == now
