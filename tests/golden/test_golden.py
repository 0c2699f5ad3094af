"""The golden records are what the code makes today, and they cover the whole of the employees' table."""

import asyncio
import json
from pathlib import Path

import pytest

from connectors.hris.employees import EMPLOYEES
from connectors.humaans.employees import EMPLOYEE
from connectors.spec import Absent
from deploy.sandbox.tokens import TOKENS
from tests.fixtures.contract_check import faults
from tests.golden.fields import filled, mapped
from tests.golden.records import HERE, REAL_ROWS, Records, golden_records, pretty, sandbox

FILES = ("employees.json", "odd_people.json")
REAL = Path("deploy/sandbox/data/people-2022.json")


@pytest.fixture(scope="module")
def made() -> dict[str, Records]:
    return asyncio.run(golden_records())


@pytest.mark.parametrize("name", FILES)
def test_the_code_makes_exactly_these_records(name: str, made: dict[str, Records]) -> None:
    """If the change is meant: `python -m tests.golden --write`, and read the difference."""
    assert pretty(made[name]).splitlines() == (HERE / name).read_text().splitlines()


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_json_that_loses_nothing(name: str, made: dict[str, Records]) -> None:
    assert json.loads((HERE / name).read_text()) == made[name]


def test_every_real_row_has_its_record(made: dict[str, Records]) -> None:
    rows = json.loads(REAL.read_text())["data"]
    assert len(rows) == REAL_ROWS
    assert [record["remote_id"] for record in made["employees.json"]] == [row["id"] for row in rows]


def test_the_odd_people_are_odd(made: dict[str, Records]) -> None:
    odd = made["odd_people.json"]
    assert {record["employment_status"]["value"] for record in odd} == {"active", "pending", "terminated"}
    assert any(not record["name"].isascii() for record in odd)
    assert any(record["work_email"] is None for record in odd)
    assert any(record["work_location"]["remote_id"] is None for record in odd)
    for field in ("gender", "employment_type", "employment_contract_type"):
        assert any((record[field] or {}).get("value") == "unmapped_value" for record in odd), field
    assert any(any(each["value"] == "unmapped_value" for each in record["citizenships"] or ()) for record in odd)
    assert any(record["employments"][0]["effective_date"] > record["updated_at"] for record in odd)


@pytest.mark.parametrize("name", FILES)
def test_every_record_satisfies_the_contract(name: str, made: dict[str, Records]) -> None:
    for record in made[name]:
        assert list(record) == list(EMPLOYEES.fields)
        assert list(faults(record, EMPLOYEES, record["remote_id"])) == []


def test_every_mapped_field_has_a_value_in_some_record(made: dict[str, Records]) -> None:
    seen = {
        path
        for name in FILES
        for record in made[name]
        for field, value in record.items()
        for path in filled(value, field)
    }
    wanted = set(mapped(EMPLOYEE))
    assert len(wanted) > 80
    assert sorted(wanted - seen) == []
    # Objects that a converter makes whole.
    assert {"groups.id", "groups.name", "groups.type.value", "avatar.url", "citizenships.value"} <= seen
    assert {"bank_details.clearing_codes.value", "employments.department.name", "employments.manager.id"} <= seen


def test_what_is_declared_absent_is_null_in_all_of_them(made: dict[str, Records]) -> None:
    absent = [name for name, row in EMPLOYEE.rows.items() if isinstance(row, Absent)]
    assert absent
    assert {record[name] for records in made.values() for record in records for name in absent} == {None}


def test_no_secret_is_in_a_record() -> None:
    text = "".join((HERE / name).read_text() for name in FILES)
    secrets = [row["calendarFeedToken"] for row in sandbox().state.world.people if row.get("calendarFeedToken")]
    assert len(secrets) > 5
    assert not [secret for secret in [*secrets, *(token.token for token in TOKENS)] if secret in text]
