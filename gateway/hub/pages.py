"""The Hub's own pages behind a connect session's link, also in frames: plain forms that work without JavaScript.

The link's token is in the URL of one request only; a cookie for that session replaces it at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.errors import BadRequest, GatewayError, NotFound
from gateway.http.context import address_of, context_of
from gateway.http.forms import Form
from gateway.http.html import Renderer, sentence
from gateway.http.pages import PageSite, Visit
from gateway.http.response import status_of
from gateway.http.signer import Signer
from gateway.http.site_url import SiteUrl
from gateway.hub.service import HubService
from gateway.hub.session_request import ConnectSession
from gateway.hub.sessions import OVER
from gateway.model import Account, Secret
from gateway.policy.needed_scopes import NeededScopes
from gateway.policy.provider import Provider

COOKIE = "hub_session"
RETURN_COOKIE = "hub_return"
"""Set where the operator opens a link from the dashboard: the last page leads back there."""
DASHBOARD = "/dashboard"
_GONE = 410


@dataclass(frozen=True, slots=True)
class SessionSigner:
    """Signs for one connect session: its cookie, its form token and the state of an OAuth trip."""

    signer: Signer

    def cookie(self, session: ConnectSession) -> str:
        return f"{session.id}.{self.sign(session, 'cookie')}"

    def sign(self, session: ConnectSession, purpose: str, *parts: str) -> str:
        # With the digest of the token: the number of a session may be used again.
        return self.signer.sign(purpose, *parts, str(session.id), session.digest)

    def verify(self, signature: str, session: ConnectSession, purpose: str, *parts: str) -> bool:
        return self.signer.verify(signature, purpose, *parts, str(session.id), session.digest)


@dataclass(slots=True)
class ConnectVisit(Visit):
    """A request from the browser of a connect session."""

    session: ConnectSession


class ConnectPages(PageSite[ConnectVisit]):
    """`needed` are the scopes to ask for, by provider."""

    def __init__(
        self,
        hub: HubService,
        needed: Mapping[str, NeededScopes],
        site_url: SiteUrl,
        signer: SessionSigner,
        renderer: Renderer,
    ) -> None:
        super().__init__(
            site_url,
            renderer,
            refusal="This form was not sent by the page of your link. Open the link again.",
            cookie_path=f"{site_url.root}/connect",
            origins=site_url.origins,
        )
        self.hub = hub
        self.needed = needed
        self.signer = signer

    def routes(self) -> list[Route]:
        return [
            self.page("/connect", "connect_form", self._show_form),
            self.form("/connect", "connect_link", self._link),
            self.page("/connect/done", "connect_done", self._show_done),
            self.form("/connect/scopes", "connect_scopes", self._state_scopes),
            self.route("GET", "/connect/{token}", "connect", self._open_link),
        ]

    # --- pages ----------------------------------------------------------------------------------------------

    async def _open_link(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - a handler
        session = await self.hub.sessions.find_open(scope["path_params"]["token"])
        cookie = self.cookie(scope, COOKIE, self.signer.cookie(session), session.request.expires_in)
        await self.see_other(scope, send, "/connect", [cookie])

    async def _show_form(self, visit: ConnectVisit) -> None:
        if visit.session.spent:
            await self.see_other(visit.scope, visit.send, "/connect/done")
            return
        wanted = dict(parse_qsl(visit.scope["query_string"].decode("latin-1"))).get("provider", "")
        choices = await self.hub.list_providers(visit.session)
        chosen = choices if len(choices) == 1 else [each for each in choices if each.connector.key == wanted]
        if chosen:
            await self.ask_token(visit, chosen[0])
        elif choices:
            await self._send(visit, "pick.html", {"choices": [each.connector for each in choices]})
        else:
            raise NotFound("This link names no HR system that can be connected here.", code="ConnectorNotFoundError")

    async def _link(self, visit: ConnectVisit, form: Form) -> None:
        if visit.session.spent:
            await self.see_other(visit.scope, visit.send, "/connect/done")
            return
        provider = await self.hub.find_provider(visit.session, form.get("provider"))
        credential = Secret(form.get("credential"))
        context = context_of(visit.scope)
        try:
            account = await self.hub.link(visit.session, provider.connector.key, credential, address_of(visit.scope))
        except GatewayError as error:
            if error.code == OVER:
                raise
            context.error = error.code
            await self.ask_token(visit, provider, error)
            return
        context.account_id = account.id
        await self.finish(visit, account)

    async def _show_done(self, visit: ConnectVisit) -> None:
        if not visit.session.linked_id:
            await self.see_other(visit.scope, visit.send, "/connect")
            return
        account = (await self.hub.find_account(visit.session, visit.session.linked_id)).account
        provider = await self.hub.find_provider(visit.session, account.provider)
        values = {
            "connector": provider.connector,
            "account": account,
            "coverage": self.needed[account.provider].coverage(account.grant.opens),
            "origins": self.site_url.origins,
            "undetermined": _undetermined_scopes(account, provider),
            "form_token": self.form_token(visit),
            # An account that is older than its session existed before.
            "relinked": account.created_at < visit.session.created_at,
        }
        await self._send(visit, "done.html", values, scripts=True)

    async def _state_scopes(self, visit: ConnectVisit, form: Form) -> None:
        """Takes the customer's statement of the scopes that the token has."""
        chosen = frozenset(name.removeprefix("scope ") for name, _ in form.pairs if name.startswith("scope "))
        account = await self.hub.state_scopes(visit.session, chosen, address_of(visit.scope))
        context_of(visit.scope).account_id = account.id
        await self.see_other(visit.scope, visit.send, "/connect/done")

    async def finish(self, visit: ConnectVisit, account: Account) -> None:
        """Redirects after a successful link: to the last page, or back to the dashboard that the operator came from.

        The operator sees the last page too if it asks about scopes.
        """
        path = "/connect/done"
        if self._is_operator(visit) and not (account.grant.unknown | account.grant.doubtful):
            path = f"{DASHBOARD}/accounts/{account.id}?linked=now"
        await self.see_other(visit.scope, visit.send, path)

    async def ask_token(self, visit: ConnectVisit, provider: Provider, fault: GatewayError | None = None) -> None:
        """Sends the page that asks for a token, or for consent at the vendor."""
        values = {
            "connector": provider.connector,
            "field": provider.connector.auth.credential,
            "wanted": self.needed[provider.connector.key].scopes,
            "form_token": self.form_token(visit),
            "consent": provider.connector.auth.consent is not None,
            "verb": "Reconnect" if visit.session.request.account_id else "Connect",
            "fault": sentence(fault.message) if fault else "",
        }
        await self._send(visit, "form.html", values, status=status_of(fault) if fault else 200)

    # --- visitors -------------------------------------------------------------------------------------------

    async def enter(self, scope: Scope, receive: Receive, send: Send) -> ConnectVisit:
        for value in self.cookies(scope, COOKIE):
            number, _, signature = value.partition(".")
            is_number = number.isascii() and number.isdigit() and len(number) < 10
            session = await self.hub.sessions.find_unexpired(int(number)) if is_number else None
            if session and self.signer.verify(signature, session, "cookie"):
                return ConnectVisit(scope, receive, send, session)
        raise BadRequest(
            "This link has expired, or your browser keeps no cookies for this page. Open the link again, or ask "
            "for a new one.",
            code=OVER,
        )

    def form_token(self, visit: ConnectVisit) -> str:
        return self.signer.sign(visit.session, "form")

    def _is_operator(self, visit: ConnectVisit) -> bool:
        return any(
            self.signer.verify(each, visit.session, "return") for each in self.cookies(visit.scope, RETURN_COOKIE)
        )

    # --- answers --------------------------------------------------------------------------------------------

    async def _send(
        self, visit: ConnectVisit, template: str, values: Mapping[str, Any], *, status: int = 200, scripts: bool = False
    ) -> None:
        home = DASHBOARD if self._is_operator(visit) else ""
        shared = {"root": self.site_url.root, "home": home, "owner": visit.session.request.owner}
        await self.send_page(visit.scope, visit.send, template, {**shared, **values}, status=status, scripts=scripts)

    async def show_error(self, scope: Scope, receive: Receive, send: Send, error: GatewayError) -> None:  # noqa: ARG002
        over = error.code == OVER
        context_of(scope).error = error.code
        values = {
            "root": self.site_url.root,
            "title": "This link no longer works" if over else "That did not work",
            "fault": sentence(error.message),
        }
        await self.send_page(scope, send, "over.html", values, status=_GONE if over else status_of(error))


def _undetermined_scopes(account: Account, provider: Provider) -> Mapping[str, str]:
    """Returns the scopes of which it is not known whether the token has them, each with what it grants."""
    grant = account.grant
    return {
        scope: grants for scope, grants in provider.connector.scopes.items() if scope in grant.unknown | grant.doubtful
    }
