"""The rows of linking: connect sessions for backends, the routes of the Hub component, and the pages for browsers."""

from collections.abc import Mapping
from typing import Any

from connectors.contract import Operation
from connectors.platform import CONNECT_OPERATIONS
from gateway.accounts.update import LONGEST_TEXT, TYPES
from gateway.hub.session_request import CATEGORIES, LIFE, LONGEST_LIFE, SHORTEST_LIFE
from gateway.openapi.parameters import path_parameters, query
from gateway.openapi.routes import Described
from gateway.openapi.schemas import Schema, or_null

_JSON = "application/json"
_TEXT: Schema = {"type": "string"}
_OBJECT: Schema = {"type": "object"}
_SHORT: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_CATEGORIES: Schema = {"type": "array", "items": {"type": "string", "enum": list(CATEGORIES)}}
_TYPE: Schema = {"type": "string", "enum": list(TYPES)}
_TEXT_OR_NULL = or_null(_TEXT)
_TOKEN: Schema = {
    "name": "x-hub-session-token",
    "in": "header",
    "required": True,
    "description": "The token of a connect session.",
    "schema": _TEXT,
}


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


_SESSION: Mapping[str, Schema] = {
    "id": {"type": "integer"},
    "organization_id": {"type": ["integer", "string"], "description": "Text for the SDKs that want it so."},
    "project_id": _TEXT,
    "categories": {"type": ["array", "null"], "items": _TEXT},
    "provider": _TEXT_OR_NULL,
    "origin_owner_id": _TEXT,
    "origin_owner_name": _TEXT,
    "origin_username": _TEXT_OR_NULL,
    "account_id": _TEXT_OR_NULL,
    "label": _TEXT_OR_NULL,
    "created_at": _MOMENT,
    "metadata": {"type": ["object", "null"]},
    "type": _TYPE,
    "integration_id": _TEXT_OR_NULL,
}
_NEEDED = "id organization_id project_id origin_owner_id origin_owner_name created_at"
_WISH = {
    **_object(
        "origin_owner_id origin_owner_name",
        origin_owner_id={**_SHORT, "description": "Your customer's id."},
        origin_owner_name={**_SHORT, "description": "Your customer's name, shown on the page."},
        origin_username=_TEXT_OR_NULL,
        provider={**_TEXT_OR_NULL, "description": "Opens the form of this one."},
        integration_id={**_TEXT_OR_NULL, "description": "As `provider`."},
        categories=_CATEGORIES,
        account_id={**_TEXT_OR_NULL, "description": "Gives this account a new credential."},
        replace_company={
            "type": ["boolean", "null"],
            "description": "Lets the owner's account be linked to another company at the provider: all that is "
            "kept of the company before is erased. Without it a token of another company is refused with 409.",
        },
        multiple={"type": ["boolean", "null"], "description": "Makes a further account of the owner."},
        expires_in={"type": "integer", "minimum": SHORTEST_LIFE, "maximum": LONGEST_LIFE, "default": LIFE},
        label=_TEXT_OR_NULL,
        metadata={"type": ["object", "null"]},
        type=_TYPE,
    ),
}
_ORDER = _object("credentials", integration_id=_TEXT, credentials=_OBJECT)
_LINKED = _object("id provider", id=_TEXT, provider=_TEXT)
_ERRORS = (400, 403, 404, 409, 422, 429, 500, 502)

_PLATFORM: Mapping[str, tuple[str, Schema, Schema]] = {
    "create_connect_session": (
        "Let a customer link an account: a token for the Hub, and a link for a person",
        _WISH,
        _object(f"{_NEEDED} token auth_link_url", **_SESSION, token=_TEXT, auth_link_url=_TEXT),
    ),
    "authenticate_connect_session": (
        "What the token of a connect session stands for",
        _object("token", token={"type": "string", "minLength": 1}),
        _object(_NEEDED, **_SESSION),
    ),
}


def _backend(operation: Operation) -> Described:
    summary, body, answer = _PLATFORM[operation.id]
    return Described(
        operation=operation,
        summary=summary,
        answers={operation.status: ("The session.", _JSON, answer)},
        errors=(400, 401, 403, 404, 500),
        body=body,
    )


def _route(method: str, path: str, operation_id: str, summary: str, **more: Any) -> Described:
    operation = Operation(id=operation_id, method=method, path=path, resource="hub", kind="get", scope="")
    return Described(operation=operation, summary=summary, **more)


def _component(method: str, path: str, operation_id: str, summary: str, **more: Any) -> Described:
    """Describe a route of the Hub component, in StackOne's words."""
    answer = {201 if method == "POST" else 200: ("As the Hub component reads it.", _JSON, more.pop("answer", _OBJECT))}
    parameters = (*path_parameters(path), _TOKEN, *more.pop("parameters", ()))
    return _route(method, path, operation_id, summary, answers=answer, parameters=parameters, errors=_ERRORS, **more)


def _page(path: str, operation_id: str, summary: str, kind: str, method: str = "GET") -> Described:
    answers = {200: ("It.", kind, _TEXT)}
    if kind == "text/html":
        answers |= {303: ("It is at `Location`.", "", {}), 410: ("The link no longer works.", kind, _TEXT)}
    errors = (404,) if "{provider}" in path else ()
    parameters = tuple(path_parameters(path))
    return _route(method, path, operation_id, summary, answers=answers, parameters=parameters, errors=errors)


HUB = (
    *map(_backend, CONNECT_OPERATIONS),
    _component("GET", "/hub/settings", "hub_settings", "Whether the session edits an account"),
    _component(
        "GET",
        "/hub/connectors",
        "hub_connectors",
        "The providers that the session may link",
        parameters=(query("provider", "Of them this one.", _TEXT),),
    ),
    _component("GET", "/hub/connectors/{id}", "hub_connector", "The form of a provider"),
    _component("POST", "/hub/accounts", "hub_link", "Link an account", body=_ORDER, answer=_LINKED),
    _component("GET", "/hub/accounts/{id}", "hub_account", "The account that the session edits"),
    _component("PATCH", "/hub/accounts/{id}", "hub_relink", "Link it again", body=_ORDER, answer=_LINKED),
    _page("/hub/logos/{provider}", "hub_logo", "A mark for a provider", "image/svg+xml"),
    _page("/connect/{token}", "connect", "The link for a person: the token becomes a cookie", "text/html"),
    _page("/connect", "connect_form", "The page where an account is linked", "text/html"),
    _page("/connect", "connect_link", "Link an account with the page's form", "text/html", "POST"),
    _page("/connect/done", "connect_done", "What came of it", "text/html"),
    _page("/connect/scopes", "connect_scopes", "Say which scopes a token has", "text/html", "POST"),
    _page("/connect/oauth2/{provider}", "connect_leave", "To a provider's page, where a person agrees", "text/html"),
    _page("/connect/oauth2/callback", "connect_return", "Back from that page", "text/html"),
    _page("/connect/embed.js", "connect_embed", "A script that shows the page within a product", "text/javascript"),
    _page("/connect/connected.js", "connect_connected", "A script of the page", "text/javascript"),
    _page("/connect/style.css", "connect_style", "The look of the page", "text/css"),
)
