"""What all pages of the dashboard share: who visits, forms that only they can send, notes after an action, and faults.

Cookies: one says that the operator has signed in, one carries a note from an action to the page after it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.types import Receive, Scope, Send

from gateway.audit.events import AuditEvent, event
from gateway.auth.admin_session import AdminSession, AdminSessions
from gateway.auth.admin_sign_ins import SignInLog
from gateway.auth.login_limiter import LoginCounts
from gateway.errors import GatewayError
from gateway.http.forms import cookies, foreign, read_form
from gateway.http.html import Renderer, page_headers, sentence
from gateway.http.middleware import address_of, context_of
from gateway.http.response import Headers, status_of
from gateway.http.site_url import SiteUrl
from gateway.model import Account, Actor, ActorKind

HOME = "/dashboard"
LOGIN = f"{HOME}/login"
_NAME = "dashboard"
_NOTE = "dashboard_note"
LONGEST_NOTE = 600
FORM_SECONDS = 3600
LONGEST_ACTOR = 12
_ALONE: Headers = [
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class SignInFirst(Exception):
    """Nobody has signed in with this browser, or too long ago."""


@dataclass(slots=True)
class Visit:
    """One request of the operator's browser. `tone` and `note` are what the last action has left to say."""

    scope: Scope
    receive: Receive
    send: Send
    badge: AdminSession
    tone: str = ""
    note: str = ""
    cookies: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Form:
    """A form of ours, as it was sent."""

    pairs: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.pairs if key == name)


@dataclass(frozen=True, slots=True)
class Around:
    """Time, chance, counts that all workers share, and what is kept of sign-ins."""

    now: Callable[[], float]
    new_id: Callable[[], str]
    tally: LoginCounts
    records: SignInLog


