"""The company: real rows untouched, generated rows the same every time and consistent with each other."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.sandbox.app import create_app
from deploy.sandbox.catalogue import BUILDERS, RESOURCES
from deploy.sandbox.company.build import make_world
from deploy.sandbox.company.world import World
from tests.sandbox.calling import TODAY, sandbox

REAL = Path(__file__).parents[2] / "deploy" / "sandbox" / "data" / "people-2022.json"


def world(people: int = 60, seed: str = "tests") -> World:
    return make_world(people, TODAY, seed)


def real_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(REAL.read_bytes())["data"]
    return rows


async def test_real_rows_reach_an_owner_byte_for_byte() -> None:
    by_id = {row["id"]: row for row in await sandbox().rows("/people")}
    for real in real_rows():
        assert orjson.dumps(by_id[real["id"]]) == orjson.dumps(real)


@pytest.mark.parametrize("people", [60, 61, 250, 1000])
def test_the_company_has_as_many_people_as_asked(people: int) -> None:
    assert len(world(people).people) == people


@pytest.mark.parametrize("path", sorted(RESOURCES))
def test_same_seed_and_day_give_the_same_bytes(path: str) -> None:
    once, again = BUILDERS[path](world(120)), BUILDERS[path](world(120))
    assert orjson.dumps(once) == orjson.dumps(again)


def test_another_seed_gives_other_people_beside_the_real_ones() -> None:
    ids = [{person["id"] for person in world(seed=seed).people} for seed in ("a", "b")]
    assert ids[0] & ids[1] == {real["id"] for real in real_rows()}


@pytest.mark.parametrize("path", sorted(RESOURCES))
def test_rows_hold_the_declared_fields_and_unique_ids(path: str) -> None:
    rows = BUILDERS[path](world(200))
    assert rows
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row.keys() - {"calendarFeedToken"} <= RESOURCES[path].by_name.keys()
        assert row["createdAt"] <= row["updatedAt"] < TODAY.isoformat()


@pytest.mark.parametrize("path", sorted(RESOURCES))
def test_ids_in_rows_lead_to_rows(path: str) -> None:
    company = world(120)
    known = {name: {row["id"] for row in build(company)} for name, build in BUILDERS.items()}
    for row in BUILDERS[path](company):
        for field in RESOURCES[path].fields:
            if field.refers is not None and row[field.name] is not None:
                assert row[field.name] in known[field.refers]


def test_ten_thousand_people_have_ids_and_addresses_of_their_own() -> None:
    people = BUILDERS["people"](world(10_000))
    assert len(people) == 10_000
    for name in ("id", "email"):
        found = [person[name] for person in people if person[name]]
        assert len(set(found)) == len(found) > 9000


def test_job_roles_are_the_inverse_of_direct_reports() -> None:
    company = world(300)
    today = TODAY.isoformat()
    active = {person["id"] for person in company.people if person["status"] == "active"}
    reports: dict[str, set[str]] = defaultdict(set)
    for role in company.roles:
        now = role["effectiveDate"] <= today and (role["endDate"] is None or today <= role["endDate"])
        if now and role["personId"] in active and role["reportingTo"]:
            reports[role["reportingTo"]].add(role["personId"])
    for person in company.people:
        assert set(person["directReports"]) == reports[person["id"]]


def test_a_person_has_one_role_a_day_and_the_last_one_is_open() -> None:
    company = world(300)
    careers: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for role in company.roles:
        careers[role["personId"]].append(role)
    assert careers.keys() == {person["id"] for person in company.people}
    for roles in careers.values():
        newest_first = sorted(roles, key=lambda role: role["effectiveDate"], reverse=True)
        assert roles == newest_first
        assert roles[0]["endDate"] is None
        for later, earlier in itertools.pairwise(roles):
            ends, starts = date.fromisoformat(earlier["endDate"]), date.fromisoformat(later["effectiveDate"])
            assert (starts - ends).days == 1
    assert 1.2 < len(company.roles) / len(company.people) < 1.6


def test_status_goes_by_the_calendar_for_generated_people() -> None:
    real = {row["id"] for row in real_rows()}
    today = TODAY.isoformat()
    for person in world(500).people:
        start, end = person["employmentStartDate"], person["employmentEndDate"]
        has_left = end is not None and end < today
        expected = "newHire" if start > today else "offboarded" if has_left else "active"
        assert person["id"] in real or person["status"] == expected


def test_the_smallest_company_has_all_the_awkward_people() -> None:
    people = world(60).people
    assert Counter(person["role"] for person in people) == {
        "owner": 1,
        "admin": 1,
        "finance": 1,
        "tech": 1,
        "manager": 1,
        "user": 55,
    }
    assert Counter(person["status"] for person in people) == {"active": 56, "newHire": 2, "offboarded": 2}
    found = {
        "no work email": [p for p in people if p["email"] is None and p["status"] == "newHire"],
        "future end": [p for p in people if p["status"] == "active" and p["employmentEndDate"]],
        "left, with reason": [p for p in people if p["status"] == "offboarded" and p["leavingReason"]],
        "no birthday": [p for p in people if p["birthday"] is None and "shortBirthday" not in p],
        "no teams": [p for p in people if not p["teams"]],
        "html": [p for p in people if "<b>" in p["firstName"] and '"' in p["firstName"]],
        "non-ascii": [p for p in people if not p["lastName"].isascii()],
        "remote without region": [p for p in people if p["remoteCity"] and not p["remoteRegionCode"]],
        "remote with region": [p for p in people if p["remoteCity"] and p["remoteRegionCode"]],
        "non-binary": [p for p in people if p["gender"] == "Non-binary"],
        "odd gender": [p for p in people if p["gender"] == "Prefer to self-describe"],
        "odd nationality": [p for p in people if p["nationalities"] == ["Martian"]],
        "no manager, no reports": [p for p in people if p["pronouns"] == "they/them"],
        "intern": [p for p in people if p["contractType"] == "Intern"],
        "middle name": [p for p in people if p["middleName"]],
        "preferred name": [p for p in people if p["preferredName"]],
        "work phone": [p for p in people if p["phoneNumber"]],
        "no phone": [p for p in people if "formattedPersonalPhoneNumber" not in p],
    }
    assert not [name for name, persons in found.items() if not persons]


@pytest.mark.parametrize(("people", "today"), [(59, TODAY), (10_001, TODAY), (60, date(2022, 8, 1))])
def test_what_cannot_be_had_is_refused_with_a_sentence(people: int, today: date) -> None:
    with pytest.raises(ValueError, match="must be"):
        create_app(people, today=today)


def test_pay_has_every_case() -> None:
    rows = BUILDERS["compensations"](world(300))
    today = TODAY.isoformat()
    assert {row["period"] for row in rows} == {"annual", "hourly", None}
    assert any(row["endDate"] for row in rows)
    assert any(row["effectiveDate"] > today for row in rows)
    assert all(isinstance(row["amount"], str) for row in rows)


def test_time_away_has_every_case() -> None:
    rows = BUILDERS["time-away"](world(60))
    assert {row["requestStatus"] for row in rows} == {"pending", "approved", "declined"}
    assert {row["startPeriod"] for row in rows} == {"full", "am", "pm"}
    assert {row["isTimeOff"] for row in rows} == {True, False}
    assert any(row["days"] == 0.5 for row in rows)


def test_custom_fields_are_of_every_kind_and_one_value_is_there_twice() -> None:
    company = world(60)
    kinds = {field["type"] for field in BUILDERS["custom-fields"](company)}
    assert kinds == {"text", "longText", "select", "multiSelect", "link", "date", "person"}
    values = BUILDERS["custom-values"](company)
    twice = Counter((row["personId"], row["customFieldId"]) for row in values)
    assert list(twice.values()).count(2) == 1
    assert {type(row["value"]) for row in values} == {str, list}


def test_one_timesheet_entry_is_open() -> None:
    rows = BUILDERS["timesheet-entries"](world(60))
    assert [row["duration"] for row in rows if row["endTime"] is None] == [None]
