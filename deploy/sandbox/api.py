"""The API: from request to answer, without I/O. Checks the token first, then the rate limit, then the resource."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deploy.sandbox.answers import Answer, error_answer, json_answer
from deploy.sandbox.catalogue import RESOURCES
from deploy.sandbox.errors import ApiError, not_found
from deploy.sandbox.model import Resource
from deploy.sandbox.rights import Viewer
from deploy.sandbox.state import State
from deploy.sandbox.tokens import Token
from deploy.sandbox.writing import create, delete, update

BASE = "/api"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A call of the API."""

    method: str
    path: str
    """Without the base path."""
    query: bytes
    token: Token | None
    body: bytes = b""


def answer(request: ApiRequest, state: State) -> Answer:
    """Returns the answer to a call."""
    try:
        return _admitted(request, state)
    except ApiError as error:
        return error_answer(error, state.choices)


def _admitted(request: ApiRequest, state: State) -> Answer:
    token = request.token
    if token is None or token.revoked:
        raise ApiError(401, "Invalid access token")
    wait = state.limiter.wait(token.name, state.choices)
    if wait is not None:
        refused = error_answer(ApiError(429, "Too many requests"), state.choices)
        if state.choices.rate_limit_retry_after == "absent":
            return refused
        return replace(refused, headers=((b"retry-after", str(wait).encode()),))
    return _routed(request, state, state.viewer(token))


def _routed(request: ApiRequest, state: State, viewer: Viewer) -> Answer:
    name, _, row_id = request.path.strip("/").partition("/")
    if name == "token-info" and not row_id and state.choices.token_info == "available":
        _only_get(request)
        return json_answer(_token_info(viewer, state))
    if name == "me" and not row_id:
        _only_get(request)
        return state.reader.read(RESOURCES["people"], viewer, viewer.person_id)
    resource = RESOURCES.get(name)
    periods_missing = name == "time-away-periods" and state.choices.time_away_periods == "missing"
    if resource is None or "/" in row_id or periods_missing:
        raise not_found("Page not found")
    return _by_method(request, resource, row_id, state, viewer)


def _by_method(request: ApiRequest, resource: Resource, row_id: str, state: State, viewer: Viewer) -> Answer:
    wanted = {
        ("GET", False): "list",
        ("GET", True): "read",
        ("POST", False): "create",
        ("PATCH", True): "update",
        ("DELETE", True): "delete",
    }.get((request.method, bool(row_id)))
    if wanted not in resource.methods:
        raise ApiError(405, f"{request.method} is not allowed here")
    match wanted:
        case "list":
            return state.reader.list(resource, viewer, request.query)
        case "read":
            return state.reader.read(resource, viewer, row_id)
        case "create":
            return create(resource, viewer, state, request.body)
        case "update":
            return update(resource, row_id, viewer, state, request.body)
        case _:
            return delete(resource, row_id, viewer, state)


def _only_get(request: ApiRequest) -> None:
    if request.method != "GET":
        raise ApiError(405, f"{request.method} is not allowed here")


def _token_info(viewer: Viewer, state: State) -> dict[str, object]:
    return {
        "id": state.world.id("token", viewer.token.name),
        "personId": viewer.person_id,
        "label": viewer.token.name,
        "scopes": list(viewer.scopes),
    }
