"""The operations of the contract besides HR records: linked accounts, connectors, connect sessions and webhooks.

Ids and paths are those of StackOne's published OpenAPI, ids without `stackone_`. The scopes are our own.
"""

from dataclasses import replace

from connectors.contract import Operation
from connectors.platform_bodies import BODIES

ACCOUNT_FILTERS = ("provider", "providers", "origin_owner_id", "origin_owner_ids", "account_ids", "status")


def operation(operation_id: str, method: str, path: str, scope: str, parameters: tuple[str, ...] = ()) -> Operation:
    """Returns an operation whose kind, resource and body follow from its id and path."""
    kind, _, _ = operation_id.partition("_")
    resource = path.split("/")[1]
    return Operation(
        id=operation_id,
        method=method,
        path=path,
        resource=resource,
        kind=kind,
        scope=f"platform.{scope}",
        parameters=parameters,
        body=BODIES.get(operation_id),
    )


PLATFORM_OPERATIONS = (
    operation("list_linked_accounts", "GET", "/accounts", "accounts:read", ("page", "page_size", *ACCOUNT_FILTERS)),
    operation("get_account", "GET", "/accounts/{id}", "accounts:read"),
    operation("update_account", "PATCH", "/accounts/{id}", "accounts:write"),
    operation("delete_account", "DELETE", "/accounts/{id}", "accounts:write"),
    operation("get_account_meta_info", "GET", "/accounts/{id}/meta", "accounts:read"),
    operation("get_account_permissions", "GET", "/accounts/{id}/permissions", "accounts:read"),
    operation("list_connectors_meta", "GET", "/connectors/meta", "connectors:read", ("include",)),
    operation("get_connector_meta", "GET", "/connectors/meta/{provider}", "connectors:read", ("include",)),
)

PROXY_READ, PROXY_WRITE = "hris.proxy:read", "hris.proxy:write"
PROXY = Operation(
    id="proxy_request",
    method="POST",
    path="/unified/proxy",
    resource="proxy",
    kind="proxy",
    scope=PROXY_READ,
    body=BODIES["proxy_request"],
)
"""A call that is passed through to the vendor. Its scope is that of reading; other methods need `PROXY_WRITE`."""

CONNECT_OPERATIONS = tuple(
    replace(each, status=201)
    for each in (
        operation("create_connect_session", "POST", "/connect_sessions", "connect_sessions:write"),
        operation("authenticate_connect_session", "POST", "/connect_sessions/authenticate", "connect_sessions:write"),
    )
)
"""Operations on connect sessions, each of which permits one link through the Hub."""

WEBHOOK_OPERATIONS = tuple(
    replace(each, status={"create": 201, "ping": 202, "replay": 202}.get(each.kind, 200))
    for each in (
        operation("list_webhooks", "GET", "/webhooks", "webhooks:read"),
        operation("create_webhook", "POST", "/webhooks", "webhooks:write"),
        operation("get_webhook", "GET", "/webhooks/{id}", "webhooks:read"),
        operation("update_webhook", "PATCH", "/webhooks/{id}", "webhooks:write"),
        operation("delete_webhook", "DELETE", "/webhooks/{id}", "webhooks:write"),
        operation(
            "rotate_webhook_secret", "POST", "/webhooks/{id}/rotate_secret", "webhooks:write", ("overlap_seconds",)
        ),
        operation("ping_webhook", "POST", "/webhooks/{id}/ping", "webhooks:write"),
        operation(
            "list_webhook_deliveries",
            "GET",
            "/webhooks/{id}/deliveries",
            "webhooks:read",
            ("state", "page", "page_size"),
        ),
        operation("replay_webhook_deliveries", "POST", "/webhooks/{id}/replay", "webhooks:write"),
        operation("replay_webhook_delivery", "POST", "/webhooks/deliveries/{id}/replay", "webhooks:write"),
    )
)
"""Operations on a project's webhooks. They are our own: StackOne has a page for them and no public API."""
