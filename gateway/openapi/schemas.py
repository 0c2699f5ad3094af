"""From the types of answers to JSON Schema. Objects and enums become components, which others refer to."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from connectors.contract import Given, ListOf, Plain, Resource, Spec, Type, Words

Schema: TypeAlias = dict[str, Any]

# Types of requests alone have their schemas in `body_schemas`.
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
TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
_GIVEN = {Given.EXPAND: "expand", Given.INCLUDE: "include", Given.ASKED: "fields"}


def component_name(resource: str) -> str:
    return "".join(word.capitalize() for word in resource.split("_"))


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(schema: Schema) -> Schema:
    """Returns the schema of the same value or null."""
    found = dict(schema)
    if "type" in schema:
        found["type"] = [schema["type"], "null"]
    if "enum" in schema:
        found["enum"] = [*schema["enum"], None]
    return found if found != schema or not schema else {"anyOf": [schema, {"type": "null"}]}


def list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def object_of(required: str, **properties: Schema) -> Schema:
    """Returns the schema of an object; `required` names fields, with spaces between them."""
    return {"type": "object", "required": required.split(), "properties": properties}


def described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


class Schemas:
    """The named schemas of a document. Each is added when it is first needed."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}

    def of(self, wanted: Type) -> Schema:
        """Returns the schema of a value that is not null."""
        match wanted:
            case Plain():
                return dict(_PLAIN[wanted])
            case ListOf():
                return {"type": "array", "items": self.of(wanted.item)}
            case Words():
                return self._once(wanted.name, wanted, _words)
            case Resource():
                return self._once(component_name(wanted.name), wanted, self._object)
            case _:
                raise TypeError(f"{wanted} is a type of requests alone")

    def _once(self, name: str, wanted: Any, make: Any) -> Schema:
        if name not in self.named:
            self.named[name] = {}  # Ends the recursion of a type that holds itself.
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
            schema["description"] = f"Present only {spec.given.value}."
            schema["x-given"] = _GIVEN[spec.given]
        if spec.scope:
            schema["x-client-scope"] = spec.scope
        return schema


def _words(enum: Words) -> Schema:
    """An open enum: the contract may get new words, and clients must be ready for them."""
    known: list[Schema] = [{"type": "string", "enum": sorted(enum.words)}] if enum.words else []
    return {
        "type": "object",
        "properties": {
            "value": {"anyOf": [*known, {"type": ["string", "null"]}]},
            "source_value": {"description": "The provider's own value."},
        },
    }
