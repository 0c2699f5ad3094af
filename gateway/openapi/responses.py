"""What the operations of the unified API answer: envelopes, errors in their one format, and headers."""

from collections.abc import Iterable, Mapping

from connectors.contract import Operation, Resource
from gateway.openapi.schemas import Schema, Schemas, component_name, reference

ADMISSION = (400, 401, 403, 404, 412, 500)
"""The statuses of admission, before any operation is done."""

CONTRACT = (400, 401, 403, 404, 408, 409, 412, 422, 429, 500, 501, 502)
"""The statuses that the contract allows every operation."""

ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "The request is not valid; `errors` has one line for each fault."),
    401: ("Unauthorized", "The API key or the signature is missing or not valid."),
    403: (
        "Forbidden",
        "The scopes of the API key, the scopes of the account's token or the operator forbid this request.",
    ),
    404: ("NotFound", "There is no such record, account or path, or this key or token may not see it."),
    408: ("RequestTimedOut", "The provider did not answer in time; it is safe to try again."),
    409: ("Conflict", "The record exists already, or the same request is still being answered."),
    412: ("PreconditionFailed", "The linked account cannot be used: it is suspended, or its token no longer works."),
    422: ("UnprocessableEntity", "The request is valid, but the provider does not accept it."),
    429: ("TooManyRequests", "A limit is reached; it is safe to try again after `Retry-After` seconds."),
    500: ("InternalServerError", "The gateway failed; its operator finds the request in the log by `x-request-id`."),
    501: ("NotImplemented", "The account's provider cannot do this operation; the message says why."),
    502: ("BadGateway", "The provider failed, or its answer was not valid; `provider_errors` has its own message."),
    504: ("NotCached", "No stored answer fits the request, and `only-if-cached` forbids asking the provider."),
}

