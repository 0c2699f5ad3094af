"""Effective-dated rows: which role is current, which salary belongs to a role, and where somebody works."""

from collections.abc import Sequence
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.convert import UNREADABLE
from connectors.humaans.employments import active, current_role, managers, salary_of_role
from connectors.humaans.lists import in_force
from connectors.humaans.locations import WORKPLACE, label, place_of_work, region
from connectors.spec import Field

TODAY = date(2026, 11, 24)
DAYS = st.none() | st.dates(date(2026, 11, 20), date(2026, 11, 28)).map(str) | st.just("soon")


def role(name: str, effective: Any, end: Any = None, created: str = "2020-01-01") -> dict[str, Any]:
    return {"id": name, "effectiveDate": effective, "endDate": end, "createdAt": created}


EMPLOYED = {"id": "p", "status": "active", "employmentStartDate": "2020-01-01", "employmentEndDate": None}
COMING = {**EMPLOYED, "status": "newHire", "employmentStartDate": "2026-12-01"}
LEFT = {**EMPLOYED, "status": "offboarded", "employmentEndDate": "2026-06-30"}
GOING = {**EMPLOYED, "employmentEndDate": "2026-12-31"}


@pytest.mark.parametrize(
    ("person", "roles", "current"),
    [
        (EMPLOYED, [], None),
        (EMPLOYED, [role("only", "2020-01-01")], "only"),
        (EMPLOYED, [role("first", "2020-01-01", "2023-05-31"), role("second", "2023-06-01")], "second"),
        # Announced: a role that begins later may have no end either.
        (EMPLOYED, [role("now", "2020-01-01", "2027-01-31"), role("later", "2027-02-01")], "now"),
        (EMPLOYED, [role("now", "2020-01-01"), role("later", "2027-02-01")], "now"),
        # The vendor may not have ended what was followed.
        (EMPLOYED, [role("old", "2020-01-01"), role("new", "2024-01-01")], "new"),
        # The days themselves count.
        (EMPLOYED, [role("old", "2020-01-01", "2026-11-23"), role("today", "2026-11-24")], "today"),
        (EMPLOYED, [role("last", "2020-01-01", "2026-11-24"), role("next", "2026-11-25")], "last"),
        # Two on one day: the one that was entered last.
        (
            EMPLOYED,
            [
                role("first", "2024-01-01", created="2024-01-01T09:00:00.000Z"),
                role("mended", "2024-01-01", created="2024-01-01T10:00:00.000Z"),
            ],
            "mended",
        ),
        # A gap is a gap: nothing is guessed.
        (EMPLOYED, [role("ended", "2020-01-01", "2026-01-31")], None),
        (EMPLOYED, [role("later", "2027-02-01")], None),
        (EMPLOYED, [role("undated", None), role("empty", "")], None),
        # Timestamps where dates are promised.
        (EMPLOYED, [role("stamped", "2020-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")], "stamped"),
        # Somebody who has not begun: their first.
        (COMING, [role("first", "2026-12-01", "2027-05-31"), role("raise", "2027-06-01")], "first"),
        (COMING, [], None),
        # Somebody who has left: their last, ended or not.
        (LEFT, [role("first", "2020-01-01", "2023-05-31"), role("last", "2023-06-01", "2026-06-30")], "last"),
        (LEFT, [role("first", "2020-01-01", "2023-05-31"), role("last", "2023-06-01")], "last"),
        (LEFT, [role("last", "2023-06-01", "2026-06-30"), role("never begun", "2027-01-01")], "last"),
        (LEFT, [role("never begun", "2027-01-01")], None),
        ({**LEFT, "employmentEndDate": None}, [role("last", "2020-01-01", "2026-06-30")], "last"),
        # A token without the right sees no end of employment, only that the person is still listed.
        ({"id": "p", "status": "active"}, [role("now", "2020-01-01")], "now"),
        # Somebody who leaves later is still there.
        (GOING, [role("now", "2020-01-01", "2026-12-31")], "now"),
    ],
)
def test_the_current_role(person: dict[str, Any], roles: list[dict[str, Any]], current: str | None) -> None:
    """Whatever order the list has, and however often a row is in it: two lists may overlap."""
    for order in permutations(roles):
        for matches in (order, (*order, *order)):
            found = current_role(person, matches, TODAY)
            assert (found and found["id"]) == current


@given(
    roles=st.lists(st.tuples(DAYS, DAYS), max_size=4),
    start=DAYS,
    end=DAYS,
    status=st.sampled_from(["active", "newHire", "offboarded", None, 7]),
)
@settings(deadline=None, max_examples=300)
def test_a_current_role_is_in_force_or_the_person_is_not_there(
    *, roles: Sequence[tuple[Any, Any]], start: Any, end: Any, status: Any
) -> None:
    matches = [role(str(number), *days) for number, days in enumerate(roles)]
    person = {"status": status, "employmentStartDate": start, "employmentEndDate": end}
    found = current_role(person, matches, TODAY)
    valid = [row for row in matches if in_force(row, "2026-11-24")]
    if valid:
        assert found in valid
        assert found["effectiveDate"] == max(row["effectiveDate"] for row in valid)
    elif found is not None:
        coming = isinstance(start, str) and start[:10] > "2026-11-24"
        left = status == "offboarded" or (isinstance(end, str) and end[:10] < "2026-11-24")
        assert coming or left


