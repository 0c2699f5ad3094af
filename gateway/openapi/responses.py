"""What operations answer: envelopes of the contract, errors with their one shape, and the headers beside them."""

from collections.abc import Iterable, Mapping

from connectors.contract import Operation, Resource
from gateway.openapi.schemas import Schema, Schemas, component_name, reference

ENTRANCE = (400, 401, 403, 404, 412, 500)
"""The statuses that stand before any operation: the call itself, the key, the scopes, the account."""

CONTRACT = (400, 401, 403, 404, 408, 409, 412, 422, 429, 500, 501, 502)
"""The statuses that the contract allows every operation."""

ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "The call is malformed; `errors` has one line for each fault."),
    401: ("Unauthorized", "There is no such API key, or no such signature."),
    403: ("Forbidden", "The key's scopes, the scopes of the account's token or the operator do not allow it."),
    404: ("NotFound", "There is no such record, account or path, or it is not for this key or token to see."),
    408: ("RequestTimedOut", "The provider did not answer in time; trying again is safe."),
    409: ("Conflict", "The record exists already, or the same call is still being answered."),
    412: ("PreconditionFailed", "The linked account cannot be used: it is suspended, or its token no longer works."),
    422: ("UnprocessableEntity", "The call is well-formed, but the provider will not take it."),
    429: ("TooManyRequests", "A limit is reached; trying again after `Retry-After` seconds is safe."),
    500: ("InternalServerError", "The gateway itself failed; its operator finds the request by `x-request-id`."),
    501: ("NotImplemented", "The contract has this operation, the account's provider does not; the message says why."),
    502: ("BadGateway", "The provider failed, or its answer made no sense; `provider_errors` says what it said."),
    504: ("NotKept", "Nothing is kept that the request would take, and `only-if-cached` forbids to ask the provider."),
}

HEADERS: Mapping[str, Schema] = {
    "Age": {"description": "Seconds since the provider was read.", "schema": {"type": "integer", "minimum": 0}},
    "Cache-Control": {
        "description": "`private, max-age=N`: seconds of freshness since its making; `no-store` for errors.",
        "schema": {"type": "string"},
    },
    "Cache-Status": {
        "description": "Whether the provider was asked: `hit`, or `fwd` with `miss`, `stale`, `request` or `bypass`; "
        "`ttl` below zero is how long the answer has been stale (RFC 9211).",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Names these bytes, for `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "x-withheld-fields": {
        "description": "Fields that a scope or the operator closes, separated by commas.",
        "schema": {"type": "string"},
    },
    "x-request-id": {"description": "Names this request in the gateway's log.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` where a write was done before under the same `Idempotency-Key`: this is its answer.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "`Basic`.", "schema": {"type": "string"}},
}
_OF_READS = ("Age", "Cache-Control", "Cache-Status", "ETag", "x-withheld-fields", "x-request-id")
_OF_STATUS = {401: ("WWW-Authenticate",), 408: ("Retry-After",), 429: ("Retry-After",)}

_TEXT: Schema = {"type": "string"}
_STATUS: Schema = {"type": "integer"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_REASONS = ("withheld_by_scope", "withheld_by_role", "unmapped", "provider_null", "unreadable")

NAMED: Mapping[str, Schema] = {
    "Error": {
        "type": "object",
        "required": ["statusCode", "message", "timestamp", "errorCode"],
        "properties": {
            "statusCode": _STATUS,
            "message": {**_TEXT, "description": "What is wrong and what to do next."},
            "timestamp": _MOMENT,
            "errorCode": {**_TEXT, "description": "What is wrong, as one word for programs."},
            "errors": {"type": "array", "items": _TEXT, "description": "One line for each fault."},
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
        "description": "A call that was made to the provider for this answer.",
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
                    "needs": {**_TEXT, "description": "The scope that would open it."},
                    "granted_by": _TEXT,
                    "detail": {**_TEXT, "description": "What the provider lacks, or refuses."},
                    "records": {"type": "integer", "minimum": 1, "description": "In how many of these records."},
                },
            },
        },
        "description": "For each field without a value, why: present with `include=withheld`.",
    },
}

_WRITTEN: Mapping[str, Schema] = {"statusCode": _STATUS, "message": _TEXT, "timestamp": _MOMENT}
_ID = {"type": "object", "properties": {"id": {"type": ["string", "null"]}, "remote_id": {"type": ["string", "null"]}}}


def _result(required: str, **more: Schema) -> Schema:
    beside: dict[str, Schema] = {
        "unified_warnings": {
            "type": "array",
            "items": {"type": "object", "properties": {"message": _TEXT}},
            "description": "What was not done, of a write that takes several steps, or not made known.",
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
"""What writes answer, by the contract's name."""


def error_responses() -> dict[str, Schema]:
    """Give the shared responses, one a status."""
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
    """Give the answer to a list or a get, with its envelope among the named schemas."""
    record = schemas.of(resource)
    listing = operation.kind == "list"
    properties: dict[str, Schema] = {
        "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last."},
        "data": {"type": "array", "items": record},
        "raw": {"type": "array", "items": reference("RawCall"), "description": "Present with `raw=true`."},
        "withheld": reference("Withheld"),
    }
    if not listing:
        del properties["next"]
        properties["data"] = record
    name = component_name(resource.name) + ("Paginated" if listing else "Result")
    required = ["next", "data"] if listing else ["data"]
    schemas.named[name] = {"type": "object", "required": required, "properties": properties}
    return {
        "description": "A page of records." if listing else "The record.",
        "headers": headers(*_OF_READS),
        "content": {"application/json": {"schema": reference(name)}},
    }


def read_outcomes() -> dict[str, Schema]:
    """Give what a read may answer instead of its record: that the caller has it, or why there is none."""
    unchanged = {"description": "The caller has this answer already.", "headers": headers(*_OF_READS)}
    return {"304": unchanged, **errors((*CONTRACT, 504))}


def write_response(operation: Operation, schemas: Schemas) -> Schema:
    """Give the answer of a write that has been done."""
    schemas.named[operation.result] = RESULTS[operation.result]
    once = ("Idempotency-Replayed",) if operation.kind == "create" else ()
    return {
        "description": "It is done.",
        "headers": headers("Cache-Control", "x-request-id", *once),
        "content": {"application/json": {"schema": reference(operation.result)}},
    }
