"""The rows of the platform API and of the proxy: what their answers look like, which no table tells."""

from collections.abc import Mapping
from typing import Any

from connectors.platform import PLATFORM_OPERATIONS, PROXY
from gateway.accounts.update import MOST_SECONDS, TYPES
from gateway.contract.query import MOST_PAGES, PageLimits
from gateway.model import Status
from gateway.openapi.parameters import account_header, path_parameters, query
from gateway.openapi.responses import CONTRACT
from gateway.openapi.routes import Described
from gateway.openapi.schemas import Schema, or_null, reference
from gateway.policy.capabilities import DETAILS
from gateway.proxy.request import METHODS, REQUEST_HEADERS
from gateway.vendor_events.model import VendorWebhookState

_JSON = "application/json"
_TEXT: Schema = {"type": "string"}
_YES_NO: Schema = {"type": "boolean"}
_OBJECT: Schema = {"type": "object"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_TEXT_OR_NULL = or_null(_TEXT)
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}
_TYPE: Schema = {"type": "string", "enum": list(TYPES)}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


_SECONDS_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 0, "maximum": MOST_SECONDS}
_ACCOUNT = _object(
    "id provider status origin_owner_id origin_owner_name created_at updated_at",
    id=_TEXT,
    provider=_TEXT,
    provider_name=_TEXT,
    status={"type": "string", "enum": list(Status)},
    status_reasons=_list(_object("timestamp", code=_TEXT, description=_TEXT, timestamp=_MOMENT)),
    origin_owner_id=_TEXT,
    origin_owner_name=_TEXT,
    origin_username=_TEXT_OR_NULL,
    credentials=_OBJECT,
    setup_information=_TEXTS,
    label=_TEXT_OR_NULL,
    created_at=_MOMENT,
    updated_at=_MOMENT,
    type=_TYPE,
    shared=_YES_NO,
    cache=_object(
        "enabled max_fresh_seconds max_stale_seconds",
        enabled=_YES_NO,
        max_fresh_seconds=_SECONDS_OR_NULL,
        max_stale_seconds=_SECONDS_OR_NULL,
    ),
)
_META = _object("provider category models", provider=_TEXT, category=_TEXT, models=_OBJECT)
_CONNECTOR = _object(
    "provider provider_name category models",
    provider=_TEXT,
    provider_name=_TEXT,
    category=_TEXT,
    active=_YES_NO,
    models=_OBJECT,
    resources=_OBJECT,
)
_VERDICT: Mapping[str, Schema] = {
    "available": _YES_NO,
    "reason": {"type": "string", "enum": ["withheld_by_scope", "not_implemented", "unmapped"]},
    "detail": _TEXT,
    "needs": _list(_object("scope granted_by", scope=_TEXT, granted_by=_TEXT)),
    "unknown": {
        **_list(_object("scope granted_by", scope=_TEXT, granted_by=_TEXT)),
        "description": "It is open, but only the provider knows whether the token has these scopes: it decides.",
    },
}
_WEBHOOKS = _object(
    "state needs granted_by",
    state={"type": "string", "enum": list(VendorWebhookState)},
    reason=_TEXT_OR_NULL,
    needs=_TEXT,
    granted_by=_TEXT,
    registered_at=or_null(_MOMENT),
    last_event_at=or_null(_MOMENT),
    failures={"type": "integer"},
)
_PERMISSIONS = _object(
    "account_id provider provider_name usable granted missing client_scopes operations proxy webhooks",
    account_id=_TEXT,
    provider=_TEXT,
    provider_name=_TEXT,
    usable=_YES_NO,
    granted=_object(
        "scopes unknown",
        scopes=_list(_TEXT),
        unknown=_list(_TEXT),
        found_by=_TEXT,
        role=_TEXT_OR_NULL,
        warnings=_list(_TEXT),
    ),
    missing=_list(_object("scope opens granted_by", scope=_TEXT, opens=_TEXT, granted_by=_TEXT)),
    client_scopes=_list(_TEXT),
    operations=_list(
        _object(
            "operation method path available fields",
            operation=_TEXT,
            method=_TEXT,
            path=_TEXT,
            **_VERDICT,
            fields=_list(_object("field available", field=_TEXT, **_VERDICT)),
        )
    ),
    proxy=_list(_object("method path available", method=_TEXT, path=_TEXT, **_VERDICT)),
    webhooks=or_null(_WEBHOOKS),
)
_CHANGES: Schema = {
    "type": "object",
    "properties": {
        "label": _TEXT_OR_NULL,
        "origin_owner_id": _TEXT_OR_NULL,
        "origin_owner_name": _TEXT_OR_NULL,
        "origin_username": _TEXT_OR_NULL,
        "setup_information": {"type": ["object", "null"], "additionalProperties": _TEXT_OR_NULL},
        "type": {"enum": [*TYPES, None]},
        "cache": {
            "type": ["object", "null"],
            "description": "Whether answers of the account are kept, and ceilings to the seconds they are used, "
            "fresh and stale; null takes back all.",
            "properties": {
                "enabled": _YES_NO,
                "max_fresh_seconds": _SECONDS_OR_NULL,
                "max_stale_seconds": _SECONDS_OR_NULL,
            },
            "additionalProperties": False,
        },
        "provider": {"type": ["string", "null"], "description": "Has to be what it is."},
        "credentials": {"type": ["object", "null"], "description": "A new credential; it is checked and never shown."},
        "secrets": {"type": ["object", "null"], "description": "As `credentials`."},
        "replace_company": {
            "type": ["boolean", "null"],
            "description": "Beside `credentials`: lets the account be linked to another company at the provider. All "
            "that is kept of the company before is erased. Without it such a token is refused with 409.",
        },
    },
}
_PROXY_REQUEST: Schema = {
    "type": "object",
    "required": ["path"],
    "additionalProperties": False,
    "properties": {
        "method": {"type": "string", "enum": [each.lower() for each in METHODS], "default": "get"},
        "path": {
            **_TEXT,
            "description": (
                "A path of the provider's API that the rules know, perhaps with a query that compares columns. It "
                "takes every client scope that the same records take through the unified API."
            ),
        },
        "url": {"type": ["string", "null"], "description": "Has to be the provider's own address."},
        "headers": {
            "type": ["object", "null"],
            "properties": dict.fromkeys(sorted(REQUEST_HEADERS), _TEXT),
            "additionalProperties": False,
        },
        "body": {"description": "Sent as JSON."},
    },
}
_PROXY_ANSWER = _object(
    "status headers data",
    status={"type": "integer"},
    headers=_TEXTS,
    data={},
    provider_errors=_list(reference("ProviderError")),
)