@pytest.mark.parametrize(
    ("effective", "end", "left_on", "expected"),
    [
        ("2026-11-24", None, None, True),
        ("2026-11-24", "2026-11-24", None, True),
        ("2026-11-25", None, None, False),
        ("2020-01-01", "2026-11-23", None, False),
        ("2020-01-01", "", None, True),
        ("2020-01-01", None, "2026-11-23", False),
        ("2020-01-01", None, "2026-11-24", True),
        ("2020-01-01", "2026-12-31", "2026-11-23", False),
        ("2020-01-01", "2026-11-23", "2026-12-31", False),
        (None, None, None, False),
        (7, None, None, UNREADABLE),
        ("2020-01-01", "23/11/2026", None, UNREADABLE),
        ("2020-01-01", None, 7, UNREADABLE),
    ],
)
def test_a_role_is_active_on_its_days_until_the_person_leaves(
    effective: Any, end: Any, left_on: Any, *, expected: Any
) -> None:
    assert active(effective, end, left_on, TODAY) is expected


def pay(name: str, effective: str, end: str | None = None, base: Any = "salary", **values: Any) -> dict[str, Any]:
    kind = {"baseType": base} if base else base
    return {
        "id": name,
        "effectiveDate": effective,
        "endDate": end,
        "createdAt": "x",
        "compensationType": kind,
        **values,
    }


RISING = [
    pay("first", "2020-01-01", "2022-12-31"),
    pay("second", "2023-01-01", "2026-12-31"),
    pay("announced", "2027-01-01"),
    pay("bonus", "2026-11-01", base="bonus"),
]


@pytest.mark.parametrize(
    ("effective", "end", "rows", "expected"),
    [
        # A role that goes on: the salary of today, not the announced one, and not the newer bonus.
        ("2020-01-01", None, RISING, "second"),
        ("2020-01-01", "2030-12-31", RISING, "second"),
        # A role that has ended: the salary of its last day.
        ("2020-01-01", "2022-06-30", RISING, "first"),
        ("2020-01-01", "2023-01-01", RISING, "second"),
        # A role to come: the salary of its first day.
        ("2027-03-01", None, RISING, "announced"),
        ("2026-12-01", None, RISING, "second"),
        # Pay that began after the role, or ended before it.
        ("2020-01-01", None, [pay("later", "2026-12-01")], None),
        ("2024-01-01", None, [pay("over", "2020-01-01", "2023-12-31")], None),
        # What is not known to be a salary is none.
        ("2020-01-01", None, [pay("typeless", "2020-01-01", base=None)], None),
        ("2020-01-01", None, [pay("bonus", "2020-01-01", base="bonus")], None),
        ("2020-01-01", None, [], None),
        # An undated role ends today, as far as one knows.
        (None, None, RISING, "second"),
    ],
)
def test_the_salary_of_a_role(effective: Any, end: Any, rows: list[dict[str, Any]], expected: str | None) -> None:
    for order in permutations(rows):
        found = salary_of_role(role("r", effective, end), order, TODAY)
        assert (found and found["id"]) == expected


@pytest.mark.parametrize("value", [None, "", [], {}, True])
def test_nobody_is_nobodys_manager(value: Any) -> None:
    assert managers(value) is None


def test_a_manager_is_named_by_id_alone() -> None:
    [found] = managers("p9") or []
    assert found["remote_id"] == "p9"
    assert {found[name] for name in ("name", "email", "role")} == {None}


OFFICE = {"id": "office", "label": "Prague"}
REMOTE = {"locationId": "remote", "remoteCity": "Tokyo", "remoteRegionCode": None, "remoteCountryCode": "JP"}


@pytest.mark.parametrize(
    ("person", "matches", "expected"),
    [
        ({"locationId": "office"}, [OFFICE], OFFICE),
        ({"locationId": "office"}, [], None),
        ({"locationId": None}, [], None),
        ({}, [], None),
        (REMOTE, [], {"city": "Tokyo", "regionCode": None, "countryCode": "JP"}),
        (
            {**REMOTE, "remoteCity": "Sydney", "remoteRegionCode": "AU-NSW", "remoteCountryCode": "AU"},
            [],
            {"city": "Sydney", "regionCode": "AU-NSW", "countryCode": "AU"},
        ),
        ({"locationId": "remote"}, [], {"city": None, "regionCode": None, "countryCode": None}),
        # The remote fields of somebody who has moved to an office are left over.
        ({**REMOTE, "locationId": "office"}, [OFFICE], OFFICE),
    ],
)
def test_the_work_location(person: dict[str, Any], matches: list[dict[str, Any]], expected: Any) -> None:
    assert place_of_work(person, matches, TODAY) == expected


@pytest.mark.parametrize(
    ("row", "name", "state"),
    [
        ({"label": "Prague", "regionCode": "CZ-10", "state": "Prague"}, "Prague", "CZ-10"),
        # One published client reads `name`, and older rows may have the state in words only.
        ({"name": "Prague", "state": "Bohemia"}, "Prague", "Bohemia"),
        ({"label": "", "name": "Prague", "regionCode": "", "state": "Bohemia"}, "Prague", "Bohemia"),
        ({"label": "Prague", "name": "Other"}, "Prague", None),
        ({}, None, None),
    ],
)
def test_a_location_has_its_name_under_either_key(row: dict[str, Any], name: Any, state: Any) -> None:
    assert label(row.get("label"), row.get("name")) == name
    assert region(row.get("regionCode"), row.get("state")) == state


@pytest.mark.parametrize(("code", "value"), [("CZ", "CZ"), ("cz", "CZ"), ("UK", "unmapped_value")])
def test_a_country_is_an_iso_code(code: str, value: str) -> None:
    row = WORKPLACE.rows["country"]
    assert isinstance(row, Field)
    assert row.convert is not None
    assert row.convert(code) == {"value": value, "source_value": code}
