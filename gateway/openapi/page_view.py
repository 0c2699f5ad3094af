"""The document as it is read by people: by resource, with types as words and links. Knows the document alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.openapi.page_model import Answer, Group, Kind, Line, Named, Shown, View
from gateway.openapi.schemas import Schema

_FORMATS = {"date-time": "date-time", "duration": "duration", "binary": "bytes"}
_PLAIN_WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list"}


def make_view(document: Schema) -> View:
    return _Reader(document).view()


class _Reader:
    def __init__(self, document: Schema) -> None:
        self._document = document
        self._components = document["components"]
        schemas = self._components["schemas"]
        self._envelopes = {name for name, each in schemas.items() if self._inside(each)}
        # Of an enum in a body the words are those of the enum in an answer.
        self._same = {f"{name}Request": name for name, each in schemas.items() if _words(each) is not None}

    def view(self) -> View:
        named = [self._named(name, schema) for name, schema in self._components["schemas"].items()]
        info = self._document["info"]
        groups = tuple(self._group(tag["name"]) for tag in self._document["tags"])
        elsewhere = {group.record for group in groups}
        return View(
            title=info["title"],
            about=tuple(info["description"].strip().split("\n\n")),
            groups=groups,
            objects=tuple(
                each
                for each in named
                if each.fields and each.name not in self._envelopes | self._same.keys() | elsewhere
            ),
            enums=tuple(each for each in named if each.words is not None),
            errors=tuple(self._statuses()),
            headers=tuple((name, each["description"]) for name, each in self._components["headers"].items()),
        )

    def _statuses(self) -> Iterator[tuple[str, str]]:
        for response in self._components["responses"].values():
            status = response["content"]["application/json"]["schema"]["properties"]["statusCode"]["const"]
            yield str(status), response["description"]

    def _group(self, tag: str) -> Group:
        found = [
            (method.upper(), path, item)
            for path, methods in self._document["paths"].items()
            for method, item in methods.items()
            if tag in item["tags"]
        ]
        scopes: dict[str, Any] = {}
        for _, _, item in found:
            scopes |= item.get("x-field-scopes", {}) if self._record(item) else {}
        record = next(filter(None, (self._record(item) for _, _, item in found)), "")
        return Group(
            name=tag,
            operations=tuple(self._shown(*each) for each in found),
            record=record,
            fields=tuple(self._fields(self._components["schemas"][record], scopes)) if record else (),
        )

    def _record(self, item: Schema) -> str:
        """Give the name of the schema of an operation's records, where it has such."""
        content = item["responses"].get("200", {}).get("content", {}).get("application/json", {})
        return self._inside(self._resolved(content.get("schema", {})))

    def _inside(self, schema: Schema) -> str:
        """Give the name of what stands in an envelope's `data`; nothing for what is no envelope."""
        data = schema.get("properties", {}).get("data", {})
        return _target(data.get("items", data))

    def _resolved(self, schema: Schema) -> Schema:
        name = _target(schema)
        found: Schema = self._components["schemas"][name] if name else schema
        return found

    def _shown(self, method: str, path: str, item: Schema) -> Shown:
        parameters = tuple(self._parameter(each) for each in item["parameters"])
        sent = item.get("requestBody", {}).get("content", {}).get("application/json", {})
        body = sent.get("schema")
        responses = item["responses"]
        own = {status: each for status, each in responses.items() if "$ref" not in each}
        return Shown(
            id=item["operationId"],
            method=method,
            path=path,
            summary=item["summary"],
            scope=item.get("x-client-scope", ""),
            vendor_scopes=tuple(_by_vendor(item.get("x-vendor-scopes", {}))),
            unanswered=tuple(item.get("x-unanswered", {}).items()),
            wanted=tuple((vendor, "; ".join(each)) for vendor, each in item.get("x-required", {}).items() if each),
            parameters=parameters,
            body=tuple(self._body(self._resolved(body), item)) if body else (),
            answers=tuple(
                Answer(status=status, text=each["description"], kind=self._content(each))
                for status, each in own.items()
            ),
            errors=tuple(status for status in responses if status not in own),
            curl=_curl(method, path, item, sent),
        )

    def _body(self, schema: Schema, item: Schema) -> Iterator[Line]:
        """Give the fields of a body, each with what a provider will not take."""
        refused = item.get("x-unwritable", {})
        for line in self._fields(schema, item.get("x-field-scopes", {})):
            more = (
                f"{vendor} cannot take it: {reasons[line.name]}."
                for vendor, reasons in refused.items()
                if line.name in reasons
            )
            yield replace(line, notes=(*line.notes, *more))

    def _content(self, response: Schema) -> Kind | None:
        for media, content in response.get("content", {}).items():
            schema = content["schema"]
            inside = self._resolved(schema)["properties"]["data"] if _target(schema) in self._envelopes else schema
            return self._kind(inside) if media == "application/json" else Kind(media)
        return None

    def _parameter(self, parameter: Schema) -> Line:
        schema = parameter["schema"]
        inner = schema.get("properties", {}) if parameter.get("style") == "deepObject" else {}
        kind = self._kind(schema)
        notes = [parameter.get("description", ""), *_bounds(schema)]
        notes += [
            f"{parameter['name']}[{name}]: {each.get('description', '')} ({self._kind(each).text})"
            for name, each in inner.items()
        ]
        return Line(
            name=parameter["name"],
            place=parameter["in"],
            kind=kind,
            notes=tuple(filter(None, notes)),
            required=parameter.get("required", False),
            deprecated=parameter.get("deprecated", False),
        )

    def _fields(self, schema: Schema, scopes: Mapping[str, Any]) -> Iterator[Line]:
        required = schema.get("required", ())
        for name, each in schema.get("properties", {}).items():
            needs = scopes.get(name, {})
            inner = [path for path in scopes if path.startswith(f"{name}.")]
            notes = [each.get("description", "")]
            notes += [f"{path}: {', '.join(_needs(scopes[path]))}" for path in inner]
            yield Line(
                name=name,
                kind=self._kind(each),
                notes=tuple(filter(None, notes)),
                required=name in required,
                client_scope=each.get("x-client-scope", ""),
                vendor_scopes=tuple(_by_vendor(needs.get("vendors", {}))),
            )

    def _named(self, name: str, schema: Schema) -> Named:
        words = _words(schema)
        return Named(name=name, fields=() if words is not None else tuple(self._fields(schema, {})), words=words)

    def _kind(self, schema: Schema) -> Kind:
        inner = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
        if inner and not _target(schema):
            words = tuple(word for each in inner for word in each.get("enum", ()))
            return Kind(self._kind(inner[-1]).text, _target(inner[0]), words) if words else self._kind(inner[0])
        if _target(schema):
            return Kind("", self._same.get(_target(schema), _target(schema)))
        wanted = schema.get("type", "any")
        word = next(each for each in wanted if each != "null") if isinstance(wanted, list) else wanted
        if word == "array":
            item = self._kind(schema["items"])
            return Kind(f"list of {item.text}" if item.text else "list of ", item.target, item.words)
        text = _FORMATS.get(schema.get("format", ""), _PLAIN_WORDS.get(word, word))
        return Kind(text, words=tuple(map(str, schema.get("enum", ()))))


