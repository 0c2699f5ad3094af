"""The rows of linking: connect sessions for backends, the routes of the Hub component, and the pages for browsers."""

from collections.abc import Mapping

from connectors.contract import Operation, Resource
from connectors.platform import CONNECT_OPERATIONS
from connectors.platform_bodies import ACCOUNT_TYPES, HUB_LINK, HUB_RELINK
from gateway.openapi.parameters import query
from gateway.openapi.routes import DocumentedRoute
from gateway.openapi.schemas import INTEGER, MOMENT, OBJECT, TEXT, Schema, described, list_of, object_of, or_null

_JSON = "application/json"
_SESSION: Mapping[str, Schema] = {
    "id": INTEGER,
    "organization_id": {"type": ["integer", "string"], "description": "A text for the SDKs that expect one."},
    "project_id": TEXT,
    "categories": or_null(list_of(TEXT)),
    "provider": or_null(TEXT),
    "origin_owner_id": TEXT,
    "origin_owner_name": TEXT,
    "origin_username": or_null(TEXT),
    "account_id": or_null(TEXT),
    "label": or_null(TEXT),
    "created_at": MOMENT,
    "metadata": or_null(OBJECT),
    "type": {"type": "string", "enum": list(ACCOUNT_TYPES)},
    "integration_id": or_null(TEXT),
}
_ALWAYS = "id organization_id project_id origin_owner_id origin_owner_name created_at"
_TOKEN: Mapping[str, Schema] = {
    "token": described(TEXT, "The token for the Hub component. It cannot be read again."),
    "auth_link_url": described(TEXT, "The link to give to a person who links the account in a browser."),
}
_BACKEND: Mapping[str, tuple[str, Schema]] = {
    "create_connect_session": (
        "Create a connect session, with which a customer links an account",
        object_of(f"{_ALWAYS} token auth_link_url", **_SESSION, **_TOKEN),
    ),
    "authenticate_connect_session": ("Get the connect session of a token", object_of(_ALWAYS, **_SESSION)),
}
_SESSION_HEADER: Schema = {
    "name": "x-hub-session-token",
    "in": "header",
    "required": True,
    "description": "The token of a connect session.",
    "schema": TEXT,
}
_LINKED = object_of("id provider", id=TEXT, provider=TEXT)
_COMPONENT_ERRORS = (400, 403, 404, 409, 422, 429, 500, 502)


def _backend(operation: Operation) -> DocumentedRoute:
    summary, schema = _BACKEND[operation.id]
    answers = {operation.status: ("The connect session.", _JSON, schema)}
    return DocumentedRoute(operation=operation, summary=summary, answers=answers, errors=(400, 401, 403, 404, 500))


def _operation(method: str, path: str, operation_id: str, body: Resource | None = None) -> Operation:
    return Operation(id=operation_id, method=method, path=path, resource="hub", kind="get", scope="", body=body)


def _component(
    operation: Operation, summary: str, schema: Schema = OBJECT, parameters: tuple[Schema, ...] = ()
) -> DocumentedRoute:
    """Describes a route of the Hub component, which has StackOne's format."""
    status = 201 if operation.method == "POST" else 200
    return DocumentedRoute(
        operation=operation,
        summary=summary,
        answers={status: ("The answer in the format of the Hub component.", _JSON, schema)},
        errors=_COMPONENT_ERRORS,
        parameters=(_SESSION_HEADER, *parameters),
    )


def _page(path: str, operation_id: str, summary: str, method: str = "GET") -> DocumentedRoute:
    answers: dict[int, tuple[str, str, Schema]] = {
        200: ("The page in HTML.", "text/html", TEXT),
        303: ("The next page is at the address in `Location`.", "", {}),
        410: ("The link no longer works.", "text/html", TEXT),
    }
    operation = _operation(method, path, operation_id)
    errors = (404,) if "{provider}" in path else ()
    return DocumentedRoute(operation=operation, summary=summary, answers=answers, errors=errors)


def _file(path: str, operation_id: str, summary: str, media_type: str) -> DocumentedRoute:
    operation = _operation("GET", path, operation_id)
    errors = (404,) if "{provider}" in path else ()
    answers = {200: ("The content of the file.", media_type, TEXT)}
    return DocumentedRoute(operation=operation, summary=summary, answers=answers, errors=errors)


HUB = (
    *map(_backend, CONNECT_OPERATIONS),
    _component(_operation("GET", "/hub/settings", "hub_settings"), "Get the settings of the session"),
    _component(
        _operation("GET", "/hub/connectors", "hub_connectors"),
        "List the providers that the session may link",
        parameters=(query("provider", "List this provider alone, if the session may link it.", TEXT),),
    ),
    _component(_operation("GET", "/hub/connectors/{id}", "hub_connector"), "Get the form of a provider"),
    _component(_operation("POST", "/hub/accounts", "hub_link", HUB_LINK), "Link an account", _LINKED),
    _component(_operation("GET", "/hub/accounts/{id}", "hub_account"), "Get the account that the session changes"),
    _component(_operation("PATCH", "/hub/accounts/{id}", "hub_relink", HUB_RELINK), "Link the account again", _LINKED),
    _file("/hub/logos/{provider}", "hub_logo", "Get the logo of a provider", "image/svg+xml"),
    _page("/connect/{token}", "connect", "Open the link of a connect session, which sets a cookie"),
    _page("/connect", "connect_form", "Show the page on which an account is linked"),
    _page("/connect", "connect_link", "Link an account with the form of the page", "POST"),
    _page("/connect/done", "connect_done", "Show the result of linking"),
    _page("/connect/scopes", "connect_scopes", "State which scopes the token has", "POST"),
    _page("/connect/oauth2/{provider}", "connect_leave", "Go to the provider's page to give consent"),
    _page("/connect/oauth2/callback", "connect_return", "Return from the provider's page"),
    _file(
        "/connect/embed.js", "connect_embed", "Get the script that shows the page inside a product", "text/javascript"
    ),
    _file("/connect/connected.js", "connect_connected", "Get the script of the result page", "text/javascript"),
    _file("/connect/style.css", "connect_style", "Get the style sheet of the pages", "text/css"),
)
