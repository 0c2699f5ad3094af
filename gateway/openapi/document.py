"""The OpenAPI document: the operations of the unified API from the contract's tables, and the rows beside them."""

from collections.abc import Sequence

from connectors.connector import Connector
from connectors.contract import Operation, Resource
from connectors.hris.operations import OPERATIONS
from gateway.contract.query import PageLimits
from gateway.openapi import responses
from gateway.openapi.body_schemas import BodySchemas
from gateway.openapi.hub_routes import HUB
from gateway.openapi.links import links
from gateway.openapi.parameters import account_header, idempotency_header, path_parameters, read_parameters
from gateway.openapi.platform_routes import PLATFORM_SCHEMAS, platform_routes
from gateway.openapi.routes import OPS
from gateway.openapi.schemas import Schema, Schemas
from gateway.openapi.scope_extensions import extensions
from gateway.openapi.vendor_event_routes import VENDOR_EVENTS
from gateway.openapi.webhook_routes import WEBHOOK_SCHEMAS, event_items, webhook_routes

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


def make_document(connectors: Sequence[Connector], limits: PageLimits) -> Schema:
    """Returns the document. Routes beside the unified API are described by rows, each in a file of its own."""
    schemas = Schemas()
    schemas.named.update({**responses.SCHEMAS, **PLATFORM_SCHEMAS, **WEBHOOK_SCHEMAS})
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        item = _item(operation, connectors, limits, schemas)
        paths.setdefault(operation.path, {})[operation.method.lower()] = item
    for route in (*platform_routes(limits), *HUB, *webhook_routes(limits), *VENDOR_EVENTS, *OPS):
        paths.setdefault(route.operation.path, {})[route.operation.method.lower()] = route.item(schemas.named)
    tags = dict.fromkeys(tag for item in paths.values() for each in item.values() for tag in each["tags"])
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "webhooks": dict(event_items()),
        "components": {
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The API key is the user name, and the password is empty.",
                }
            },
            "headers": dict(responses.HEADERS),
            "responses": responses.error_responses(),
            "schemas": dict(sorted(schemas.named.items())),
        },
    }


def _item(operation: Operation, connectors: Sequence[Connector], limits: PageLimits, schemas: Schemas) -> Schema:
    found: Schema = {
        "operationId": operation.id,
        "summary": operation.id.replace("_", " ").capitalize(),
        "tags": [operation.resource],
        "parameters": [*path_parameters(operation.path), account_header()],
    }
    resource = _read_resource(operation, connectors)
    if resource:
        found["parameters"] += read_parameters(operation, resource, limits)
        success = responses.read_response(operation, resource, schemas)
        success["links"] = links(operation, [each for each in OPERATIONS if _read_resource(each, connectors)])
        found["responses"] = {"200": success} | responses.read_outcomes()
    elif any(connector.write(operation) for connector in connectors):
        success = {str(operation.status): responses.write_response(operation, schemas)}
        found["responses"] = success | responses.errors(responses.CONTRACT)
        found["parameters"] += [idempotency_header()] if operation.kind == "create" else []
    else:
        found["responses"] = responses.errors((*responses.ADMISSION, 501))
    if operation.body:
        found["requestBody"] = BodySchemas(schemas.named).request_body(operation, operation.body)
    return found | extensions(operation, connectors)


def _read_resource(operation: Operation, connectors: Sequence[Connector]) -> Resource | None:
    """Returns the resource that a read answers with, or None where no connector answers it."""
    found = (connector.endpoint(operation) for connector in connectors)
    return next((endpoint.table.resource for endpoint in found if endpoint), None)
