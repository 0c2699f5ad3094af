"""Connect sessions over HTTP, for a project's backend: it sends its API key and gets a token for a browser."""

import re
from functools import partial
from typing import Any

from starlette.routing import Route

from connectors.contract import Operation
from connectors.platform import CONNECT_OPERATIONS
from gateway.auth.authentication import Authenticator
from gateway.auth.credentials import credentials_of
from gateway.contract.body import parse_json
from gateway.errors import BadRequest
from gateway.http.endpoint import ApiRequest, Endpoint
from gateway.http.site_url import SiteUrl
from gateway.hub.sessions import SessionService, session_json
from gateway.model import Actor, ActorKind
from gateway.policy.policy import Operator

MAX_BODY_BYTES = 65536
_SDK = re.compile(r"speakeasy-sdk/(typescript|ruby|java) (\d+)\.(\d+)\.(\d+)")
# The first versions of StackOne's SDKs that want organization_id as text; the others take a number alone.
_TEXT_SINCE = {"typescript": (4, 34, 0), "ruby": (0, 40, 0), "java": (0, 19, 0)}


def wants_text(user_agent: str) -> bool:
    """Returns whether this client takes the number of the organisation only as text."""
    found = _SDK.match(user_agent)
    return bool(found) and tuple(map(int, found.groups()[1:])) >= _TEXT_SINCE[found[1]] if found else False


class ConnectApi:
    """Has a route for each operation on connect sessions."""

    def __init__(
        self, authenticator: Authenticator, operator: Operator, sessions: SessionService, site_url: SiteUrl
    ) -> None:
        self._authenticator = authenticator
        self._operator = operator
        self._sessions = sessions
        self._site_url = site_url

    def routes(self) -> list[Route]:
        return [
            Endpoint(each.id, partial(self._handle, each), MAX_BODY_BYTES).route(each.method, each.path)
            for each in CONNECT_OPERATIONS
        ]

    async def _handle(self, operation: Operation, request: ApiRequest) -> tuple[int, Any]:
        headers = request.headers
        secret, _ = credentials_of(headers)
        key = await self._authenticator.admit_key(secret, operation, self._operator)
        if request.query():
            raise BadRequest(f"{operation.id} takes no parameters.")
        body = parse_json(await request.body())
        as_text = wants_text(headers.get(b"user-agent", b"").decode("latin-1"))
        if operation.id == "authenticate_connect_session":
            session = await self._sessions.authenticate(key.project_id, body)
            return operation.status, session_json(session, number_as_text=as_text)
        actor = Actor(ActorKind.KEY, key.id, request.address)
        session, token = await self._sessions.create(key.project_id, body, actor)
        link = f"{self._site_url.base(request.scope)}/connect/{token}"
        found = {**session_json(session, number_as_text=as_text), "token": token, "auth_link_url": link}
        return operation.status, found
