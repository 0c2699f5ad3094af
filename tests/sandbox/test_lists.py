"""Lists: envelope, paging, filters in Feathers' grammar, order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.sandbox.catalogue import RESOURCES
from deploy.sandbox.choices import Choices
from deploy.sandbox.company.cast import CAST
from deploy.sandbox.errors import ApiError
from deploy.sandbox.query import MAX_LIMIT, parse
from tests.sandbox.calling import TODAY, sandbox


@pytest.mark.parametrize("path", sorted(path for path, each in RESOURCES.items() if "list" in each.methods))
async def test_every_list_has_the_envelope(path: str) -> None:
    page = await sandbox().page(f"/{path}")
    assert list(page) == ["total", "limit", "skip", "data"]
    assert page["limit"] == 100
    assert page["total"] > 0
    assert len(page["data"]) == min(page["total"], 100)


@pytest.mark.parametrize(
    ("query", "limit", "skip", "rows"),
    [
        ("", 100, 0, 100),
        ("$limit=10", 10, 0, 10),
        ("%24limit=10&%24skip=295", 10, 295, 5),
        ("$limit=250", 250, 0, 250),
        ("$limit=251", 250, 0, 250),
        ("$limit=0", 0, 0, 0),
        ("$skip=5000", 100, 5000, 0),
    ],
)
async def test_pages(query: str, limit: int, skip: int, rows: int) -> None:
    page = await sandbox(300).page("/people", query=f"status=all&{query}")
    assert (page["total"], page["limit"], page["skip"], len(page["data"])) == (300, limit, skip, rows)


async def test_pages_cover_the_list_once() -> None:
    caller = sandbox(300)
    seen = [
        row["id"]
        for skip in range(0, 300, 70)
        for row in (await caller.page("/people", query=f"status=all&$limit=70&$skip={skip}"))["data"]
    ]
    assert len(seen) == len(set(seen)) == 300


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/people", "$limit=x"),
        ("/people", "$limit=-1"),
        ("/people", "$skip=1.5"),
        ("/people", "status=gone"),
        ("/people", "shoeSize=43"),
        ("/people", "email[$regex]=x"),
        ("/people", "$sort[email]=1"),
        ("/people", "$asOf=2026-01-01"),
        ("/people", "employmentStartDate[$gte]=tomorrow"),
        ("/job-roles", "$asOf=today"),
        ("/job-roles", "status=active"),
        ("/people", "[]=1"),
    ],
)
async def test_a_query_that_is_not_understood_is_a_bad_request(path: str, query: str) -> None:
    answer = await sandbox().get(path, query=query)
    assert (answer.status_code, answer.json()["name"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", 56),
        ("status=active", 56),
        ("status=newHire", 2),
        ("status=offboarded", 2),
        ("status=all", 60),
        ("email=florence.padilla%40L4Xe0O4l.example.com", 1),
        ("email=FLORENCE.padilla%40L4Xe0O4l.example.com", 0),
        ("firstName=Walter", 2),
        ("firstName[$in]=Walter&firstName[$in]=Myra", 3),
        ("firstName%5B%24in%5D[]=Walter&firstName%5B%24in%5D[]=Myra", 3),
        ("firstName[$nin]=Walter&firstName[$nin]=Myra", 53),
        ("firstName=Walter&lastName=Silvestri", 1),
        ("locationId=remote&remoteCity=Tokyo", 3),
        ("status=all&email=", 1),
        ("status=all&employmentStartDate[$gt]=2026-11-24", 2),
        ("status=all&employmentStartDate[$gte]=2022-08-18&employmentStartDate[$lte]=2022-08-18", 1),
        ("status=all&employmentEndDate[$lt]=2026-11-24", 2),
        ("gender=Prefer%20to%20self-describe", 1),
    ],
)
async def test_people_filters(query: str, total: int) -> None:
    assert (await sandbox().page("/people", query=query))["total"] == total


async def test_people_by_team_name() -> None:
    rows = await sandbox().rows("/people", query="teams=Moonshot")
    assert rows
    assert all({"name": "Moonshot"} in row["teams"] for row in rows)


@pytest.mark.parametrize(
    ("path", "query", "holds"),
    [
        ("/time-away", "requestStatus=pending", lambda row: row["requestStatus"] == "pending"),
        ("/time-away", "isTimeOff=false", lambda row: row["isTimeOff"] is False),
        ("/time-away", "days[$gte]=5", lambda row: row["days"] >= 5),
        ("/timesheet-entries", "endTime=", lambda row: row["endTime"] is None),
        ("/public-holidays", "publicHolidayCalendarId=GB", lambda row: row["publicHolidayCalendarId"] == "GB"),
        ("/time-away-periods", "isCurrentPeriod=true", lambda row: row["isCurrentPeriod"] is True),
        ("/compensations", "amount[$gt]=70000", lambda row: float(row["amount"]) > 70_000),
        ("/compensations", "period[$nin]=annual", lambda row: row["period"] != "annual"),
    ],
)
async def test_other_filters(path: str, query: str, holds: object) -> None:
    assert callable(holds)
    caller = sandbox()
    rows = await caller.rows(path, query=query)
    everything = (await caller.page(path))["total"]
    assert 0 < len(rows) < everything
    assert all(holds(row) for row in rows)


@pytest.mark.parametrize("path", ["/job-roles", "/compensations"])
async def test_as_of_gives_the_rows_effective_that_day(path: str) -> None:
    day = TODAY.isoformat()
    caller = sandbox()
    rows = await caller.rows(path, query=f"$asOf={day}")
    assert 0 < len(rows) < (await caller.page(path))["total"]
    assert all(row["effectiveDate"] <= day and (row["endDate"] or day) >= day for row in rows)


async def test_everybody_has_at_most_one_role_as_of_any_day() -> None:
    caller = sandbox(200)
    for day in ("2023-05-05", "2025-01-01", "2026-11-24", "2027-06-01"):
        people = [row["personId"] for row in await caller.rows("/job-roles", query=f"$asOf={day}")]
        assert len(people) == len(set(people))


async def test_the_ordinary_user_has_a_role_now_and_a_role_to_come() -> None:
    caller = sandbox()
    user = await caller.person_of("all-user")
    roles = await caller.rows("/job-roles", query=f"personId={user}")
    assert [role["endDate"] is None for role in roles] == [True, False]
    assert roles[0]["effectiveDate"] > TODAY.isoformat() >= roles[1]["effectiveDate"]


async def test_one_row() -> None:
    caller = sandbox()
    row = (await caller.rows("/locations"))[0]
    assert (await caller.get(f"/locations/{row['id']}")).json() == row


@pytest.mark.parametrize("path", ["/people/nobody", "/unknown", "/people/a/b", "/", "/token-info/x", "/me/x"])
async def test_what_is_not_there_is_not_found(path: str) -> None:
    answer = await sandbox().get(path)
    assert (answer.status_code, answer.json()["name"], answer.json()["code"]) == (404, "NotFound", 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/people"),
        ("DELETE", "/people"),
        ("POST", "/companies"),
        ("POST", "/me"),
        ("PATCH", "/token-info"),
        ("GET", "/public-holidays/x"),
        ("DELETE", "/document-types/x"),
    ],
)
async def test_methods_that_a_resource_does_not_offer(method: str, path: str) -> None:
    answer = await sandbox().send(method, path, body={})
    assert (answer.status_code, answer.json()["name"]) == (405, "MethodNotAllowed")


@given(raw=st.one_of(st.binary(), st.from_regex(rb"[$a-zA-Z]+(\[\$[a-z]+\])?=[^&]*", fullmatch=True)))
def test_whatever_is_asked_is_a_query_or_a_bad_request(raw: bytes) -> None:
    for path in ("people", "job-roles", "locations", "time-away"):
        assert outcome(path, raw) in {"a query", 400}


def outcome(path: str, raw: bytes) -> str | int:
    try:
        query = parse(RESOURCES[path], raw, Choices())
    except ApiError as error:
        return error.status
    return "a query" if 0 <= query.limit <= MAX_LIMIT else "a limit that is none"


def test_the_cast_is_the_difference_between_the_smallest_company_and_the_real_rows() -> None:
    assert len(CAST) == 12
