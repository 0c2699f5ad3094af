"""The routes beside the unified API, as the document tells of them: a row each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.contract import Operation
from gateway.openapi.responses import errors, headers
from gateway.openapi.schemas import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An operation with what the tables of the contract do not tell. Without a client scope it asks for no API key.

    `answers` gives, by status, what it is, the media type and the schema; of bodies without media type there is none.
    `event_scopes` are what events take beyond the operation's scope, by name.
    """

    operation: Operation
    summary: str
    answers: Mapping[int, tuple[str, str, Schema]]
    errors: tuple[int, ...] = ()
    parameters: tuple[Schema, ...] = ()
    body: Schema = field(default_factory=dict)
    event_scopes: Mapping[str, str] = field(default_factory=dict)

    def item(self) -> Schema:
        """Give the operation as an Operation Object of OpenAPI."""
        operation = self.operation
        responses = {
            str(status): {
                "description": text,
                "headers": headers("Cache-Control", "x-request-id"),
                **({"content": {kind: {"schema": schema}}} if kind else {}),
            }
            for status, (text, kind, schema) in self.answers.items()
        }
        found: Schema = {
            "operationId": operation.id,
            "summary": self.summary,
            "tags": [operation.resource],
            "parameters": list(self.parameters),
            "responses": responses | errors(self.errors),
        }
        if self.body:
            found["requestBody"] = {"required": True, "content": {"application/json": {"schema": self.body}}}
        if operation.scope:
            found["x-client-scope"] = operation.scope
        else:
            found["security"] = []
        if self.event_scopes:
            found["x-event-scopes"] = dict(self.event_scopes)
        return found


def _open(path: str, operation_id: str, summary: str, answers: Mapping[int, tuple[str, str, Schema]]) -> Described:
    operation = Operation(id=operation_id, method="GET", path=path, resource="gateway", kind="get", scope="")
    return Described(operation=operation, summary=summary, answers=answers)


_JSON = "application/json"
_UP_OR_DOWN: Schema = {"type": "string", "enum": ["up", "down"]}
_NOT_CHANGED: Mapping[int, tuple[str, str, Schema]] = {304: ("It is still what `If-None-Match` names.", "", {})}


def _state(*words: str) -> Schema:
    return {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string", "enum": list(words)}},
        "additionalProperties": _UP_OR_DOWN,
    }


OPS = (
    _open("/healthz", "healthz", "Is the process alive?", {200: ("It answers.", _JSON, _state("alive"))}),
    _open(
        "/readyz",
        "readyz",
        "Can it work, and which part is down?",
        {200: ("It can.", _JSON, _state("ready")), 503: ("It cannot.", _JSON, _state("unready"))},
    ),
    _open(
        "/metrics",
        "metrics",
        "What it counts, in Prometheus' text format.",
        {200: ("The counts.", "text/plain", {"type": "string"})},
    ),
    _open(
        "/openapi.json",
        "openapi",
        "This document.",
        {200: ("An OpenAPI 3.1 document.", _JSON, {"type": "object"}), **_NOT_CHANGED},
    ),
    _open(
        "/docs",
        "docs",
        "This document as a page to read.",
        {200: ("A page.", "text/html", {"type": "string"}), **_NOT_CHANGED},
    ),
    _open(
        "/docs/style.css",
        "docs_style",
        "The look of that page.",
        {200: ("A style sheet.", "text/css", {"type": "string"}), **_NOT_CHANGED},
    ),
)
