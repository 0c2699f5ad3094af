"""From the bodies of the contract to JSON Schema, as `gateway.contract.body` holds callers to them.

They are closed, unlike what we answer: a name or a word that the contract does not have is refused. So their schemas
are others, with names of their own.
"""

from typing import Any

from connectors.contract import ListOf, Plain, Resource, Type, Words
from gateway.contract.body import LONGEST_TEXT, MOST_ITEMS
from gateway.openapi.schemas import Schema, component_name, or_null, reference

_SUFFIX = "Request"
_PRINTABLE = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
_TEXT: Schema = {"type": "string", "maxLength": LONGEST_TEXT, "pattern": _PRINTABLE}
_PLAIN: dict[Plain, Schema] = {
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
        "description": "Only the date counts.",
    },
    Plain.DURATION: {"type": "string", "format": "duration"},
    Plain.MAP: {"type": "object"},
    Plain.ANY: {},
}


class BodySchemas:
    """Puts the named schemas of bodies among those of a document."""

    def __init__(self, named: dict[str, Schema]) -> None:
        self._named = named

    def of(self, wanted: Type) -> Schema:
        """Give the schema of a value that is not null."""
        match wanted:
            case Plain():
                return dict(_PLAIN[wanted])
            case ListOf():
                return {"type": "array", "items": self._item(wanted.item), "maxItems": MOST_ITEMS}
            case Words():
                return self._once(wanted.name + _SUFFIX, lambda: _words(wanted))
            case Resource():
                name = component_name(wanted.name).removesuffix(_SUFFIX) + _SUFFIX
                return self._once(name, lambda: self._object(wanted))

    def _item(self, wanted: Type) -> Schema:
        """In a list there is no null, and so no enum without a word."""
        schema = self.of(wanted)
        if isinstance(wanted, Words):
            return {"allOf": [schema], "properties": {"value": {"type": "string"}}}
        return schema

    def _once(self, name: str, make: Any) -> Schema:
        if name not in self._named:
            self._named[name] = make()
        return reference(name)

    def _object(self, resource: Resource) -> Schema:
        properties = {name: or_null(self.of(spec.type)) for name, spec in resource.fields.items()}
        for name, spec in resource.fields.items():
            if spec.scope:
                properties[name]["x-client-scope"] = spec.scope
        return {"type": "object", "properties": properties, "additionalProperties": False}


def _words(enum: Words) -> Schema:
    known: Schema = {"enum": [*sorted(enum.words), None]} if enum.words else or_null(_TEXT)
    return {
        "type": "object",
        "required": ["value"],
        "properties": {"value": known, "source_value": {"description": "Of no matter in writing."}},
        "additionalProperties": False,
    }
