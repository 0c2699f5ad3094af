"""The golden records of the resources beside the employees: they are what the code makes today, and they cover it."""

import asyncio
from typing import Any

import pytest

from connectors.humaans.connector import HUMAANS
from connectors.spec import Absent, Table
from tests.fixtures.contract_check import faults
from tests.golden.fields import filled, mapped
from tests.golden.records import HERE, pretty, sandbox
from tests.golden.resources import LISTS, Records, operation_of, resource_records


@pytest.fixture(scope="module")
def made() -> dict[str, Records]:
    return asyncio.run(resource_records(sandbox()))


def table_of(name: str) -> Table:
    endpoint = HUMAANS.endpoint(operation_of(name))
    assert endpoint is not None
    return endpoint.table


def test_every_resource_that_is_answered_has_its_file() -> None:
    answered = {endpoint.table.resource.name for endpoint in HUMAANS.endpoints}
    assert {operation_of(name).resource for name in LISTS} == answered - {"employees"}


@pytest.mark.parametrize("name", LISTS)
def test_the_code_makes_exactly_these_records(name: str, made: dict[str, Records]) -> None:
    """If the change is meant: `python -m tests.golden --write`, and read the difference."""
    assert pretty(made[name]).splitlines() == (HERE / name).read_text().splitlines()


@pytest.mark.parametrize("name", LISTS)
def test_every_record_satisfies_the_contract(name: str, made: dict[str, Records]) -> None:
    resource = table_of(name).resource
    for record in made[name]:
        assert list(record) == list(resource.fields)
        assert list(faults(record, resource, str(record["id"]))) == []


@pytest.mark.parametrize("name", LISTS)
def test_no_two_records_are_one(name: str, made: dict[str, Records]) -> None:
    found = [record["id"] for record in made[name]]
    assert found
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("name", LISTS)
def test_every_mapped_field_has_a_value_in_some_record(name: str, made: dict[str, Records]) -> None:
    seen = {path for record in made[name] for field, value in record.items() for path in filled(value, field)}
    assert sorted(set(mapped(table_of(name))) - seen) == []


@pytest.mark.parametrize("name", LISTS)
def test_what_is_declared_absent_has_its_reason_and_is_null(name: str, made: dict[str, Records]) -> None:
    rows = table_of(name).rows
    absent: dict[str, Any] = {field: row.reason for field, row in rows.items() if isinstance(row, Absent)}
    assert all(absent.values())
    assert {record[field] for record in made[name] for field in absent} <= {None}
