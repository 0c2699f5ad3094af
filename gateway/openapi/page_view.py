"""The document as its page shows it: operations by resource, types in words. It reads the document alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.openapi.schemas import Schema

_JSON = "application/json"
_FORMATS = {"date-time": "date-time", "duration": "duration", "binary": "bytes"}
_TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A type in words: a text, then a link to a named schema, then the known words of an enum."""

    text: str
    target: str = ""
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: a parameter or a field, with its part of the document in `source`."""

    name: str
    kind: Kind
    notes: list[str]
    source: Schema
    required: bool
    vendor_scopes: Sequence[str] = ()


class DocumentView:
    """What the template asks beyond the texts that it takes from the document itself."""

    def __init__(self, document: Schema) -> None:
        self.document = document
        self._schemas: dict[str, Schema] = document["components"]["schemas"]
        self._envelopes = {name for name, each in self._schemas.items() if self._data_of(each)}
        # An enum in a body has the words of the enum in answers, so both link to the same place.
        self._twins = {f"{name}Request": name for name, each in self._schemas.items() if _words(each) is not None}

    def operations(self, tag: str) -> list[tuple[str, str, Schema]]:
        """Returns method, path and Operation Object of every operation with a tag."""
        return [
            (method.upper(), path, item)
            for path, methods in self.document["paths"].items()
            for method, item in methods.items()
            if tag in item["tags"]
        ]

    def record(self, tag: str) -> str:
        """Returns the name of the schema of a resource's records; empty where it has none."""
        return next(filter(None, (self._record_of(item) for _, _, item in self.operations(tag))), "")

    def record_fields(self, tag: str) -> list[Line]:
        scopes: dict[str, Any] = {}
        for _, _, item in self.operations(tag):
            scopes |= item.get("x-field-scopes", {}) if self._record_of(item) else {}
        return self._fields(self._schemas[self.record(tag)], scopes)

    def objects(self) -> list[tuple[str, list[Line]]]:
        """Returns the named objects but for envelopes, enums and the records of resources, which stand elsewhere."""
        records = {self.record(tag["name"]) for tag in self.document["tags"]}
        others = self._envelopes | self._twins.keys() | set(self._twins.values()) | records
        found = ((name, self._fields(each, {})) for name, each in self._schemas.items() if name not in others)
        return [(name, fields) for name, fields in found if fields]

    def enums(self) -> list[tuple[str, Sequence[str]]]:
        return [(name, words) for name, each in self._schemas.items() if (words := _words(each)) is not None]

    def errors(self) -> list[tuple[int, str]]:
        """Returns the statuses of errors, each with its description."""
        found = self.document["components"]["responses"].values()
        return [
            (each["content"][_JSON]["schema"]["properties"]["statusCode"]["const"], each["description"])
            for each in found
        ]

    def answers(self, item: Schema) -> list[tuple[str, str, Kind | None]]:
        """Returns status, description and type of the answers of an operation that are no errors."""
        own = {status: each for status, each in item["responses"].items() if "$ref" not in each}
        return [(status, each["description"], self._content(each)) for status, each in own.items()]

    def parameters(self, item: Schema) -> list[Line]:
        return [self._parameter(each) for each in item["parameters"]]

    def body(self, item: Schema) -> list[Line]:
        """Returns the fields of an operation's body, each with the reasons why a provider cannot take it."""
        schema = _sent(item).get("schema", {})
        lines = self._fields(self._resolved(schema), item.get("x-field-scopes", {}))
        for line in lines:
            for vendor, reasons in item.get("x-unwritable", {}).items():
                line.notes.extend([f"{vendor} cannot take it: {reasons[line.name]}."] if line.name in reasons else [])
        return lines

    def _record_of(self, item: Schema) -> str:
        content = item["responses"].get("200", {}).get("content", {}).get(_JSON, {})
        return self._data_of(self._resolved(content.get("schema", {})))

    def _data_of(self, schema: Schema) -> str:
        """Returns the name of the schema in an envelope's `data`; empty for a schema that is no envelope."""
        data = schema.get("properties", {}).get("data", {})
        return _target(data.get("items", data))

    def _resolved(self, schema: Schema) -> Schema:
        return self._schemas[_target(schema)] if _target(schema) else schema

    def _content(self, response: Schema) -> Kind | None:
        for media_type, content in response.get("content", {}).items():
            schema = content["schema"]
            inside = self._resolved(schema)["properties"]["data"] if _target(schema) in self._envelopes else schema
            return self._kind(inside) if media_type == _JSON else Kind(media_type)
        return None

    def _parameter(self, parameter: Schema) -> Line:
        schema = parameter["schema"]
        inner = schema.get("properties", {}) if parameter.get("style") == "deepObject" else {}
        notes = [parameter["description"], *_bounds(schema)]
        notes += [
            f"{parameter['name']}[{name}]: {each['description']} ({self._kind(each).text})"
            for name, each in inner.items()
        ]
        return Line(parameter["name"], self._kind(schema), notes, parameter, parameter.get("required", False))

    def _fields(self, schema: Schema, scopes: Mapping[str, Any]) -> list[Line]:
        found = []
        for name, each in schema.get("properties", {}).items():
            notes = [each["description"]] if "description" in each else []
            inner = [path for path in scopes if path.startswith(f"{name}.")]
            notes += [f"{path}: {', '.join(_needs(scopes[path]))}" for path in inner]
            vendors = by_vendor(scopes.get(name, {}).get("vendors", {}))
            found.append(Line(name, self._kind(each), notes, each, name in schema.get("required", ()), vendors))
        return found

    def _kind(self, schema: Schema) -> Kind:
        if _target(schema):
            return Kind("", self._twins.get(_target(schema), _target(schema)))
        inner = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
        if inner:
            words = [word for each in inner for word in each.get("enum", ())]
            return Kind(self._kind(inner[-1]).text, _target(inner[0]), words) if words else self._kind(inner[0])
        wanted = schema.get("type", "any")
        word = next(each for each in wanted if each != "null") if isinstance(wanted, list) else wanted
        if word == "array":
            item = self._kind(schema["items"])
            return Kind(f"list of {item.text}", item.target, item.words)
        text = _FORMATS.get(schema.get("format", ""), _TYPES.get(word, word))
        return Kind(
            text, words=[json.dumps(each) if not isinstance(each, str) else each for each in schema.get("enum", ())]
        )


