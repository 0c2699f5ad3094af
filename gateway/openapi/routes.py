"""The routes beside the unified API, one row for each, and the rows of the gateway's own pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.contract import Operation
from gateway.openapi.body_schemas import BodySchemas
from gateway.openapi.parameters import path_parameters
from gateway.openapi.responses import errors, headers
from gateway.openapi.schemas import OBJECT, TEXT, Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedRoute:
    """An operation with its documentation. An operation without a client scope needs no API key.

    `answers` has by status a description, a media type and a schema; without a media type there is no content.
    `parameters` stand beside those of the path. `body` is the schema of a body that the operation does not declare.
    `event_scopes` are the scopes that events need beyond the operation's, by event.
    """

    operation: Operation
    summary: str
    answers: Mapping[int, tuple[str, str, Schema]]
    errors: tuple[int, ...] = ()
    parameters: tuple[Schema, ...] = ()
    body: Schema = field(default_factory=dict)
    event_scopes: Mapping[str, str] = field(default_factory=dict)

    def item(self, named: dict[str, Schema]) -> Schema:
        """Returns the Operation Object of OpenAPI, and adds the schema of its body to `named`."""
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
            "parameters": [*path_parameters(operation.path), *self.parameters],
            "responses": responses | errors(self.errors),
        }
        if operation.body:
            found["requestBody"] = BodySchemas(named).request_body(operation, operation.body)
        elif self.body:
            found["requestBody"] = {"required": True, "content": {"application/json": {"schema": self.body}}}
        if operation.scope:
            found["x-client-scope"] = operation.scope
        else:
            found["security"] = []
        if self.event_scopes:
            found["x-event-scopes"] = dict(self.event_scopes)
        return found


def _open(
    path: str, operation_id: str, summary: str, answers: Mapping[int, tuple[str, str, Schema]]
) -> DocumentedRoute:
    operation = Operation(id=operation_id, method="GET", path=path, resource="gateway", kind="get", scope="")
    return DocumentedRoute(operation=operation, summary=summary, answers=answers)


_JSON = "application/json"
_NOT_CHANGED: Mapping[int, tuple[str, str, Schema]] = {304: ("The content still has this `ETag`.", "", {})}


def _state(*words: str) -> Schema:
    return {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string", "enum": list(words)}},
        "additionalProperties": {"type": "string", "enum": ["up", "down"]},
    }


OPS = (
    _open(
        "/healthz",
        "healthz",
        "Check that the process is alive",
        {200: ("The process is alive.", _JSON, _state("alive"))},
    ),
    _open(
        "/readyz",
        "readyz",
        "Check that the gateway can answer requests",
        {
            200: ("The gateway can answer requests.", _JSON, _state("ready")),
            503: ("The gateway cannot answer requests; the body says which part is down.", _JSON, _state("unready")),
        },
    ),
    _open("/metrics", "metrics", "Get metrics for Prometheus", {200: ("The metrics as text.", "text/plain", TEXT)}),
    _open(
        "/openapi.json",
        "openapi",
        "Get this document",
        {200: ("An OpenAPI 3.1 document.", _JSON, OBJECT), **_NOT_CHANGED},
    ),
    _open(
        "/docs",
        "docs",
        "Read this document as a page",
        {200: ("The page in HTML.", "text/html", TEXT), **_NOT_CHANGED},
    ),
    _open(
        "/docs/style.css",
        "docs_style",
        "Get the style sheet of the documentation",
        {200: ("The style sheet itself.", "text/css", TEXT), **_NOT_CHANGED},
    ),
)
