"""What a key and a token may do, told whole: each operation, field and path, and what would open what is closed.

The words are those of the `withheld` block of an answer, and the decisions are the policy's own.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors.contract import Operation
from connectors.needs import Need
from connectors.spec import Absent, Connector, Nested, Table
from gateway.core.entrance import Provider
from gateway.core.model import Account, ClientKey, Status
from gateway.core.passthrough import PROXY, READ, WRITE
from gateway.core.policy import BY_OPERATOR, KEY_GRANTER, Policy, Withheld, holds

Json = dict[str, Any]


def permissions(account: Account, provider: Provider, key: ClientKey, operations: Iterable[Operation]) -> Json:
    """Give the whole answer, for this account's token and this key."""
    grant = account.grant
    connector = provider.connector
    return {
        "account_id": account.id,
        "provider": connector.key,
        "provider_name": connector.name,
        "usable": account.status is Status.ACTIVE,
        "granted": {
            "scopes": sorted(grant.scopes),
            "found_by": grant.found_by,
            "role": grant.role,
            "warnings": list(grant.warnings),
        },
        "missing": [
            {"scope": scope, "opens": what, "granted_by": connector.granter}
            for scope, what in connector.scopes.items()
            if scope not in grant.scopes
        ],
        "client_scopes": sorted(key.scopes),
        "operations": [_operation(each, provider, key.scopes, grant.scopes) for each in operations],
        "proxy": list(_paths(provider, key.scopes, grant.scopes)),
    }


def _operation(operation: Operation, provider: Provider, key: frozenset[str], token: frozenset[str]) -> Json:
    connector, policy = provider.connector, provider.policy
    found: Json = {"operation": operation.id, "method": operation.method, "path": operation.path}
    endpoint = connector.endpoint(operation)
    if endpoint is None:
        return {
            **found,
            "available": False,
            "reason": "not_implemented",
            "detail": connector.why_unanswered(operation) or f"The {connector.name} connector does not answer it.",
            "fields": [],
        }
    closings = [*_outer(operation, operation.scope, policy, key), *_needed(connector, endpoint.scope, token)]
    walk = _Walk(policy, key, token)
    return {**found, **_verdict(closings), "fields": list(walk.fields(endpoint.table, "", closings))}


def _outer(operation: Operation, scope: str, policy: Policy, key: frozenset[str]) -> Iterator[Withheld]:
    """Give what closes an operation whatever account it is about."""
    if operation.id in policy.operator.operations:
        yield BY_OPERATOR
    if not holds(key, scope):
        yield Withheld(scope, KEY_GRANTER)


def _needed(connector: Connector, need: Need, token: frozenset[str]) -> Iterator[Withheld]:
    if not need.met_by(token):
        yield Withheld(str(need), connector.granter)


def _paths(provider: Provider, key: frozenset[str], token: frozenset[str]) -> Iterator[Json]:
    """Give the vendor's own paths that the proxy reaches. It shows records whole, so the key must be open to all."""
    connector, policy = provider.connector, provider.policy
    everything = frozenset(connector.scopes)
    tables = [endpoint.table for endpoint in connector.endpoints]
    hidden = [why for table in tables for why in policy.closed(table, key, everything).values()]
    for row in connector.paths:
        for method, need in row.needs.items():
            outer = _outer(PROXY, READ if method == "GET" else WRITE, policy, key)
            closings = [*outer, *hidden, *_needed(connector, need, token)]
            yield {"method": method, "path": row.path, **_verdict(closings)}


class _Walk:
    """Goes through a table and the tables within it."""

    def __init__(self, policy: Policy, key: frozenset[str], token: frozenset[str]) -> None:
        self._policy = policy
        self._rights = (key, token)

    def fields(self, table: Table, prefix: str, outer: Sequence[Withheld]) -> Iterator[Json]:
        """Give each field; what closes the operation or the object around it closes it too."""
        for name, rule in table.rows.items():
            path = f"{prefix}{name}"
            if isinstance(rule, Absent):
                yield {"field": path, "available": False, "reason": "unmapped", "detail": rule.reason}
                continue
            closings = [*outer, *self._policy.closings(table.resource, name, rule, *self._rights)]
            yield {"field": path, **_verdict(closings)}
            if isinstance(rule, Nested):
                yield from self.fields(rule.table, f"{path}.", closings)


def _verdict(closings: Sequence[Withheld]) -> Json:
    if not closings:
        return {"available": True}
    needs = [{"scope": why.needs, "granted_by": why.granter} for why in dict.fromkeys(closings)]
    return {"available": False, "reason": "withheld_by_scope", "needs": needs}
