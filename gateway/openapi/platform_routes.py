"""The rows of the platform API and of the proxy, with the schemas of their answers."""

from collections.abc import Mapping
from typing import Any

from connectors.platform import PLATFORM_OPERATIONS, PROXY
from connectors.platform_bodies import ACCOUNT_TYPES, MAX_CACHE_SECONDS
from gateway.contract.query import PageLimits
from gateway.model import Status
from gateway.openapi.parameters import account_header, page_parameters, query
from gateway.openapi.responses import CONTRACT
from gateway.openapi.routes import DocumentedRoute
from gateway.openapi.schemas import (
    BOOLEAN,
    INTEGER,
    MOMENT,
    OBJECT,
    TEXT,
    Schema,
    described,
    list_of,
    object_of,
    or_null,
    reference,
)
from gateway.policy.capabilities import DETAILS
from gateway.vendor_events.model import VendorWebhookState

_JSON = "application/json"
_TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}
_SECONDS = or_null({"type": "integer", "minimum": 0, "maximum": MAX_CACHE_SECONDS})
_STATUSES = list_of({"type": "string", "enum": list(Status)})
_SCOPES = list_of(object_of("scope granted_by", scope=TEXT, granted_by=TEXT))
_ACCESS: Mapping[str, Schema] = {
    "available": BOOLEAN,
    "reason": {"type": "string", "enum": ["withheld_by_scope", "not_implemented", "unmapped"]},
    "detail": TEXT,
    "needs": _SCOPES,
    "unknown": described(
        _SCOPES, "Scopes of which only the provider knows whether the token has them; it decides on each call."
    ),
}

PLATFORM_SCHEMAS: Mapping[str, Schema] = {
    "LinkedAccount": object_of(
        "id provider status origin_owner_id origin_owner_name created_at updated_at",
        id=TEXT,
        provider=TEXT,
        provider_name=TEXT,
        status=_STATUSES["items"],
        status_reasons=list_of(object_of("timestamp", code=TEXT, description=TEXT, timestamp=MOMENT)),
        origin_owner_id=TEXT,
        origin_owner_name=TEXT,
        origin_username=or_null(TEXT),
        credentials=described(OBJECT, "Always empty, since credentials are never shown."),
        setup_information=_TEXTS,
        label=or_null(TEXT),
        created_at=MOMENT,
        updated_at=MOMENT,
        type={"type": "string", "enum": list(ACCOUNT_TYPES)},
        shared=BOOLEAN,
        cache=object_of(
            "enabled max_fresh_seconds max_stale_seconds",
            enabled=BOOLEAN,
            max_fresh_seconds=_SECONDS,
            max_stale_seconds=_SECONDS,
        ),
    ),
    "LinkedAccountMeta": object_of("provider category models", provider=TEXT, category=TEXT, models=OBJECT),
    "ConnectorsMeta": object_of(
        "provider provider_name category models",
        provider=TEXT,
        provider_name=TEXT,
        category=TEXT,
        active=BOOLEAN,
        models=OBJECT,
        resources=OBJECT,
    ),
    "AccountPermissions": object_of(
        "account_id provider provider_name usable granted missing client_scopes operations proxy webhooks",
        account_id=TEXT,
        provider=TEXT,
        provider_name=TEXT,
        usable=described(BOOLEAN, "Whether the account is active."),
        granted=object_of(
            "scopes unknown",
            scopes=list_of(TEXT),
            unknown=list_of(TEXT),
            found_by=TEXT,
            role=or_null(TEXT),
            warnings=list_of(TEXT),
        ),
        missing=list_of(object_of("scope opens granted_by", scope=TEXT, opens=TEXT, granted_by=TEXT)),
        client_scopes=described(list_of(TEXT), "The scopes of the API key."),
        operations=list_of(
            object_of(
                "operation method path available fields",
                operation=TEXT,
                method=TEXT,
                path=TEXT,
                **_ACCESS,
                fields=list_of(object_of("field available", field=TEXT, **_ACCESS)),
            )
        ),
        proxy=list_of(object_of("method path available", method=TEXT, path=TEXT, **_ACCESS)),
        webhooks=or_null(
            object_of(
                "state needs granted_by",
                state={"type": "string", "enum": list(VendorWebhookState)},
                reason=or_null(TEXT),
                needs=TEXT,
                granted_by=TEXT,
                registered_at=or_null(MOMENT),
                last_event_at=or_null(MOMENT),
                failures=INTEGER,
            )
        ),
    ),
    "ProxyAnswer": object_of(
        "status headers data",
        status=INTEGER,
        headers=_TEXTS,
        data={},
        provider_errors=list_of(reference("ProviderError")),
    ),
}

_ACCOUNT, _CONNECTOR = reference("LinkedAccount"), reference("ConnectorsMeta")
_ROWS: Mapping[str, tuple[str, str, Schema]] = {
    "list_linked_accounts": (
        "List the linked accounts of the key's project",
        "The accounts, newest last.",
        list_of(_ACCOUNT),
    ),
    "get_account": ("Get a linked account", "The linked account.", _ACCOUNT),
    "update_account": (
        "Change a linked account, or give it a new credential",
        "The account after the change.",
        _ACCOUNT,
    ),
    "delete_account": (
        "Unlink an account and delete all data that is stored of it",
        "The account as it was.",
        _ACCOUNT,
    ),
    "get_account_meta_info": (
        "Get what the account's token can do",
        "The models, by their path.",
        reference("LinkedAccountMeta"),
    ),
    "get_account_permissions": (
        "Get what this key and the account's token may do, and which scopes open the rest",
        "Each operation, field and provider path, and the state of the account's webhook.",
        reference("AccountPermissions"),
    ),
    "list_connectors_meta": ("List what the connectors can do", "The connectors, by provider.", list_of(_CONNECTOR)),
    "get_connector_meta": ("Get what a connector can do", "What the connector can do.", _CONNECTOR),
    PROXY.id: (
        "Call the provider's own API under the same rules",
        "The provider's answer, whatever its status.",
        reference("ProxyAnswer"),
    ),
}
_ERRORS = tuple(status for status in CONTRACT if status not in {408, 412})


def platform_routes(limits: PageLimits) -> list[DocumentedRoute]:
    found = []
    for operation in (*PLATFORM_OPERATIONS, PROXY):
        summary, description, schema = _ROWS[operation.id]
        options = {**page_parameters("Accounts on a page.", limits), **_OPTIONS}
        own = (account_header(),) if operation is PROXY else tuple(options[each] for each in operation.parameters)
        found.append(
            DocumentedRoute(
                operation=operation,
                summary=summary,
                answers={200: (description, _JSON, schema)},
                errors=CONTRACT if operation is PROXY else _ERRORS,
                parameters=own,
            )
        )
    return found


def _options() -> dict[str, Schema]:
    rows: Mapping[str, tuple[str, Any]] = {
        "provider": ("List accounts of this provider; `providers` takes several.", TEXT),
        "providers": ("List accounts of one of these providers.", list_of(TEXT)),
        "origin_owner_id": ("List accounts of this owner; `origin_owner_ids` takes several.", TEXT),
        "origin_owner_ids": ("List accounts of one of these owners.", list_of(TEXT)),
        "account_ids": ("List only the accounts with these ids.", list_of(TEXT)),
        "status": ("List accounts in one of these states.", _STATUSES),
        "include": ("Details to add to the answer.", list_of({"type": "string", "enum": list(DETAILS)})),
    }
    found = {name: query(name, *row) for name, row in rows.items()}
    found["include"] |= {"style": "form", "explode": False}
    return found


_OPTIONS: Mapping[str, Schema] = _options()
