"""Connect sessions over HTTP, for a project's backend: it sends its API key and gets the token for a browser."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.contract import Operation
from connectors.platform import CONNECT_OPERATIONS
from gateway.auth.authentication import Authenticator, forbidden
from gateway.auth.credentials import credentials_of
from gateway.contract.body import parse_json
from gateway.errors import BadRequest
from gateway.http.middleware import address_of, context_of
from gateway.http.request import read_body, read_headers
from gateway.http.site_url import SiteUrl
from gateway.hub.sessions import SessionService, shown
from gateway.model import Actor, ActorKind
from gateway.policy.policy import Operator, admit

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
LARGEST_BODY = 65536
_SDK = re.compile(r"speakeasy-sdk/(typescript|ruby|java) (\d+)\.(\d+)\.(\d+)")
# The first versions of StackOne's SDKs that want organization_id as text; the others take a number alone.
_TEXT_SINCE = {"typescript": (4, 34, 0), "ruby": (0, 40, 0), "java": (0, 19, 0)}


def wants_text(user_agent: str) -> bool:
    """Tell whether this client takes the number of the organisation as text alone."""
    found = _SDK.match(user_agent)
    return bool(found) and tuple(map(int, found.groups()[1:])) >= _TEXT_SINCE[found[1]] if found else False


class ConnectApi:
    """Has a route for each operation on connect sessions."""

    def __init__(self, authenticator: Authenticator, operator: Operator, desk: SessionService, place: SiteUrl) -> None:
        self._authenticator = authenticator
        self._operator = operator
        self._desk = desk
        self._place = place

    def routes(self) -> list[Route]:
        return [Route(each.path, _Door(self, each), methods=[each.method], name=each.id) for each in CONNECT_OPERATIONS]

    async def answer(self, operation: Operation, scope: Scope, receive: Receive) -> Mapping[str, Any]:
        headers = read_headers(scope)
        secret, _ = credentials_of(headers)
        key = await self._authenticator.authenticate(secret)
        denied = admit(operation, key.scopes, self._operator)
        if denied:
            raise forbidden(denied)
        if scope["query_string"]:
            raise BadRequest(f"{operation.id} takes no parameters.")
        body = parse_json(await read_body(scope, receive, LARGEST_BODY))
        as_text = wants_text(headers.get(b"user-agent", b"").decode("latin-1"))
        if operation.id == "authenticate_connect_session":
            return shown(await self._desk.authenticate(key.project_id, body), number_as_text=as_text)
        session, token = await self._desk.create(key.project_id, body, Actor(ActorKind.KEY, key.id, address_of(scope)))
        link = f"{self._place.base(scope)}/connect/{token}"
        return {**shown(session, number_as_text=as_text), "token": token, "auth_link_url": link}


class _Door:
    """Answers one operation."""

    def __init__(self, api: ConnectApi, operation: Operation) -> None:
        self._api = api
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = context_of(scope)
        context.operation = self._operation.id
        found = await self._api.answer(self._operation, scope, receive)
        await context.respond(send, self._operation.status, HEADERS, orjson.dumps(found))