def _target(schema: Schema) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _words(schema: Schema) -> tuple[str, ...] | None:
    """Give the words that are known of an enum; None for what is none."""
    wrapped = schema.get("properties", {}).get("value", {}).get("anyOf")
    return None if wrapped is None else tuple(word for each in wrapped for word in each.get("enum", ()))


def _by_vendor(scopes: Mapping[str, Sequence[Sequence[str]]]) -> Iterator[str]:
    for vendor, needs in scopes.items():
        yield f"{vendor}: {' and '.join(' or '.join(each) for each in needs) or 'any token'}"


def _needs(needs: Mapping[str, Any]) -> Iterator[str]:
    if needs["client"]:
        yield needs["client"]
    yield from _by_vendor(needs["vendors"])


def _bounds(schema: Schema) -> Iterator[str]:
    if "minimum" in schema and "maximum" in schema:
        usual = f", {schema['default']} when not given" if "default" in schema else ""
        yield f"From {schema['minimum']:,} to {schema['maximum']:,}{usual}."


def _curl(method: str, path: str, item: Schema, sent: Schema) -> str:
    """Write a line to paste, in which shell variables stand for what only the reader knows."""
    target = path.replace("{id}", "$ID").replace("{subResourceId}", "$SUB_ID").replace("{provider}", "$PROVIDER")
    names = {each["name"] for each in item["parameters"]}
    words = ["curl"]
    if method != "GET":
        words.append(f"-X {method}")
    if item.get("security") != []:
        words.append('-u "$KEY:"')
    if "x-account-id" in names:
        words.append('-H "x-account-id: $ACCOUNT"')
    if sent:
        words.append(f"-H 'content-type: application/json' -d '{json.dumps(sent.get('example', {}))}'")
    query = "?page_size=5" if "page_size" in names else ""
    return " ".join([*words, f'"$GATEWAY{target}{query}"'])
