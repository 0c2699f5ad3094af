"""What the connectors' rules say of an operation, as extensions of the document, each by connector.

`x-vendor-scopes` is a list of lists: of each inner list the token needs one scope. `x-field-scopes` names the fields
that need more than their operation does. `x-unwritable` says of fields of a body why a provider cannot take them, and
`x-unanswered` of a whole operation why it cannot answer. `x-required` is what a provider needs of a body.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from connectors.connector import Connector
from connectors.contract import Operation, Resource
from connectors.needs import Need
from connectors.spec import Absent, Nested, Table
from connectors.writes import Rule, Unwritable, Within, Write
from gateway.openapi.schemas import Schema

FieldNeeds: TypeAlias = Iterator[tuple[str, str, list[Need]]]
"""By path: the client scope, if any, and the vendor's needs."""


def extensions(operation: Operation, connectors: Iterable[Connector]) -> Schema:
    found: Schema = {"x-client-scope": operation.scope}
    names = ("x-vendor-scopes", "x-required", "x-unwritable", "x-unanswered")
    by_connector: dict[str, dict[str, Any]] = {name: {} for name in names}
    fields: dict[str, dict[str, Any]] = {}
    for connector in connectors:
        endpoint, write = connector.endpoint(operation), connector.write(operation)
        if endpoint:
            by_connector["x-vendor-scopes"][connector.key] = _listed([endpoint.scope])
            _note(fields, connector.key, _of_table(endpoint.table, ""))
        elif write:
            always = [] if write.partial else write.needs_of(())
            by_connector["x-vendor-scopes"][connector.key] = _listed(always or write.always)
            _note(fields, connector.key, _of_body(write, [*always, *write.always]))
            by_connector["x-required"][connector.key] = list(write.required)
            by_connector["x-unwritable"][connector.key] = dict(_unwritable(write.fields, ""))
        else:
            by_connector["x-unanswered"][connector.key] = why_unanswered(connector, operation)
    found |= {name: each for name, each in by_connector.items() if any(each.values())}
    return found | ({"x-field-scopes": fields} if fields else {})


def why_unanswered(connector: Connector, operation: Operation) -> str:
    return connector.why_unanswered(operation) or f"The {connector.name} connector does not answer it."


def _listed(needs: Iterable[Need]) -> list[list[str]]:
    return [list(need.any_of) for need in needs if need.any_of]


def _note(fields: dict[str, dict[str, Any]], connector: str, found: FieldNeeds) -> None:
    for path, ours, theirs in found:
        if ours or _listed(theirs):
            needs = fields.setdefault(path, {"client": ours or None, "vendors": {}})
            if _listed(theirs):
                needs["vendors"][connector] = _listed(theirs)


def _of_table(table: Table, prefix: str) -> FieldNeeds:
    for name, rule in table.rows.items():
        ours = table.resource.fields[name].scope or ""
        yield f"{prefix}{name}", ours, [] if isinstance(rule, Absent) else [rule.scope]
        if isinstance(rule, Nested):
            yield from _of_table(rule.table, f"{prefix}{name}.")


def _of_body(write: Write, known: list[Need]) -> FieldNeeds:
    parts = {path: [need for need in write.part(to.part).needs if need not in known] for path, to in write.targets()}
    for path, ours in _client_scopes(write.body, write.fields, ""):
        yield path, ours, parts.get(path, [])


def _client_scopes(body: Resource | None, rows: Mapping[str, Rule], prefix: str) -> Iterator[tuple[str, str]]:
    for name, rule in rows.items():
        spec = body.fields[name] if body else None
        if spec and not isinstance(rule, Unwritable):
            yield f"{prefix}{name}", spec.scope or ""
            if isinstance(rule, Within) and isinstance(spec.type, Resource):
                yield from _client_scopes(spec.type, rule.rows, f"{prefix}{name}.")


def _unwritable(rows: Mapping[str, Rule], prefix: str) -> Iterator[tuple[str, str]]:
    for name, rule in rows.items():
        if isinstance(rule, Unwritable):
            yield f"{prefix}{name}", rule.reason
        elif isinstance(rule, Within):
            yield from _unwritable(rule.rows, f"{prefix}{name}.")