class Shell:
    def __init__(self, place: SiteUrl, passes: AdminSessions, show: Renderer, around: Around) -> None:
        self.place = place
        self.passes = passes
        self.around = around
        self._show = show

    # --- who visits, and may they send this -----------------------------------------------------------------

    async def enter(self, scope: Scope, receive: Receive, send: Send) -> Visit:
        """Give the visit of who has signed in. Raises `SignInFirst`."""
        now = self.around.now()
        for text in cookies(scope, self._cookie_name(scope, _NAME)):
            badge = self.passes.read(text, now)
            if badge is None or await self.around.records.ended.has_ended(badge.id):
                continue
            visit = Visit(scope, receive, send, badge)
            renewed = self.passes.renew(badge, now)
            if renewed != badge:
                visit.cookies.append(self.signed_in(scope, renewed))
            return visit
        raise SignInFirst

    async def receive(self, scope: Scope, receive: Receive, send: Send) -> tuple[Visit, Form]:
        """Give the visit and the form of it, which a page of ours has shown to this visitor."""
        visit = await self.enter(scope, receive, send)
        given = await read_form(scope, receive, self.place, self.passes.word(visit.badge))
        if given is None:
            raise foreign("This form was not sent by a page of this dashboard. Open the page again and repeat it.")
        return visit, Form(tuple(given))

    async def is_first(self, visit: Visit, form: Form) -> bool:
        """Tell whether a form with a number of its own comes for the first time, and not again by a reload."""
        name = f"form:{visit.badge.id}:{form.get('number')[:64]}"
        return (await self.around.tally.add(name, FORM_SECONDS)).number == 1

    def actor(self, visit: Visit) -> Actor:
        """Give who does what is done in a visit, for the trail."""
        return Actor(ActorKind.ADMIN, visit.badge.id[:LONGEST_ACTOR], address_of(visit.scope))

    async def note(self, what: AuditEvent, by: Actor, account: Account | None = None, **details: str) -> None:
        """Write into the trail what has happened here and is no change of an account."""
        now = datetime.fromtimestamp(self.around.now(), UTC)
        project_id, account_id = (account.project_id, account.id) if account else ("", None)
        await self.around.records.note(
            event(what, now, by, project_id=project_id, account_id=account_id, details=details)
        )

    # --- cookies --------------------------------------------------------------------------------------------

    def signed_in(self, scope: Scope, badge: AdminSession) -> str:
        return self.cookie(scope, _NAME, self.passes.text(badge), self.passes.lives.whole)

    def signed_out(self, scope: Scope) -> str:
        return self.cookie(scope, _NAME, "", 0)

    def cookie(self, scope: Scope, name: str, value: str, seconds: int) -> str:
        """Write a cookie that is for us alone: over TLS no other host of the domain can set it either."""
        secure = "; Secure" if self._is_secure(scope) else ""
        kept = f"{self._cookie_name(scope, name)}={value}; Path=/; Max-Age={seconds}"
        return f"{kept}; HttpOnly; SameSite=Lax{secure}"

    def cookies(self, scope: Scope, name: str) -> list[str]:
        return cookies(scope, self._cookie_name(scope, name))

    def _cookie_name(self, scope: Scope, name: str) -> str:
        return f"__Host-{name}" if self._is_secure(scope) else name

    def _is_secure(self, scope: Scope) -> bool:
        return self.place.base(scope).startswith("https://")

    # --- sending --------------------------------------------------------------------------------------------

    async def page(self, visit: Visit, template: str, values: Mapping[str, Any], status: int = 200) -> None:
        """Show a page; the note of the action before it is shown on it, once."""
        self._take_note(visit)
        known = {
            "word": self.passes.word(visit.badge),
            "number": self.around.new_id(),
            "tone": visit.tone,
            "note": visit.note,
            "signed_in": True,
        }
        await self.bare(visit.scope, visit.send, (template, {**known, **values}), status, visit.cookies)

    async def bare(
        self, scope: Scope, send: Send, shown: tuple[str, Mapping[str, Any]], status: int, kept: list[str]
    ) -> None:
        """Show a page that takes nobody's being signed in."""
        template, values = shown
        body = self._show.page(template, {"signed_in": False, "section": "", "tone": "", "note": "", **values})
        headers = [*page_headers(scripts=True), *_ALONE, *_set(kept)]
        await context_of(scope).respond(send, status, headers, body)

    async def go(self, visit: Visit, path: str, note: str = "", tone: str = "good") -> None:
        """Send the browser to another of our pages, which then shows the note."""
        if note:
            sealed = self.passes.seal(visit.badge, f"{tone} {note[:LONGEST_NOTE]}")
            value = urlsafe_b64encode(sealed.encode()).decode()
            visit.cookies.append(self.cookie(visit.scope, _NOTE, value, 60))
        await self.leave(visit.scope, visit.send, path, visit.cookies)

    async def leave(self, scope: Scope, send: Send, path: str, kept: list[str]) -> None:
        headers = [*page_headers(), *_ALONE, *_set(kept), (b"location", f"{self.place.root}{path}".encode())]
        await context_of(scope).respond(send, 303, headers, b"")

    def _take_note(self, visit: Visit) -> None:
        for value in self.cookies(visit.scope, _NOTE):
            visit.cookies.append(self.cookie(visit.scope, _NOTE, "", 0))
            try:
                sealed = urlsafe_b64decode(value).decode()
            except (Error, ValueError):
                continue
            said = self.passes.open(visit.badge, sealed)
            if said and not visit.note:
                visit.tone, _, visit.note = said.partition(" ")

    # --- faults ---------------------------------------------------------------------------------------------

    async def refuse(self, scope: Scope, receive: Receive, send: Send, error: GatewayError) -> None:
        """Say in a page why there is no other."""
        context_of(scope).error = error.code
        shown = ("fault.html", {"title": "That did not work", "fault": sentence(error.message)})
        try:
            visit = await self.enter(scope, receive, send)
        except (SignInFirst, GatewayError):
            # Who is signed in is not known while the database is away.
            await self.bare(scope, send, shown, status_of(error), [])
        else:
            await self.page(visit, *shown, status_of(error))

    async def ask_to_sign_in(self, scope: Scope, send: Send) -> None:
        """Send the browser to the form for signing in, and from there back to where it was going."""
        way = ""
        query = scope["query_string"].decode("latin-1")
        if scope["method"] in {"GET", "HEAD"} and (query or scope["path"] != HOME):
            way = "?" + urlencode({"next": scope["path"] + (f"?{query}" if query else "")})
        await self.leave(scope, send, LOGIN + way, [])


class Page:
    """One page of the dashboard; what goes wrong is told in a page as well."""

    def __init__(self, name: str, show: Callable[[Scope, Receive, Send], Awaitable[None]], shell: Shell) -> None:
        self._name = f"dashboard_{name}"
        self._show = show
        self._shell = shell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context_of(scope).operation = self._name
        try:
            await self._show(scope, receive, send)
        except SignInFirst:
            await self._shell.ask_to_sign_in(scope, send)
        except GatewayError as error:
            await self._shell.refuse(scope, receive, send, error)


def _set(kept: list[str]) -> Headers:
    return [(b"set-cookie", each.encode()) for each in kept]
