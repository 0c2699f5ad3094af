"""The passthrough asks for all that the same columns take through the unified API: over every path, method and scope.

The rule is compared with the unified API's own decisions, so that it is tested for another vendor's tables too.
"""

from itertools import chain

import pytest

from connectors.columns import first_word
from connectors.connector import Connector, VendorPath
from connectors.hris.operations import OPERATIONS
from connectors.platform import PROXY
from connectors.registry import CONNECTORS
from gateway.policy.access import AccessReport
from gateway.policy.client_scopes import known_scopes
from gateway.policy.policy import BY_OPERATOR, Operator, Policy
from gateway.policy.proxy_access import closings

EVERY_SCOPE = frozenset(chain.from_iterable(known_scopes(OPERATIONS, CONNECTORS.values()).values()))
ROWS = [
    (connector, row, method) for connector in CONNECTORS.values() for row in connector.paths for method in row.needs
]


def named(each: object) -> str:
    return each.path if isinstance(each, VendorPath) else each.key if isinstance(each, Connector) else str(each)


every_row = pytest.mark.parametrize(("connector", "row", "method"), ROWS, ids=named)


@every_row
def test_a_key_with_every_scope_reaches_every_path_that_the_gateway_does_not_manage(
    connector: Connector, row: VendorPath, method: str
) -> None:
    closed = closings(Policy(connector, Operator()), row, method, EVERY_SCOPE)
    assert closed == ((BY_OPERATOR,) if row.managed else ())
    opened = Policy(connector, Operator(managed_paths=frozenset({row.records})))
    assert closings(opened, row, method, EVERY_SCOPE) == ()


@every_row
def test_without_any_one_scope_that_the_unified_api_asks_for_the_same_list_it_is_closed(
    connector: Connector, row: VendorPath, method: str
) -> None:
    """A scope that is lacking closes the path if it closes, of that list, a read or (for a write) a field to write."""
    policy = Policy(connector, Operator(managed_paths=frozenset({row.records})))
    for scope in EVERY_SCOPE:
        key = EVERY_SCOPE - {scope}
        asked = lacks_reading(policy, row, key) or (method != "GET" and lacks_writing(policy, row, key))
        needs = {why.needs for why in closings(policy, row, method, key)}
        assert (scope in needs) or not asked, scope


def lacks_reading(policy: Policy, row: VendorPath, key: frozenset[str]) -> bool:
    owners = policy.columns.owners(row.records)
    reads = [each for endpoint in owners for each in OPERATIONS if endpoint.answers(each)]
    return bool(policy.hidden_from(key)) or any(policy.admit_key(each, key) for each in reads)


def lacks_writing(policy: Policy, row: VendorPath, key: frozenset[str]) -> bool:
    """Returns whether an operation that writes to the list, or one of its fields that go there, is closed to a key."""
    abilities = AccessReport(policy, key, frozenset(policy.connector.scopes))
    for write in policy.connector.writes:
        parts = {part.name for part in write.parts if row.records in map(list_of, part.calls)}
        if not parts:
            continue
        ability = abilities.of(next(each for each in OPERATIONS if each.id == write.operation))
        assert ability is not None
        standings = {each.path: each for each in ability.fields}
        targets = [path for path, to in write.targets() if to.part in parts]
        if ability.closings or any(standings[path].closings for path in targets):
            return True
    return False


def list_of(call: str) -> str:
    verb, _, path = call.partition(" ")
    return "" if verb == "GET" else first_word(path)


@every_row
def test_what_the_operator_forbids_of_the_same_list_is_closed(
    connector: Connector, row: VendorPath, method: str
) -> None:
    for operation in OPERATIONS:
        policy = Policy(
            connector, Operator(operations=frozenset({operation.id}), managed_paths=frozenset({row.records}))
        )
        write = connector.write(operation)
        kinds = {
            each.kind
            for endpoint in policy.columns.owners(row.records)
            for each in OPERATIONS
            if endpoint.answers(each)
        }
        reads = any(endpoint.answers(operation) for endpoint in policy.columns.owners(row.records))
        same_kind = operation.kind == row.kind or row.kind not in kinds
        makes = (
            method != "GET"
            and write is not None
            and any(
                call == f"{method} {row.path.replace('{id}', '{key}')}" for part in write.parts for call in part.calls
            )
        )
        if (reads and same_kind) or makes:
            assert BY_OPERATOR in closings(policy, row, method, EVERY_SCOPE), operation.id


@every_row
def test_a_forbidden_field_and_a_forbidden_proxy_close_every_path(
    connector: Connector, row: VendorPath, method: str
) -> None:
    name = next(iter(connector.endpoints)).table.resource.name
    for operator in (Operator(operations=frozenset({PROXY.id})), Operator(fields=frozenset({f"{name}.id"}))):
        assert BY_OPERATOR in closings(Policy(connector, operator), row, method, EVERY_SCOPE)
