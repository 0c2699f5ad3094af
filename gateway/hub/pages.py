"""Our own Hub page, for the auth link and for frames: plain forms, which work without JavaScript.

The link's token is in the address of one request alone: it becomes a cookie at once, of the session and no other.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.errors import BadRequest, GatewayError, NotFound
from gateway.http.forms import cookies, foreign, read_form
from gateway.http.html import Renderer, page_headers, sentence
from gateway.http.middleware import address_of, context_of
from gateway.http.response import status_of
from gateway.http.site_url import SiteUrl
from gateway.hub.service import HubService
from gateway.hub.sessions import OVER, ConnectSession
from gateway.model import Account, Secret
from gateway.policy.needed_scopes import NeededScopes
from gateway.policy.provider import Provider

COOKIE = "hub_session"
COMEBACK = "hub_return"
"""The cookie of a browser that came from the dashboard with a link that was made there, and goes back to it."""
DASHBOARD = "/dashboard"
_GONE = 410


@dataclass(frozen=True, slots=True)
class Seal:
    """Makes what only we can make of a session: the value of its cookie, and the word in its form."""

    key: bytes

    def cookie(self, session: ConnectSession) -> str:
        return f"{session.id}.{self.word('cookie', session)}"

    def form(self, session: ConnectSession) -> str:
        return self.word("form", session)

    def comeback(self, session: ConnectSession) -> str:
        return self.word("comeback", session)

    def word(self, purpose: str, session: ConnectSession) -> str:
        # The digest of the token is of this session alone, while a number may come again.
        return hmac.new(self.key, f"{purpose}:{session.id}:{session.digest}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser."""

    scope: Scope
    receive: Receive
    send: Send
    session: ConnectSession


