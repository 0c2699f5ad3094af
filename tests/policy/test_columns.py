"""Which columns the fields are made from, and that what closes one closes all that is made of it: over all tables."""

from collections import defaultdict

import pytest

from connectors.columns import Column, Reader, own_lists, readers
from connectors.connector import Connector
from connectors.contract import Operation
from connectors.hris.filters import filter_of
from connectors.hris.operations import OPERATIONS
from connectors.registry import CONNECTORS
from connectors.spec import Endpoint
from gateway.contract.query import PageLimits, parse
from gateway.policy.policy import Denial, Operator, Permission, Policy

EVERYTHING = frozenset({"*"})
LEAVES = [
    (connector, each)
    for connector in CONNECTORS.values()
    for each in readers(connector.endpoints)
    if not each.is_object
]
PAGES = PageLimits(25, 250)


def named(each: object) -> str:
    if isinstance(each, Reader):
        return f"{each.endpoint.table.resource.name}:{each.path}"
    return each.key if isinstance(each, Connector) else str(each)


def sources(connector: Connector) -> dict[Column, set[str]]:
    found: dict[Column, set[str]] = defaultdict(set)
    for each in readers(connector.endpoints):
        for column in () if each.is_object else each.columns:
            found[column].add(each.name)
    return found


@pytest.mark.parametrize(
    ("forbidden", "also"),
    [
        ("employees.date_of_birth", {"employees.birthday"}),
        ("employees.birthday", {"employees.date_of_birth"}),
        ("employees.national_identity_number", {"employees.national_identity_numbers"}),
        ("employees.hire_date", {"employees.start_date"}),
        ("employees.first_name", {"employees.name"}),
        ("employees.job_title", {"employments.job_title"}),
        ("employees.termination_date", {"employments.active", "employments.end_date"}),
        ("employees.gender", set()),
        ("employees.employments", set()),
        ("employees.company_name", {"companies.name", "companies.display_name"}),
        ("custom_fields.name", {"custom_field_definitions.name"}),
    ],
)
def test_the_twins_of_a_field_by_name(forbidden: str, also: set[str]) -> None:
    policy = Policy(CONNECTORS["humaans"], Operator(fields=frozenset({forbidden})))
    assert set(policy.twins) == also


@pytest.mark.parametrize(("connector", "reader"), LEAVES, ids=named)
def test_a_forbidden_field_closes_all_that_is_made_of_its_columns(connector: Connector, reader: Reader) -> None:
    """Reading, filtering, and asking the vendor about the column: for each field of each table."""
    policy = Policy(connector, Operator(fields=frozenset({reader.name})))
    token = frozenset(connector.scopes)
    shared = {name for column in reader.columns for name in sources(connector)[column]} | {reader.name}
    for endpoint in connector.endpoints:
        closed = policy.closed(endpoint.table, EVERYTHING, token)
        for each in readers([endpoint]):
            if each.name in shared and not each.is_object:
                assert any(each.path == path or each.path.startswith(f"{path}.") for path in closed), each.path
    for operation in OPERATIONS:
        found = connector.endpoint(operation)
        if found is None or operation.kind != "list":
            continue
        for column in {each.name for each in reader.columns if each.list in own_lists(found)}:
            for condition in ("", "[$gt]", "[$in][]"):
                pairs = [(f"proxy[{column}]{condition}", "1")]
                assert isinstance(decide(policy, operation, found, pairs), Denial), (operation.id, column)
        for name in operation.filters:
            wanted = filter_of(found.table.resource.name, name)
            fields = {f"{found.table.resource.name}.{each}" for each in (wanted.fields if wanted else ())}
            if fields & shared and wanted and set(wanted.fields) <= found.table.resource.fields.keys():
                pairs = [(f"filter[{name}]", "2026-01-01T00:00:00Z")]
                assert isinstance(decide(policy, operation, found, pairs), Denial), (operation.id, name)
        plain = decide(policy, operation, found, [])
        assert isinstance(plain, Permission)
        assert not {f"{found.table.resource.name}.{each}" for each in plain.fields} & shared


def decide(policy: Policy, operation: Operation, found: Endpoint, pairs: list[tuple[str, str]]) -> Permission | Denial:
    query = parse(operation, found.table.resource, pairs, PAGES)
    return policy.decide(found, query, EVERYTHING, frozenset(policy.connector.scopes))