HEADERS: Mapping[str, Schema] = {
    "Age": {
        "description": "The age of the answer, in seconds since the provider was read.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Cache-Control": {
        "description": "How long the answer is fresh from its creation: `private, max-age=N`. Errors have `no-store`.",
        "schema": {"type": "string"},
    },
    "Cache-Status": {
        "description": "Whether the provider was asked (RFC 9211): `hit`, or `fwd` with `miss`, `stale`, `request` or "
        "`bypass`. A negative `ttl` is how long the answer has been stale.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The version of this answer, for the request header `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "x-withheld-fields": {
        "description": "Fields left out for lack of a scope or by the operator, separated by commas.",
        "schema": {"type": "string"},
    },
    "x-request-id": {"description": "The id of this request in the gateway's log.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` if this is the stored answer of an earlier request with the same `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {"description": "Seconds to wait before trying again.", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "The authentication scheme, which is `Basic`.", "schema": {"type": "string"}},
}
_OF_READS = ("Age", "Cache-Control", "Cache-Status", "ETag", "x-withheld-fields", "x-request-id")
_OF_STATUS = {401: ("WWW-Authenticate",), 408: ("Retry-After",), 429: ("Retry-After",)}

_TEXT: Schema = {"type": "string"}
_STATUS: Schema = {"type": "integer"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_REASONS = ("withheld_by_scope", "withheld_by_role", "unmapped", "provider_null", "unreadable")

SCHEMAS: Mapping[str, Schema] = {
    "Error": {
        "type": "object",
        "required": ["statusCode", "message", "timestamp", "errorCode"],
        "properties": {
            "statusCode": _STATUS,
            "message": {**_TEXT, "description": "What is wrong, and what to do about it."},
            "timestamp": _MOMENT,
            "errorCode": {**_TEXT, "description": "A fixed code of the error, for programs."},
            "errors": {"type": "array", "items": _TEXT, "description": "All faults of the request, one line for each."},
            "provider_errors": {"type": "array", "items": reference("ProviderError")},
        },
    },
    "ProviderError": {
        "type": "object",
        "properties": {
            "status": _STATUS,
            "url": _TEXT,
            "raw": {"type": "object", "properties": {"message": _TEXT}},
            "headers": {"type": "object"},
        },
    },
    "RawCall": {
        "type": "object",
        "required": ["method", "url"],
        "properties": {"method": _TEXT, "url": _TEXT, "body": {}, "response": {}},
        "description": "A call to the provider that this answer was made from.",
    },
    "Withheld": {
        "type": "object",
        "additionalProperties": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["reason"],
                "properties": {
                    "reason": {"type": "string", "enum": list(_REASONS)},
                    "needs": {**_TEXT, "description": "The scope that would make the field visible."},
                    "granted_by": _TEXT,
                    "detail": {**_TEXT, "description": "What the provider does not have or does not allow."},
                    "records": {
                        "type": "integer",
                        "minimum": 1,
                        "description": "The number of records on this page for which this is so.",
                    },
                },
            },
        },
        "description": "The reason why each empty field is empty; present only with `include=withheld`.",
    },
}

_WRITTEN: Mapping[str, Schema] = {"statusCode": _STATUS, "message": _TEXT, "timestamp": _MOMENT}
_ID = {"type": "object", "properties": {"id": {"type": ["string", "null"]}, "remote_id": {"type": ["string", "null"]}}}


def _result(required: str, **more: Schema) -> Schema:
    beside: dict[str, Schema] = {
        "unified_warnings": {
            "type": "array",
            "items": {"type": "object", "properties": {"message": _TEXT}},
            "description": "The steps of the write that were not done, and other warnings.",
        },
        "provider_errors": {"type": "array", "items": reference("ProviderError")},
    }
    return {"type": "object", "required": required.split(), "properties": {**_WRITTEN, **more, **beside}}


RESULTS: Mapping[str, Schema] = {
    "CreateResult": _result("statusCode message timestamp data", data=_ID),
    "UpdateResult": _result("statusCode message timestamp"),
    "DeleteResult": _result("statusCode message timestamp"),
    "InviteEmployeeResult": _result("statusCode message timestamp data", data=_ID),
    "WriteResultApiModel": _result("statusCode message timestamp"),
    "BatchResultApiModel": _result("statusCode message timestamp"),
}
"""The answers of writes, by their names in the contract."""


def error_responses() -> dict[str, Schema]:
    """Returns the shared responses, one for each status, by name."""
    return {name: _error_response(status, text) for status, (name, text) in ERRORS.items()}


def _error_response(status: int, text: str) -> Schema:
    schema = {"allOf": [reference("Error")], "properties": {"statusCode": {"const": status}}}
    return {
        "description": text,
        "headers": headers("Cache-Control", "x-request-id", *_OF_STATUS.get(status, ())),
        "content": {"application/json": {"schema": schema}},
    }


def errors(statuses: Iterable[int]) -> dict[str, Schema]:
    return {str(status): {"$ref": f"#/components/responses/{ERRORS[status][0]}"} for status in statuses}


def headers(*names: str) -> dict[str, Schema]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def read_response(operation: Operation, resource: Resource, schemas: Schemas) -> Schema:
    """Returns the answer to a list or a get, and adds its envelope to the named schemas."""
    record = schemas.of(resource)
    listing = operation.kind == "list"
    properties: dict[str, Schema] = {
        "next": {"type": ["string", "null"], "description": "The cursor of the next page, or null on the last page."},
        "data": {"type": "array", "items": record},
        "raw": {
            "type": "array",
            "items": reference("RawCall"),
            "description": "The calls to the provider; present only with `raw=true`.",
        },
        "withheld": reference("Withheld"),
    }
    if not listing:
        del properties["next"]
        properties["data"] = record
    name = component_name(resource.name) + ("Paginated" if listing else "Result")
    required = ["next", "data"] if listing else ["data"]
    schemas.named[name] = {"type": "object", "required": required, "properties": properties}
    return {
        "description": "A page of records." if listing else "The record itself.",
        "headers": headers(*_OF_READS),
        "content": {"application/json": {"schema": reference(name)}},
    }


def read_outcomes() -> dict[str, Schema]:
    """Returns what a read may answer other than 200, by status."""
    unchanged = {"description": "The caller already has this answer.", "headers": headers(*_OF_READS)}
    return {"304": unchanged, **errors((*CONTRACT, 504))}


def write_response(operation: Operation, schemas: Schemas) -> Schema:
    """Returns the answer of a write that was done, and adds its schema to the named schemas."""
    schemas.named[operation.result] = RESULTS[operation.result]
    once = ("Idempotency-Replayed",) if operation.kind == "create" else ()
    return {
        "description": "The write was done.",
        "headers": headers("Cache-Control", "x-request-id", *once),
        "content": {"application/json": {"schema": reference(operation.result)}},
    }
