"""The OpenAPI document: the operations of the unified API from the contract's tables, and the rows beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.connector import Connector
from connectors.contract import Operation, Resource
from gateway.contract.query import PageLimits
from gateway.openapi import responses as answers
from gateway.openapi.body_schemas import BodySchemas
from gateway.openapi.links import links
from gateway.openapi.parameters import account_header, idempotency_header, path_parameters, read_parameters
from gateway.openapi.routes import Described
from gateway.openapi.schemas import Schema, Schemas
from gateway.openapi.scope_extensions import extensions

TITLE = "Unified HRIS gateway"
ABOUT = """\
One HTTP API over the HR systems of your customers, in the contract of StackOne's Unified HRIS API.

Send the API key as the user name of HTTP Basic authentication, with an empty password. Send the id of the linked
account in the header `x-account-id`.

Each operation lists its scopes. `x-client-scope` is the scope that the API key needs. `x-vendor-scopes` lists
by provider the scopes that the account's token needs: one of each inner list. `x-field-scopes` and `x-event-scopes`
list the fields and events that need more. `x-unanswered` gives the reason why a provider cannot answer an operation,
`x-unwritable` the reason why it cannot take a field, and `x-required` what it needs in a body.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the document describes: the operations of the unified API, the connectors, and the routes beside them.

    `named` has the schemas that the rows of those routes refer to, `events` what products are sent, both by name.
    """

    operations: Sequence[Operation]
    connectors: Sequence[Connector]
    routes: Sequence[Described]
    named: Mapping[str, Schema]
    events: Mapping[str, Schema]
    limits: PageLimits

    def read_resource(self, operation: Operation) -> Resource | None:
        """Returns the resource that a read answers with, or None where no connector answers it."""
        found = (connector.endpoint(operation) for connector in self.connectors)
        return next((endpoint.table.resource for endpoint in found if endpoint), None)

    def is_written(self, operation: Operation) -> bool:
        return any(connector.write(operation) for connector in self.connectors)


def make_document(subject: Subject) -> Schema:
    schemas = Schemas()
    schemas.named.update({**answers.SCHEMAS, **subject.named})
    paths: dict[str, Schema] = {}
    for operation in subject.operations:
        item = _item(subject, operation, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = item
    for route in subject.routes:
        paths.setdefault(route.operation.path, {})[route.operation.method.lower()] = route.item(schemas.named)
    tags = dict.fromkeys(tag for item in paths.values() for each in item.values() for tag in each["tags"])
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "webhooks": dict(subject.events),
        "components": {
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The API key is the user name, and the password is empty.",
                }
            },
            "headers": dict(answers.HEADERS),
            "responses": answers.error_responses(),
            "schemas": dict(sorted(schemas.named.items())),
        },
    }


def _item(subject: Subject, operation: Operation, schemas: Schemas) -> Schema:
    found: Schema = {
        "operationId": operation.id,
        "summary": operation.id.replace("_", " ").capitalize(),
        "tags": [operation.resource],
        "parameters": [*path_parameters(operation.path), account_header()],
    }
    resource = subject.read_resource(operation)
    if resource:
        found["parameters"] += read_parameters(operation, resource, subject.limits)
        success = answers.read_response(operation, resource, schemas)
        success["links"] = links(operation, filter(subject.read_resource, subject.operations))
        found["responses"] = {"200": success} | answers.read_outcomes()
    elif subject.is_written(operation):
        success = {str(operation.status): answers.write_response(operation, schemas)}
        found["responses"] = success | answers.errors(answers.CONTRACT)
        found["parameters"] += [idempotency_header()] if operation.kind == "create" else []
    else:
        found["responses"] = answers.errors((*answers.ADMISSION, 501))
    if operation.body:
        found["requestBody"] = BodySchemas(schemas.named).request_body(operation, operation.body)
    return found | extensions(operation, subject.connectors)
