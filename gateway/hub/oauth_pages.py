"""Linking by consent at the vendor (OAuth 2.0 with PKCE): the customer leaves for the vendor and returns with a code.

Nothing is stored in between: `state` and PKCE verifier are signatures that can be made again from the session.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.routing import Route

from connectors.exchange import Consent
from gateway.errors import Forbidden, GatewayError, NotFound
from gateway.http.context import address_of, context_of
from gateway.http.forms import FOREIGN_FORM
from gateway.hub.pages import ConnectPages, ConnectVisit
from gateway.hub.sessions import OVER
from gateway.model import Upstream
from gateway.policy.provider import Provider
from gateway.upstream.oauth import Authorization, Client, authorization_url, code_of, token_of, token_request

CALLBACK = "/connect/oauth2/callback"


class OAuthPages:
    """`clients` are the gateway's registrations by provider; `new_nonce` makes every `state` unique."""

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
        return [
            self._pages.page(CALLBACK, "connect_return", self._return),
            self._pages.page("/connect/oauth2/{provider}", "connect_leave", self._leave),
        ]

    async def _leave(self, visit: ConnectVisit) -> None:
        """Redirects to the vendor's page of consent."""
        provider = await self._pages.hub.find_provider(visit.session, visit.scope["path_params"]["provider"])
        consent, client = self._registration(provider)
        authorization = self._authorization(visit, provider.connector.key, self._new_nonce())
        scopes = [each.scope for each in self._pages.needed[provider.connector.key].scopes]
        await self._pages.redirect(visit.scope, visit.send, authorization_url(consent, client, authorization, scopes))

    async def _return(self, visit: ConnectVisit) -> None:
        """Takes the code that the vendor has given, and links with its token."""
        if visit.session.spent:
            await self._pages.see_other(visit.scope, visit.send, "/connect/done")
            return
        returned = dict(parse_qsl(visit.scope["query_string"].decode("latin-1")))
        key, nonce, _ = [*returned.get("state", "").split("."), "", ""][:3]
        authorization = self._authorization(visit, key, nonce)
        if not hmac.compare_digest(returned.get("state", "").encode(), authorization.state.encode()):
            raise Forbidden("You were not sent here by your own link. Open the link again.", code=FOREIGN_FORM)
        provider = await self._pages.hub.find_provider(visit.session, key)
        consent, client = self._registration(provider)
        context = context_of(visit.scope)
        try:
            code = code_of(returned, provider.connector.name)
            answer = await self._upstream.send(consent.token_base, token_request(consent, client, authorization, code))
            token = token_of(answer, provider.connector.name, self._now())
            account = await self._pages.hub.link(visit.session, key, token, address_of(visit.scope))
        except GatewayError as error:
            if error.code == OVER:
                raise
            context.error = error.code
            await self._pages.ask_token(visit, provider, error)
            return
        context.account_id = account.id
        await self._pages.finish(visit, account)

    def _authorization(self, visit: ConnectVisit, key: str, nonce: str) -> Authorization:
        sign = self._pages.signer.sign
        state = f"{key}.{nonce}.{sign(visit.session, 'state', key, nonce)}"
        verifier = sign(visit.session, "verifier", key, nonce)
        return Authorization(f"{self._pages.site_url.base(visit.scope)}{CALLBACK}", state, verifier)

    def _registration(self, provider: Provider) -> tuple[Consent, Client]:
        consent, client = provider.connector.auth.consent, self._clients.get(provider.connector.key)
        if consent is None or client is None:
            raise NotFound(
                f"{provider.connector.name} is not connected in this way here.", code="ConnectorNotFoundError"
            )
        return consent, client
