"""The full report of what a key and a token may do: every operation, field and vendor path, with what would open it.

The reasons have the names that the `withheld` block of an answer uses.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.contract import Operation
from gateway.model import Account, ClientKey, Status
from gateway.policy.access import AccessReport, FieldAccess
from gateway.policy.policy import WithheldReason
from gateway.policy.provider import Provider
from gateway.policy.proxy_access import closings

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rights:
    """What may be `tried` and what is `sure`. They differ where some scopes of the token could not be found out."""

    tried: AccessReport
    sure: AccessReport


def permissions(account: Account, provider: Provider, key: ClientKey, operations: Iterable[Operation]) -> Json:
    """Returns the report as JSON, for this account's token and this key."""
    grant = account.grant
    connector = provider.connector
    rights = Rights(
        AccessReport(provider.policy, key.scopes, grant.opens), AccessReport(provider.policy, key.scopes, grant.scopes)
    )
    return {
        "account_id": account.id,
        "provider": connector.key,
        "provider_name": connector.name,
        "usable": account.status is Status.ACTIVE,
        "granted": {
            "scopes": sorted(grant.scopes),
            "unknown": sorted(grant.unknown),
            "found_by": grant.found_by,
            "role": grant.role,
            "warnings": list(grant.warnings),
        },
        "missing": [
            {"scope": scope, "opens": what, "granted_by": connector.granter}
            for scope, what in connector.scopes.items()
            if scope not in grant.opens
        ],
        "client_scopes": sorted(key.scopes),
        "operations": [_operation(each, rights) for each in operations],
        "proxy": list(_paths(rights)),
    }


def _operation(operation: Operation, rights: Rights) -> Json:
    found: Json = {"operation": operation.id, "method": operation.method, "path": operation.path}
    ability, sure = rights.tried.of(operation), rights.sure.of(operation)
    if ability is None or sure is None:
        connector = rights.tried.policy.connector
        why = connector.why_unanswered(operation) or f"The {connector.name} connector does not answer it."
        return {**found, "available": False, "reason": "not_implemented", "detail": why, "fields": []}
    fields = [_field(each, other) for each, other in zip(ability.fields, sure.fields, strict=True)]
    return {**found, **_verdict(ability.closings, sure.closings), "fields": fields}


def _field(standing: FieldAccess, sure: FieldAccess) -> Json:
    if standing.lacking:
        return {"field": standing.path, "available": False, "reason": "unmapped", "detail": standing.lacking}
    return {"field": standing.path, **_verdict(standing.closings, sure.closings)}


def _paths(rights: Rights) -> Iterator[Json]:
    """Yields the vendor's own paths that the proxy reaches, each with all that closes it."""
    abilities, policy = rights.tried, rights.tried.policy
    for row in policy.connector.paths:
        for method, need in row.needs.items():
            outer = closings(policy, row, method, abilities.key)
            verdict = _verdict([*outer, *abilities.lacking(need)], [*outer, *rights.sure.lacking(need)])
            yield {"method": method, "path": row.path, **verdict}


def _verdict(closings: Sequence[WithheldReason], sure: Sequence[WithheldReason]) -> Json:
    """Returns whether something is open. Only the vendor knows whether the token has the scopes in `unknown`."""
    if closings:
        return {"available": False, "reason": "withheld_by_scope", "needs": _needs(closings)}
    return {"available": True, "unknown": _needs(sure)} if sure else {"available": True}


def _needs(closings: Sequence[WithheldReason]) -> list[Json]:
    return [{"scope": why.needs, "granted_by": why.granter} for why in dict.fromkeys(closings)]
