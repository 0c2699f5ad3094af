"""What the connectors' rules say of an operation, as extensions of the document.

`x-vendor-scopes` and `x-unanswered` are by connector; `x-field-scopes` names the fields that need more than their
operation does, with the client scope and the vendors' scopes of which one is needed.
"""

from collections.abc import Iterable
from typing import Any

from connectors.contract import Operation
from connectors.spec import Connector
from gateway.core.policy import stricter_fields
from gateway.web.openapi.schemas import Schema


def extensions(operation: Operation, connectors: Iterable[Connector]) -> Schema:
    found: Schema = {"x-client-scope": operation.scope}
    scopes: dict[str, list[str]] = {}
    fields: dict[str, dict[str, Any]] = {}
    unanswered: dict[str, str] = {}
    for connector in connectors:
        endpoint = connector.endpoint(operation)
        if endpoint is None:
            unanswered[connector.key] = why_unanswered(connector, operation)
            continue
        scopes[connector.key] = list(endpoint.scope.any_of)
        for path, ours, theirs in stricter_fields(endpoint.table):
            needs = fields.setdefault(path, {"client": ours or None, "vendors": {}})
            if theirs:
                needs["vendors"][connector.key] = theirs.split(" or ")
    more = {"x-vendor-scopes": scopes, "x-field-scopes": fields, "x-unanswered": unanswered}
    return found | {name: value for name, value in more.items() if value}


def why_unanswered(connector: Connector, operation: Operation) -> str:
    return connector.why_unanswered(operation) or f"The {connector.name} connector does not answer it."
