"""What a connector, or one account's token, can do: a map of models, made from the same tables that answer calls.

A model is named by its path, so that the lists of everybody and of one employee are two; in it stands what can be
done, with the fields that may be sent and those that may come back.
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
"""What `include` may name. There is nothing inactive here, and there are no webhooks and static fields to tell of."""

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
    """Tell what a connector can do for an account whose token may do everything.

    `public_url` is where browsers find our logos; without it there is no address to tell.
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
    """Tell what a token can do, whatever key asks."""
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
    """One operation of a model: a read has fields in its output, a write in its input."""

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
        told: Json = {"defaultFields": [self._field(each) for each in fields if each.open]}
        if "unmapped_fields" in self._include:
            told["unmappedFields"] = [{**self._named(each), "reason": each.lacking} for each in fields if each.lacking]
        nothing: Json = {"defaultFields": []}
        return {
            "apiPath": self._operation.path.replace("{", ":").replace("}", ""),
            "input": nothing if self._operation.reads else told,
            "output": told if self._operation.reads else nothing,
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
    """Give the name of a model: the words of its path, without ids and without what is done."""
    words = [word for word in operation.path.split("/")[3:] if not word.startswith("{")]
    if len(words) > 1 and words[-1] == operation.kind:
        words.pop()
    return "_".join(words)


def type_name(of: Type) -> str:
    """Give a word for a type of the contract."""
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
    """Give the vendor's columns that a field is made from."""
    sources: tuple[Source | None, ...] = (rule.source,) if isinstance(rule, Nested) else rule.sources
    for source in sources:
        if isinstance(source, Ref):
            yield f"{source.join.name}.{source.column}" if source.column else source.join.name
        elif source is not None:
            yield source