class ConnectPages:
    def __init__(
        self, hub: HubService, wants: Mapping[str, NeededScopes], place: SiteUrl, seal: Seal, show: Renderer
    ) -> None:
        self.hub = hub
        self.wants = wants
        self.place = place
        self.seal = seal
        self._show = show

    def routes(self) -> list[Route]:
        return [
            Route("/connect", Page("connect_form", self._form, self), methods=["GET"], name="connect_form"),
            Route("/connect", Page("connect_link", self._link, self), methods=["POST"], name="connect_link"),
            Route("/connect/done", Page("connect_done", self._done, self), methods=["GET"], name="connect_done"),
            Route(
                "/connect/scopes", Page("connect_scopes", self._state, self), methods=["POST"], name="connect_scopes"
            ),
            Route("/connect/{token}", Page("connect", self._enter, self), methods=["GET"], name="connect"),
        ]

    # --- the pages ------------------------------------------------------------------------------------------

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - a page
        session = await self.hub.sessions.find_open(scope["path_params"]["token"])
        await self.go(scope, send, "/connect", (b"set-cookie", self._cookie(scope, session).encode()))

    async def _form(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self.visit(scope, receive, send)
        if visit.session.spent:
            await self.go(scope, send, "/connect/done")
            return
        wanted = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("provider", "")
        choices = await self.hub.list_providers(visit.session)
        chosen = choices if len(choices) == 1 else [each for each in choices if each.connector.key == wanted]
        if chosen:
            await self.ask(visit, chosen[0])
        elif choices:
            connectors = [each.connector for each in choices]
            await self._page(visit, 200, "pick.html", {"choices": connectors})
        else:
            raise NotFound("This link names no HR system that can be connected here.", code="ConnectorNotFoundError")

    async def _link(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self.visit(scope, receive, send)
        given = await self._read_form(visit)
        if visit.session.spent:
            await self.go(scope, send, "/connect/done")
            return
        provider = await self.hub.find_provider(visit.session, given.get("provider", ""))
        context = context_of(scope)
        try:
            credential = Secret(given.get("credential", ""))
            account = await self.hub.link(visit.session, provider.connector.key, credential, address_of(scope))
        except GatewayError as error:
            if error.code == OVER:
                raise
            context.error = error.code
            await self.ask(visit, provider, error)
            return
        context.account_id = account.id
        await self.finish(visit, account)

    async def _done(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self.visit(scope, receive, send)
        if not visit.session.linked_id:
            await self.go(scope, send, "/connect")
            return
        account = (await self.hub.find_account(visit.session, visit.session.linked_id)).account
        provider = await self.hub.find_provider(visit.session, account.provider)
        outlook = self.wants[account.provider].coverage(account.grant.opens)
        what = {
            "connector": provider.connector,
            "account": account,
            "outlook": outlook,
            "origins": self.place.origins,
            "doubts": _doubts(account, provider),
            "form": self.seal.form(visit.session),
            # An account that is older than its link was there before.
            "again": account.created_at < visit.session.created_at,
        }
        await self._page(visit, 200, "done.html", what, scripts=True)

    async def _state(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the answer to the question which scopes were chosen."""
        visit = await self.visit(scope, receive, send)
        given = await self._read_form(visit)
        chosen = frozenset(name.removeprefix("scope ") for name in given if name.startswith("scope "))
        account = await self.hub.state_scopes(visit.session, chosen, address_of(scope))
        context_of(scope).account_id = account.id
        await self.go(scope, send, "/connect/done")

    async def finish(self, visit: Visit, account: Account) -> None:
        """Send the browser on after a good link: to the last page, or back to the dashboard that it came from.

        Where a question is left about the token it is asked of the operator, too.
        """
        asking = account.grant.unknown | account.grant.doubtful
        back = "/connect/done"
        if self._is_operators(visit) and not asking:
            back = f"{DASHBOARD}/accounts/{account.id}?linked=now"
        await self.go(visit.scope, visit.send, back)

    async def ask(self, visit: Visit, provider: Provider, fault: GatewayError | None = None) -> None:
        what = {
            "connector": provider.connector,
            "field": provider.connector.auth.credential,
            "wanted": self.wants[provider.connector.key].scopes,
            "form": self.seal.form(visit.session),
            "consent": provider.connector.auth.consent is not None,
            "verb": "Reconnect" if visit.session.request.account_id else "Connect",
            "fault": sentence(fault.message) if fault else "",
        }
        await self._page(visit, status_of(fault) if fault else 200, "form.html", what)

    async def refuse(self, scope: Scope, send: Send, error: GatewayError) -> None:
        """Say in a page why there is no other."""
        over = error.code == OVER
        context_of(scope).error = error.code
        title = "This link no longer works" if over else "That did not work"
        body = self._show.page("over.html", {"root": self.place.root, "title": title, "fault": sentence(error.message)})
        status = _GONE if over else status_of(error)
        await context_of(scope).respond(send, status, page_headers(self.place.origins), body)

    # --- who visits, and may they send this -----------------------------------------------------------------

    async def visit(self, scope: Scope, receive: Receive, send: Send) -> Visit:
        for value in cookies(scope, COOKIE):
            number = value.partition(".")[0]
            known = number.isascii() and number.isdigit() and len(number) < 10
            session = await self.hub.sessions.find_unexpired(int(number)) if known else None
            if session and hmac.compare_digest(value.encode(), self.seal.cookie(session).encode()):
                return Visit(scope, receive, send, session)
        raise BadRequest(
            "This link has expired, or your browser keeps no cookies for this page. Open the link again, or ask "
            "for a new one.",
            code=OVER,
        )

    def _is_operators(self, visit: Visit) -> bool:
        known = self.seal.comeback(visit.session).encode()
        return any(hmac.compare_digest(each.encode(), known) for each in cookies(visit.scope, COMEBACK))

    async def _read_form(self, visit: Visit) -> dict[str, str]:
        given = await read_form(visit.scope, visit.receive, self.place, self.seal.form(visit.session))
        if given is None:
            raise foreign("This form was not sent by the page of your link. Open the link again.")
        return dict(given)

    def _cookie(self, scope: Scope, session: ConnectSession) -> str:
        secure = self.place.base(scope).startswith("https://")
        # In a frame of another site a cookie is sent only if it says so, and is then of that site's frames alone.
        framed = "SameSite=None; Secure; Partitioned" if self.place.origins else "SameSite=Lax; Secure"
        life, path = session.request.expires_in, f"{self.place.root}/connect"
        policy = framed if secure else "SameSite=Lax"
        return f"{COOKIE}={self.seal.cookie(session)}; Path={path}; Max-Age={life}; HttpOnly; {policy}"

    # --- sending --------------------------------------------------------------------------------------------

    async def _page(
        self, visit: Visit, status: int, template: str, what: Mapping[str, Any], *, scripts: bool = False
    ) -> None:
        home = DASHBOARD if self._is_operators(visit) else ""
        values = {"root": self.place.root, "home": home, "owner": visit.session.request.owner, **what}
        body = self._show.page(template, values)
        headers = page_headers(self.place.origins, scripts=scripts)
        await context_of(visit.scope).respond(visit.send, status, headers, body)

    async def go(self, scope: Scope, send: Send, path: str, *more: tuple[bytes, bytes]) -> None:
        """Send the browser to another of our pages."""
        await self.leave(scope, send, f"{self.place.root}{path}", *more)

    async def leave(self, scope: Scope, send: Send, url: str, *more: tuple[bytes, bytes]) -> None:
        """Send the browser to an address that no caller has a word in."""
        headers = [*page_headers(self.place.origins), (b"location", url.encode()), *more]
        await context_of(scope).respond(send, 303, headers, b"")


def _doubts(account: Account, provider: Provider) -> Mapping[str, str]:
    """Give the scopes that could not be told of an account's token, each with what it grants."""
    grant = account.grant
    return {
        scope: grants for scope, grants in provider.connector.scopes.items() if scope in grant.unknown | grant.doubtful
    }


class Page:
    """One page; what goes wrong is told in a page as well."""

    def __init__(self, name: str, show: Callable[[Scope, Receive, Send], Awaitable[None]], pages: ConnectPages) -> None:
        self._name = name
        self._show = show
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context_of(scope).operation = self._name
        try:
            await self._show(scope, receive, send)
        except GatewayError as error:
            await self._pages.refuse(scope, send, error)
