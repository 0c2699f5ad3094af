"""What a connector, or one account's token, can do: a map of models, made from the same tables that answer calls.

A model is named by its path, so that the lists of everybody and of one employee are two; in it stands what can be
done, with the fields that may have a value.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from connectors.contract import ListOf, Operation, Plain, Resource, Type, Words
from connectors.spec import Absent, Connector, Endpoint, Nested, Ref, Rule, Source
from gateway.core.entrance import Provider
from gateway.core.policy import EVERY_SCOPE

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


def connector_meta(connector: Connector, operations: Iterable[Operation], include: Collection[str]) -> Json:
    """Tell what a connector can do for an account whose token may do everything."""
    found: Json = {
        "provider": connector.key,
        "provider_name": connector.name,
        "category": CATEGORY,
        "active": True,
        "models": _models(connector, operations, include, {}),
    }
    if "resources" in include:
        found["resources"] = {"images": {"logo_url": None, "original_logo_horizontal_url": None}}
    return found


def account_meta(provider: Provider, operations: Iterable[Operation], token: frozenset[str]) -> Json:
    """Tell what a token can do, whatever key asks."""
    policy, connector = provider.policy, provider.connector
    closed = {
        endpoint.table.resource.name: policy.closed(endpoint.table, EVERY_SCOPE, token).keys()
        for endpoint in connector.endpoints
    }
    open_to_token = [
        operation
        for operation in operations
        if (endpoint := connector.endpoint(operation))
        and not policy.admit_key(operation, EVERY_SCOPE)
        and not policy.admit_token(endpoint, token)
    ]
    return {
        "provider": connector.key,
        "category": CATEGORY,
        "models": _models(connector, open_to_token, (), closed),
    }


def _models(
    connector: Connector,
    operations: Iterable[Operation],
    include: Collection[str],
    closed: Mapping[str, Collection[str]],
) -> Json:
    models: dict[str, Json] = {}
    for operation in operations:
        endpoint = connector.endpoint(operation)
        if endpoint is not None:
            hidden = closed.get(endpoint.table.resource.name, ())
            models.setdefault(model_of(operation), {})[operation.kind] = _entry(operation, endpoint, include, hidden)
    return models


def _entry(operation: Operation, endpoint: Endpoint, include: Collection[str], hidden: Collection[str]) -> Json:
    resource, rows = endpoint.table.resource, endpoint.table.rows
    output: Json = {
        "defaultFields": [
            _field(resource, name, rule, include)
            for name, rule in rows.items()
            if not isinstance(rule, Absent) and name not in hidden
        ]
    }
    if "unmapped_fields" in include:
        output["unmappedFields"] = [
            {**_named(resource, name), "reason": rule.reason} for name, rule in rows.items() if isinstance(rule, Absent)
        ]
    return {
        "apiPath": operation.path.replace("{", ":").replace("}", ""),
        "input": {"defaultFields": []},
        "output": output,
    }


def model_of(operation: Operation) -> str:
    """Give the name of a model: the words of its path, without ids and without what is done."""
    words = [word for word in operation.path.split("/")[3:] if not word.startswith("{")]
    if len(words) > 1 and words[-1] == operation.kind:
        words.pop()
    return "_".join(words)


def _field(resource: Resource, name: str, rule: Rule, include: Collection[str]) -> Json:
    found = _named(resource, name)
    if "field_path" in include:
        found["fieldPath"] = ", ".join(_paths(rule))
    return found


def _named(resource: Resource, name: str) -> Json:
    return {"name": name, "type": type_name(resource.fields[name].type)}


def type_name(of: Type) -> str:
    """Give a word for a type of the contract."""
    match of:
        case Plain():
            return _PLAIN[of]
        case Words():
            return "enum"
        case ListOf():
            return "array"
        case Resource():
            return "object"


def _paths(rule: Rule) -> Iterator[str]:
    """Give the vendor's columns that a field is made from."""
    if isinstance(rule, Absent):
        return
    sources: tuple[Source | None, ...] = (rule.source,) if isinstance(rule, Nested) else rule.sources
    for source in sources:
        if isinstance(source, Ref):
            yield f"{source.join.name}.{source.column}" if source.column else source.join.name
        elif source is not None:
            yield source