NAMED: Mapping[str, Schema] = {
    "LinkedAccount": _ACCOUNT,
    "LinkedAccountMeta": _META,
    "ConnectorsMeta": _CONNECTOR,
    "AccountPermissions": _PERMISSIONS,
    "ProxyAnswer": _PROXY_ANSWER,
}
"""The schemas that the rows refer to."""

_SAID: Mapping[str, tuple[str, str, Schema]] = {
    "list_linked_accounts": (
        "Linked accounts of the key's project",
        "Accounts, newest last.",
        _list(reference("LinkedAccount")),
    ),
    "get_account": ("One linked account", "The account.", reference("LinkedAccount")),
    "update_account": (
        "Change an account, or give it a new credential",
        "The account as it is now.",
        reference("LinkedAccount"),
    ),
    "delete_account": (
        "Unlink an account, and forget all that is kept of it",
        "The account as it was.",
        reference("LinkedAccount"),
    ),
    "get_account_meta_info": ("What the account's token can do", "Models, by path.", reference("LinkedAccountMeta")),
    "get_account_permissions": (
        "What this key and the account's token may do, and which scope would open the rest",
        "Each operation, field and path of the provider, and how its webhook stands.",
        reference("AccountPermissions"),
    ),
    "list_connectors_meta": ("What each connector can do", "Connectors.", _list(reference("ConnectorsMeta"))),
    "get_connector_meta": ("What one connector can do", "The connector.", reference("ConnectorsMeta")),
}
_UNTOLD: tuple[str, str, Schema] = ("", "The answer.", {})
_STATUSES = tuple(status for status in CONTRACT if status not in {408, 412})


def platform_routes(limits: PageLimits) -> list[Described]:
    found = []
    for operation in PLATFORM_OPERATIONS:
        summary, answer, schema = _SAID.get(operation.id, _UNTOLD)
        options = [_parameter(each, limits) for each in operation.parameters]
        found.append(
            Described(
                operation=operation,
                summary=summary,
                answers={200: (answer, _JSON, schema)},
                errors=_STATUSES,
                parameters=(*path_parameters(operation.path), *options),
                body=_CHANGES if operation.method == "PATCH" else {},
            )
        )
    proxy = Described(
        operation=PROXY,
        summary="Call the provider's own API, under the same rules",
        answers={200: ("What the provider answered, whatever its status.", _JSON, reference("ProxyAnswer"))},
        errors=CONTRACT,
        parameters=(account_header(),),
        body=_PROXY_REQUEST,
    )
    return [*found, proxy]


def _parameter(name: str, limits: PageLimits) -> Schema:
    known: Mapping[str, tuple[str, Any]] = {
        "page": ("The page, from 1.", {"type": "integer", "minimum": 1, "maximum": MOST_PAGES}),
        "page_size": (
            "Accounts on a page.",
            {"type": "integer", "minimum": 1, "maximum": limits.most, "default": limits.default},
        ),
        "provider": ("Accounts of this provider; `providers` takes several.", _TEXT),
        "providers": ("Accounts of one of these providers.", _list(_TEXT)),
        "origin_owner_id": ("Accounts of this owner; `origin_owner_ids` takes several.", _TEXT),
        "origin_owner_ids": ("Accounts of one of these owners.", _list(_TEXT)),
        "account_ids": ("Only these accounts.", _list(_TEXT)),
        "status": ("Accounts in one of these states.", _list({"type": "string", "enum": list(Status)})),
        "include": ("More detail.", _list({"type": "string", "enum": list(DETAILS)})),
    }
    found = query(name, *known[name])
    return {**found, "style": "form", "explode": False} if name == "include" else found
