"""What a connector or an account's token can do, as a map of models from the tables that answer requests.

A model has the name of its path: the list of all records and the list of one employee are two models. It has the
operations, each with the fields of its body or answer.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from connectors.connector import Connector
from connectors.contract import Integer, ListOf, MapOf, Operation, Plain, Resource, Type, Words
from connectors.spec import Absent, Field, Nested, Ref, Source
from connectors.writes import To
from gateway.policy.access import AccessReport, FieldAccess, OperationAccess
from gateway.policy.policy import EVERY_SCOPE
from gateway.policy.provider import Provider

CATEGORY = "hris"
DETAILS = ("field_path", "unmapped_fields", "resources", "inactive", "webhooks", "static_fields")
"""The values of `include`. The contract has the last three, for which a connector here has nothing to show."""

_PLAIN: Mapping[Plain, str] = {
    Plain.TEXT: "string",
    Plain.NUMBER: "number",
    Plain.BOOLEAN: "boolean",
    Plain.INSTANT: "datetime",
    Plain.DURATION: "duration",
    Plain.MAP: "object",
    Plain.ANY: "any",
    Plain.BOOLISH: "boolean",
    Plain.LOCAL: "date",
}

Json = dict[str, Any]


def connector_meta(
    provider: Provider, operations: Iterable[Operation], include: Collection[str], public_url: str = ""
) -> Json:
    """Returns what a connector can do for an account whose token may do everything.

    `public_url` is where browsers reach the gateway; without it the logos have no address.
    """
    connector = provider.connector
    everything = AccessReport(provider.policy, EVERY_SCOPE, frozenset(connector.scopes))
    found: Json = {
        "provider": connector.key,
        "provider_name": connector.name,
        "category": CATEGORY,
        "active": True,
        "models": _models(everything, operations, include),
    }
    if "resources" in include:
        logo = f"{public_url}/hub/logos/{connector.key}" if public_url else None
        found["resources"] = {"images": {"logo_url": logo, "original_logo_horizontal_url": None}}
    return found


def account_meta(provider: Provider, operations: Iterable[Operation], token: frozenset[str]) -> Json:
    """Returns what a token can do, whatever the API key."""
    abilities = AccessReport(provider.policy, EVERY_SCOPE, token)
    return {"provider": provider.connector.key, "category": CATEGORY, "models": _models(abilities, operations, ())}


def _models(abilities: AccessReport, operations: Iterable[Operation], include: Collection[str]) -> Json:
    models: dict[str, Json] = {}
    for operation in operations:
        ability = abilities.of(operation)
        if ability is not None and not ability.closings:
            entry = _Entry(abilities.policy.connector, operation, include).of(ability)
            models.setdefault(model_of(operation), {})[operation.kind] = entry
    return models


class _Entry:
    """An operation of a model: a read has fields in its output, a write in its input."""

    def __init__(self, connector: Connector, operation: Operation, include: Collection[str]) -> None:
        self._operation = operation
        self._include = include
        self._paths: dict[str, str] = {}
        endpoint, write = connector.endpoint(operation), connector.write(operation)
        self._resource = endpoint.table.resource if endpoint else write.body if write else None
        if endpoint:
            rules = endpoint.table.rows.items()
            self._paths = {name: ", ".join(_sources(rule)) for name, rule in rules if not isinstance(rule, Absent)}
        elif write:
            self._paths = {name: rule.column for name, rule in write.fields.items() if isinstance(rule, To)}

    def of(self, ability: OperationAccess) -> Json:
        fields = [each for each in ability.fields if "." not in each.path]
        shown: Json = {"defaultFields": [self._field(each) for each in fields if each.open]}
        if "unmapped_fields" in self._include:
            shown["unmappedFields"] = [{**self._named(each), "reason": each.lacking} for each in fields if each.lacking]
        nothing: Json = {"defaultFields": []}
        return {
            "apiPath": self._operation.path.replace("{", ":").replace("}", ""),
            "input": nothing if self._operation.reads else shown,
            "output": shown if self._operation.reads else nothing,
        }

    def _field(self, standing: FieldAccess) -> Json:
        found = self._named(standing)
        if "field_path" in self._include:
            found["fieldPath"] = self._paths.get(standing.path, "")
        return found

    def _named(self, standing: FieldAccess) -> Json:
        spec = self._resource.fields[standing.path] if self._resource else None
        return {"name": standing.path, "type": type_name(spec.type) if spec else "any"}


def model_of(operation: Operation) -> str:
    """Returns the name of a model: the segments of its path but for ids and the verb."""
    words = [word for word in operation.path.split("/")[3:] if not word.startswith("{")]
    if len(words) > 1 and words[-1] == operation.kind:
        words.pop()
    return "_".join(words)


def type_name(of: Type) -> str:
    """Returns the name of a type of the contract."""
    match of:
        case Plain():
            return _PLAIN[of]
        case Words():
            return "enum"
        case ListOf():
            return "array"
        case Resource() | MapOf():
            return "object"
        case Integer():
            return "number"
        case _:
            return "string"


def _sources(rule: Field | Nested) -> Iterator[str]:
    """Yields the vendor's columns that a field is made from."""
    sources: tuple[Source | None, ...] = (rule.source,) if isinstance(rule, Nested) else rule.sources
    for source in sources:
        if isinstance(source, Ref):
            yield f"{source.join.name}.{source.column}" if source.column else source.join.name
        elif source is not None:
            yield source
