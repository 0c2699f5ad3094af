"""The routes that StackOne's Hub component calls, in its words. A session token stands for the API key."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.contract.body import parse_json
from gateway.errors import BadRequest
from gateway.http.middleware import address_of, context_of
from gateway.http.request import read_body
from gateway.http.site_url import SiteUrl, header
from gateway.hub import service as core
from gateway.hub.service import HubService
from gateway.hub.sessions import ConnectSession
from gateway.model import Account
from gateway.policy.needed_scopes import NeededScopes

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
LARGEST_BODY = 16384
TOKEN = b"x-hub-session-token"

Json = Mapping[str, Any]


class HubApi:
    """`wants` says by provider which scopes to ask for."""

    def __init__(self, hub: HubService, wants: Mapping[str, NeededScopes], place: SiteUrl) -> None:
        self._hub = hub
        self._wants = wants
        self._place = place

    def routes(self) -> list[Route]:
        rows: list[tuple[str, str, str, _Answer]] = [
            ("GET", "/hub/settings", "hub_settings", self._settings),
            ("GET", "/hub/connectors", "hub_connectors", self._connectors),
            ("GET", "/hub/connectors/{id}", "hub_connector", self._connector),
            ("POST", "/hub/accounts", "hub_link", self._link),
            ("GET", "/hub/accounts/{id}", "hub_account", self._account),
            ("PATCH", "/hub/accounts/{id}", "hub_relink", self._relink),
        ]
        return [
            Route(path, _Door(name, answer, self._hub), methods=[method], name=name)
            for method, path, name, answer in rows
        ]

    async def _settings(self, session: ConnectSession, asked: Request) -> Json:  # noqa: ARG002 - an answer
        return core.settings_view(session)

    async def _connectors(self, session: ConnectSession, asked: Request) -> Json:
        wanted = asked.query_params.get("provider", "")
        return core.connectors_view(await self._hub.choices(session, wanted), self._logo_url(asked))

    async def _connector(self, session: ConnectSession, asked: Request) -> Json:
        provider = await self._hub.choice(session, asked.path_params["id"])
        scopes = [each.scope for each in self._wants[provider.connector.key].scopes]
        return core.form_view(provider.connector, self._logo_url(asked), scopes)

    async def _link(self, session: ConnectSession, asked: Request) -> Json:
        body = await _body(asked)
        provider = await self._hub.choice(session, core.read_integration(body))
        credential = core.read_order(body, provider.connector)
        address = address_of(asked.scope)
        return self._done(asked, await self._hub.link(session, provider.connector.key, credential, address))

    async def _account(self, session: ConnectSession, asked: Request) -> Json:
        linked = await self._hub.find(session, asked.path_params["id"])
        provider = await self._hub.choice(session, linked.account.provider)
        return core.account_view(linked, provider.connector)

    async def _relink(self, session: ConnectSession, asked: Request) -> Json:
        linked = await self._hub.find(session, asked.path_params["id"])
        provider = await self._hub.choice(session, linked.account.provider)
        credential = core.read_order(await _body(asked), provider.connector)
        address = address_of(asked.scope)
        return self._done(asked, await self._hub.link(session, provider.connector.key, credential, address))

    def _done(self, asked: Request, account: Account) -> Json:
        context_of(asked.scope).account_id = account.id
        return core.linked_view(account)

    def _logo_url(self, asked: Request) -> Callable[[str], str]:
        return lambda key: f"{self._place.base(asked.scope)}/hub/logos/{key}"


_Answer = Callable[[ConnectSession, Request], Awaitable[Json]]


async def _body(asked: Request) -> Json:
    return parse_json(await read_body(asked.scope, asked.receive, LARGEST_BODY))


class _Door:
    def __init__(self, name: str, answer: _Answer, hub: HubService) -> None:
        self._name = name
        self._answer = answer
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context = context_of(scope)
        context.operation = self._name
        token = header(scope, TOKEN)
        if not token:
            raise BadRequest("The header x-hub-session-token is missing: it holds the token of a connect session.")
        session = await self._hub.desk.enter(token)
        found = await self._answer(session, Request(scope, receive))
        await context.respond(send, 200 if scope["method"] != "POST" else 201, HEADERS, orjson.dumps(found))