def by_vendor(scopes: Mapping[str, Sequence[Sequence[str]]]) -> list[str]:
    return [
        f"{vendor}: {' and '.join(' or '.join(each) for each in needs) or 'any token'}"
        for vendor, needs in scopes.items()
    ]


def curl(method: str, path: str, item: Schema) -> str:
    """Returns a command to paste, with shell variables for what only the reader knows."""
    target = path.replace("{id}", "$ID").replace("{subResourceId}", "$SUB_ID").replace("{provider}", "$PROVIDER")
    names = {each["name"] for each in item["parameters"]}
    words = ["curl"]
    if method != "GET":
        words.append(f"-X {method}")
    if item.get("security") != []:
        words.append('-u "$KEY:"')
    if "x-account-id" in names:
        words.append('-H "x-account-id: $ACCOUNT"')
    if _sent(item):
        words.append(f"-H 'content-type: application/json' -d '{json.dumps(_sent(item).get('example', {}))}'")
    query = "?page_size=5" if "page_size" in names else ""
    return " ".join([*words, f'"$GATEWAY{target}{query}"'])


def _sent(item: Schema) -> Schema:
    """Returns the JSON content of an operation's body; empty where it takes none."""
    found: Schema = item.get("requestBody", {}).get("content", {}).get(_JSON, {})
    return found


def _target(schema: Schema) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _words(schema: Schema) -> Sequence[str] | None:
    """Returns the known words of an enum, or None for a schema that is no enum."""
    wrapped = schema.get("properties", {}).get("value", {}).get("anyOf")
    return None if wrapped is None else [word for each in wrapped for word in each.get("enum", ())]


def _needs(needs: Mapping[str, Any]) -> list[str]:
    return [*([needs["client"]] if needs["client"] else []), *by_vendor(needs["vendors"])]


def _bounds(schema: Schema) -> Iterator[str]:
    if "minimum" in schema and "maximum" in schema:
        default = f", {schema['default']} by default" if "default" in schema else ""
        yield f"From {schema['minimum']:,} to {schema['maximum']:,}{default}."
