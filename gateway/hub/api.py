"""The routes that StackOne's Hub component calls, in its format. A session token takes the place of an API key."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from starlette.routing import Route

from connectors.platform_bodies import HUB_LINK, HUB_RELINK
from gateway.contract.body import check_body, parse_json
from gateway.errors import BadRequest
from gateway.http.endpoint import ApiRequest, Endpoint
from gateway.http.site_url import SiteUrl
from gateway.hub import service
from gateway.hub.service import HubService
from gateway.hub.session_request import ConnectSession
from gateway.model import Account
from gateway.policy.needed_scopes import NeededScopes

MAX_BODY_BYTES = 16384
TOKEN = b"x-hub-session-token"

Json = Mapping[str, Any]


class HubApi:
    """Answers the Hub component. `wanted_scopes` are the vendor scopes to ask for, by provider."""

    def __init__(self, hub: HubService, wanted_scopes: Mapping[str, NeededScopes], site_url: SiteUrl) -> None:
        self._hub = hub
        self._wanted_scopes = wanted_scopes
        self._site_url = site_url

    def routes(self) -> list[Route]:
        rows: list[tuple[str, str, str, _Handler]] = [
            ("GET", "/hub/settings", "hub_settings", self._settings),
            ("GET", "/hub/connectors", "hub_connectors", self._connectors),
            ("GET", "/hub/connectors/{id}", "hub_connector", self._connector),
            ("POST", "/hub/accounts", "hub_link", self._link),
            ("GET", "/hub/accounts/{id}", "hub_account", self._account),
            ("PATCH", "/hub/accounts/{id}", "hub_relink", self._relink),
        ]
        return [
            Endpoint(name, partial(self._handle, handler), MAX_BODY_BYTES).route(method, path)
            for method, path, name, handler in rows
        ]

    async def _handle(self, handler: "_Handler", request: ApiRequest) -> tuple[int, Json]:
        token = request.headers.get(TOKEN, b"").decode("latin-1")
        if not token:
            raise BadRequest("The header x-hub-session-token is missing: it holds the token of a connect session.")
        session = await self._hub.sessions.find_open(token)
        return 201 if request.scope["method"] == "POST" else 200, await handler(session, request)

    async def _settings(self, session: ConnectSession, request: ApiRequest) -> Json:  # noqa: ARG002 - a handler
        return service.settings_view(session)

    async def _connectors(self, session: ConnectSession, request: ApiRequest) -> Json:
        wanted = dict(request.query()).get("provider", "")
        return service.connectors_view(await self._hub.list_providers(session, wanted), self._logo_url(request))

    async def _connector(self, session: ConnectSession, request: ApiRequest) -> Json:
        provider = await self._hub.find_provider(session, request.path["id"])
        scopes = [each.scope for each in self._wanted_scopes[provider.connector.key].scopes]
        return service.form_view(provider.connector, self._logo_url(request), scopes)

    async def _link(self, session: ConnectSession, request: ApiRequest) -> Json:
        body = check_body(parse_json(await request.body()), HUB_LINK)
        provider = await self._hub.find_provider(session, body["integration_id"])
        credential = service.read_credential(body, provider.connector)
        return self._linked(request, await self._hub.link(session, provider.connector.key, credential, request.address))

    async def _account(self, session: ConnectSession, request: ApiRequest) -> Json:
        linked = await self._hub.find_account(session, request.path["id"])
        provider = await self._hub.find_provider(session, linked.account.provider)
        return service.account_view(linked, provider.connector)

    async def _relink(self, session: ConnectSession, request: ApiRequest) -> Json:
        linked = await self._hub.find_account(session, request.path["id"])
        provider = await self._hub.find_provider(session, linked.account.provider)
        body = check_body(parse_json(await request.body()), HUB_RELINK)
        credential = service.read_credential(body, provider.connector)
        return self._linked(request, await self._hub.link(session, provider.connector.key, credential, request.address))

    def _linked(self, request: ApiRequest, account: Account) -> Json:
        request.context.account_id = account.id
        return service.linked_view(account)

    def _logo_url(self, request: ApiRequest) -> Callable[[str], str]:
        return lambda key: f"{self._site_url.base(request.scope)}/hub/logos/{key}"


_Handler = Callable[[ConnectSession, ApiRequest], Awaitable[Json]]
