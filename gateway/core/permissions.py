"""What a key and a token may do, told whole: each operation, field and path, and what would open what is closed.

The words are those of the `withheld` block of an answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors.contract import Operation
from gateway.core.abilities import Abilities, Standing
from gateway.core.entrance import Provider
from gateway.core.model import Account, ClientKey, Status
from gateway.core.policy import Withheld
from gateway.core.proxy_access import closings

Json = dict[str, Any]


def permissions(account: Account, provider: Provider, key: ClientKey, operations: Iterable[Operation]) -> Json:
    """Give the whole answer, for this account's token and this key."""
    grant = account.grant
    connector = provider.connector
    abilities = Abilities(provider.policy, key.scopes, grant.scopes)
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
        "operations": [_operation(each, abilities) for each in operations],
        "proxy": list(_paths(abilities)),
    }


def _operation(operation: Operation, abilities: Abilities) -> Json:
    found: Json = {"operation": operation.id, "method": operation.method, "path": operation.path}
    ability = abilities.of(operation)
    if ability is None:
        connector = abilities.policy.connector
        why = connector.why_unanswered(operation) or f"The {connector.name} connector does not answer it."
        return {**found, "available": False, "reason": "not_implemented", "detail": why, "fields": []}
    return {**found, **_verdict(ability.closings), "fields": [_field(each) for each in ability.fields]}


def _field(standing: Standing) -> Json:
    if standing.lacking:
        return {"field": standing.path, "available": False, "reason": "unmapped", "detail": standing.lacking}
    return {"field": standing.path, **_verdict(standing.closings)}


def _paths(abilities: Abilities) -> Iterator[Json]:
    """Yields the vendor's own paths that the proxy reaches, each with all that closes it."""
    policy = abilities.policy
    for row in policy.connector.paths:
        for method, need in row.needs.items():
            closed = [*closings(policy, row, method, abilities.key), *abilities.lacking(need)]
            yield {"method": method, "path": row.path, **_verdict(closed)}


def _verdict(closings: Sequence[Withheld]) -> Json:
    if not closings:
        return {"available": True}
    needs = [{"scope": why.needs, "granted_by": why.granter} for why in dict.fromkeys(closings)]
    return {"available": False, "reason": "withheld_by_scope", "needs": needs}
