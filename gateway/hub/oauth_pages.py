"""The way through a vendor's own page, for vendors with OAuth 2.0: a person leaves here and comes back with a code.

Nothing is kept in between: what must come back, and the PKCE verifier, are made again from the session.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.exchange import Consent
from gateway.errors import Forbidden, GatewayError, NotFound
from gateway.http.middleware import address_of, context_of
from gateway.hub.pages import ConnectPages, Page
from gateway.hub.sessions import OVER, ConnectSession
from gateway.model import Upstream
from gateway.policy.provider import Provider
from gateway.upstream.oauth import Authorization, Client, authorization_url, code_of, token_of, token_request

CALLBACK = "/connect/oauth2/callback"


class ConsentPages:
    """`clients` is what we are registered as, by provider; `new_nonce` makes each trip another; `now` is the time."""

    def __init__(
        self,
        pages: ConnectPages,
        upstream: Upstream,
        clients: Mapping[str, Client],
        new_nonce: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        self._pages = pages
        self._upstream = upstream
        self._clients = clients
        self._new_nonce = new_nonce
        self._now = now

    def routes(self) -> list[Route]:
        leave = Page("connect_leave", self._leave, self._pages)
        return [
            Route(CALLBACK, Page("connect_return", self._return, self._pages), methods=["GET"], name="connect_return"),
            Route("/connect/oauth2/{provider}", leave, methods=["GET"], name="connect_leave"),
        ]

    async def _leave(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._pages.visit(scope, receive, send)
        provider = await self._pages.hub.find_provider(visit.session, scope["path_params"]["provider"])
        consent, client = self._of(provider)
        trip = self._trip(scope, visit.session, provider.connector.key, self._new_nonce())
        scopes = [each.scope for each in self._pages.wants[provider.connector.key].scopes]
        await self._pages.leave(scope, send, authorization_url(consent, client, trip, scopes))

    async def _return(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._pages.visit(scope, receive, send)
        if visit.session.spent:
            await self._pages.go(scope, send, "/connect/done")
            return
        returned = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        key, nonce, _ = [*returned.get("state", "").split("."), "", ""][:3]
        trip = self._trip(scope, visit.session, key, nonce)
        if not hmac.compare_digest(returned.get("state", "").encode(), trip.state.encode()):
            raise Forbidden("You were not sent here by your own link. Open the link again.", code="ForeignFormError")
        provider = await self._pages.hub.find_provider(visit.session, key)
        consent, client = self._of(provider)
        context = context_of(scope)
        try:
            code = code_of(returned, provider.connector.name)
            answer = await self._upstream.send(consent.token_base, token_request(consent, client, trip, code))
            token = token_of(answer, provider.connector.name, self._now())
            account = await self._pages.hub.link(visit.session, key, token, address_of(scope))
        except GatewayError as error:
            if error.code == OVER:
                raise
            context.error = error.code
            await self._pages.ask(visit, provider, error)
            return
        context.account_id = account.id
        await self._pages.finish(visit, account)

    def _trip(self, scope: Scope, session: ConnectSession, key: str, nonce: str) -> Authorization:
        seal, place = self._pages.seal, self._pages.place
        back = f"{place.base(scope)}{CALLBACK}"
        state = f"{key}.{nonce}.{seal.word(f'state:{key}:{nonce}', session)}"
        return Authorization(back, state, seal.word(f"verifier:{key}:{nonce}", session))

    def _of(self, provider: Provider) -> tuple[Consent, Client]:
        consent, client = provider.connector.auth.consent, self._clients.get(provider.connector.key)
        if consent is None or client is None:
            raise NotFound(
                f"{provider.connector.name} is not connected in this way here.", code="ConnectorNotFoundError"
            )
        return consent, client
