"""From declared bodies to JSON Schema, as `gateway.contract.body` checks them.

They are closed, unlike answers: an unknown field or word is refused. So they have schemas and names of their own.
"""

from collections.abc import Callable, Mapping

from connectors.contract import (
    Integer,
    ListOf,
    MapOf,
    OneOf,
    Operation,
    Plain,
    Resource,
    Spec,
    Text,
    Type,
    Unsupported,
    Words,
)
from gateway.contract.body import MAX_TEXT_LENGTH
from gateway.openapi import examples
from gateway.openapi.schemas import Schema, component_name, or_null, reference

_SUFFIX = "Request"
_PRINTABLE = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
_TEXT: Schema = {"type": "string", "maxLength": MAX_TEXT_LENGTH, "pattern": _PRINTABLE}
_PLAIN: Mapping[Plain, Schema] = {
    Plain.TEXT: _TEXT,
    Plain.NUMBER: {"type": "number"},
    Plain.BOOLEAN: {"type": "boolean"},
    Plain.BOOLISH: {"enum": [True, False, "true", "false"]},
    Plain.INSTANT: {"type": "string", "format": "date-time"},
    Plain.LOCAL: {
        "anyOf": [
            {"type": "string", "format": "date"},
            {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$"},
        ],
        "description": "A date, or a date-time of which only the date counts.",
    },
    Plain.DURATION: {"type": "string", "format": "duration"},
    Plain.MAP: {"type": "object"},
    Plain.ANY: {},
}


class BodySchemas:
    """Adds the schemas of bodies to the named schemas of a document."""

    def __init__(self, named: dict[str, Schema]) -> None:
        self._named = named

    def request_body(self, operation: Operation, body: Resource) -> Schema:
        """Returns the Request Body Object of an operation."""
        content: Schema = {"schema": self.of(body)}
        if operation.id in examples.BODIES:
            content["example"] = examples.BODIES[operation.id]
        return {"required": True, "content": {"application/json": content}}

    def of(self, wanted: Type) -> Schema:
        """Returns the schema of a value that is not null."""
        match wanted:
            case Plain():
                found = dict(_PLAIN[wanted])
            case Text():
                found = {"type": "string", "minLength": wanted.min_length, "maxLength": wanted.max_length}
            case Integer():
                found = {"type": "integer", "minimum": wanted.minimum, "maximum": wanted.maximum}
            case OneOf():
                found = {"type": "string", "enum": list(wanted.values)}
            case MapOf():
                items = or_null(self.of(wanted.item))
                found = {"type": "object", "additionalProperties": items, "maxProperties": wanted.max_items}
            case Unsupported():
                found = {"enum": [None, False, "", [], {}]}
            case ListOf():
                found = {"type": "array", "items": self._item(wanted.item), "maxItems": wanted.max_items}
                found |= {"minItems": wanted.min_items} if wanted.min_items else {}
            case Words():
                found = self._once(wanted.name + _SUFFIX, lambda: _words(wanted))
            case Resource():
                name = component_name(wanted.name).removesuffix(_SUFFIX) + _SUFFIX
                found = self._once(name, lambda: self._object(wanted))
        return found

    def _item(self, wanted: Type) -> Schema:
        """Items of a list are never null, and so an enum among them has a word."""
        schema = self.of(wanted)
        if isinstance(wanted, Words):
            return {"allOf": [schema], "properties": {"value": {"type": "string"}}}
        return schema

    def _once(self, name: str, make: Callable[[], Schema]) -> Schema:
        if name not in self._named:
            self._named[name] = make()
        return reference(name)

    def _object(self, resource: Resource) -> Schema:
        found: Schema = {
            "type": "object",
            "properties": {name: self._property(spec) for name, spec in resource.fields.items()},
            "additionalProperties": False,
        }
        required = [name for name, spec in resource.fields.items() if spec.required]
        return found | ({"required": required} if required else {})

    def _property(self, spec: Spec) -> Schema:
        found = self.of(spec.type)
        if isinstance(spec.type, Unsupported):
            found["description"] = f"Takes only an empty value, since it {spec.type.reason}."
        elif spec.nullable and not spec.required:
            found = or_null(found)
        if spec.description:
            found["description"] = spec.description
        if spec.default is not None:
            found["default"] = spec.default
        if spec.scope:
            found["x-client-scope"] = spec.scope
        return found


def _words(enum: Words) -> Schema:
    known: Schema = {"enum": [*sorted(enum.words), None]} if enum.words else or_null(_TEXT)
    return {
        "type": "object",
        "required": ["value"],
        "properties": {"value": known, "source_value": {"description": "The provider's own value is ignored here."}},
        "additionalProperties": False,
    }
