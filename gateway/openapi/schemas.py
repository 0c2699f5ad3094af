"""From the types of the contract to JSON Schema. What has a name becomes a component, and is referred to."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from connectors.contract import Given, ListOf, Plain, Resource, Spec, Type, Words

Schema: TypeAlias = dict[str, Any]

# What is only sent to us has its schema in `bodies`.
_PLAIN: Mapping[Plain, Schema] = {
    Plain.TEXT: {"type": "string"},
    Plain.NUMBER: {"type": "number"},
    Plain.BOOLEAN: {"type": "boolean"},
    Plain.INSTANT: {"type": "string", "format": "date-time"},
    # Not the format `duration`, which knows no half days.
    Plain.DURATION: {"type": "string", "pattern": "^P[0-9.YMWDTHS]+$", "description": "An ISO 8601 duration."},
    Plain.MAP: {"type": "object", "additionalProperties": True},
    Plain.ANY: {},
    Plain.BOOLISH: {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]},
    Plain.LOCAL: {"type": "string"},
}
_GIVEN = {Given.EXPAND: "expand", Given.INCLUDE: "include", Given.ASKED: "fields"}


def component_name(resource: str) -> str:
    return "".join(word.capitalize() for word in resource.split("_"))


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(schema: Schema) -> Schema:
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema


class Schemas:
    """The named schemas of a document, which grow as types are asked for."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}

    def of(self, wanted: Type) -> Schema:
        """Give the schema of a value that is not null."""
        match wanted:
            case Plain():
                return dict(_PLAIN[wanted])
            case ListOf():
                return {"type": "array", "items": self.of(wanted.item)}
            case Words():
                return self._once(wanted.name, wanted, _words)
            case Resource():
                return self._once(component_name(wanted.name), wanted, self._object)

    def _once(self, name: str, wanted: Any, make: Any) -> Schema:
        if name not in self.named:
            self.named[name] = {}  # Keeps the place, should the type hold itself.
            self.named[name] = make(wanted)
        return reference(name)

    def _object(self, resource: Resource) -> Schema:
        return {
            "type": "object",
            "properties": {name: self._property(spec) for name, spec in resource.fields.items()},
        }

    def _property(self, spec: Spec) -> Schema:
        schema = or_null(self.of(spec.type))
        if spec.given is not Given.ALWAYS:
            schema["description"] = f"Only {spec.given.value}."
            schema["x-given"] = _GIVEN[spec.given]
        if spec.scope:
            schema["x-client-scope"] = spec.scope
        return schema


def _words(enum: Words) -> Schema:
    """An open enum: words may be added to the contract, and a client has to live with that."""
    known: list[Schema] = [{"type": "string", "enum": sorted(enum.words)}] if enum.words else []
    return {
        "type": "object",
        "properties": {
            "value": {"anyOf": [*known, {"type": ["string", "null"]}]},
            "source_value": {"description": "What the provider has."},
        },
    }
