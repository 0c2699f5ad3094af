"""What all pages of the dashboard share: the operator's session, forms, notices after an action, and error pages.

Cookies: one holds the session, one carries a notice from an action to the page after it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.types import Receive, Scope, Send

from gateway.audit.events import AuditEvent, event
from gateway.auth.admin_session import AdminSession, AdminSessions
from gateway.auth.admin_sign_ins import SignInLog
from gateway.auth.login_limiter import LoginCounts
from gateway.errors import Forbidden, GatewayError
from gateway.http.context import address_of, context_of
from gateway.http.forms import Form
from gateway.http.html import Renderer, sentence
from gateway.http.pages import PageSite, Visit
from gateway.http.response import Headers, status_of
from gateway.http.site_url import SiteUrl
from gateway.model import Account, Actor, ActorKind

HOME = "/dashboard"
LOGIN = f"{HOME}/login"
FORM_SECONDS = 3600
MAX_NOTICE_LENGTH = 600
ACTOR_ID_LENGTH = 12
_SESSION_COOKIE = "dashboard"
_NOTICE_COOKIE = "dashboard_note"
_NOTICE_SECONDS = 60
_ISOLATION: Headers = [
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class SignInRequired(Forbidden):
    """The browser has no session, or an ended one."""


@dataclass(slots=True)
class AdminVisit(Visit):
    """A request from the operator's browser. `tone` and `notice` are the notice to show on the page."""

    session: AdminSession
    tone: str = ""
    notice: str = ""


class DashboardSite(PageSite[AdminVisit]):
    """`counts` are shared by all workers; `sign_ins` records the ends of sessions and the audit log."""

    def __init__(
        self,
        site_url: SiteUrl,
        renderer: Renderer,
        *,
        sessions: AdminSessions,
        now: Callable[[], float],
        new_id: Callable[[], str],
        counts: LoginCounts,
        sign_ins: SignInLog,
    ) -> None:
        super().__init__(
            site_url,
            renderer,
            refusal="This form was not sent by a page of this dashboard. Open the page again and repeat it.",
            headers=_ISOLATION,
        )
        self.sessions = sessions
        self.now = now
        self.new_id = new_id
        self.sign_ins = sign_ins
        self._counts = counts

    # --- visitors -------------------------------------------------------------------------------------------

    async def enter(self, scope: Scope, receive: Receive, send: Send) -> AdminVisit:
        """Returns the visit of a signed-in operator. Raises `SignInRequired`."""
        now = self.now()
        for text in self.cookies(scope, _SESSION_COOKIE):
            session = self.sessions.decode(text, now)
            if session is None or await self.sign_ins.ended.has_ended(session.id):
                continue
            visit = AdminVisit(scope, receive, send, session)
            renewed = self.sessions.renew(session, now)
            if renewed != session:
                visit.cookies.append(self.session_cookie(scope, renewed))
            return visit
        raise SignInRequired("Sign in first.")

    def form_token(self, visit: AdminVisit) -> str:
        return self.sessions.form_token(visit.session)

    async def is_first_submission(self, visit: AdminVisit, form: Form) -> bool:
        """Whether a form with a number of its own is submitted for the first time, and not by a reload."""
        name = f"form:{visit.session.id}:{form.get('number')[:64]}"
        return (await self._counts.add(name, FORM_SECONDS)).number == 1

    def actor(self, visit: AdminVisit) -> Actor:
        """Returns the operator of this visit, for the audit log."""
        return Actor(ActorKind.ADMIN, visit.session.id[:ACTOR_ID_LENGTH], address_of(visit.scope))

    async def record(self, what: AuditEvent, by: Actor, account: Account | None = None, **details: str) -> None:
        """Writes an event to the audit log that is no change of an account."""
        now = datetime.fromtimestamp(self.now(), UTC)
        project_id, account_id = (account.project_id, account.id) if account else ("", None)
        await self.sign_ins.note(event(what, now, by, project_id=project_id, account_id=account_id, details=details))

    def session_cookie(self, scope: Scope, session: AdminSession) -> str:
        return self.cookie(scope, _SESSION_COOKIE, self.sessions.encode(session), self.sessions.lifetime)

    def delete_session_cookie(self, scope: Scope) -> str:
        return self.cookie(scope, _SESSION_COOKIE, "", 0)

    # --- answers --------------------------------------------------------------------------------------------

    async def show(self, visit: AdminVisit, template: str, values: Mapping[str, Any], status: int = 200) -> None:
        """Sends a page, with the notice of the action before it."""
        self._take_notice(visit)
        shared = {
            "form_token": self.form_token(visit),
            "number": self.new_id(),
            "tone": visit.tone,
            "notice": visit.notice,
            "signed_in": True,
        }
        await self.send_public(visit.scope, visit.send, template, {**shared, **values}, status, visit.cookies)

    async def send_public(
        self,
        scope: Scope,
        send: Send,
        template: str,
        values: Mapping[str, Any],
        status: int = 200,
        cookies: list[str] | None = None,
    ) -> None:
        """Sends a page that needs no session."""
        defaults = {"signed_in": False, "section": "", "tone": "", "notice": ""}
        await self.send_page(
            scope, send, template, {**defaults, **values}, status=status, cookies=cookies or (), scripts=True
        )

    async def go(self, visit: AdminVisit, path: str, notice: str = "", tone: str = "good") -> None:
        """Redirects to another page, which shows the notice."""
        if notice:
            sealed = self.sessions.seal_notice(visit.session, f"{tone} {notice[:MAX_NOTICE_LENGTH]}")
            value = urlsafe_b64encode(sealed.encode()).decode()
            visit.cookies.append(self.cookie(visit.scope, _NOTICE_COOKIE, value, _NOTICE_SECONDS))
        await self.see_other(visit.scope, visit.send, path, visit.cookies)

    def _take_notice(self, visit: AdminVisit) -> None:
        for value in self.cookies(visit.scope, _NOTICE_COOKIE):
            visit.cookies.append(self.cookie(visit.scope, _NOTICE_COOKIE, "", 0))
            try:
                sealed = urlsafe_b64decode(value).decode()
            except (Error, ValueError):
                continue
            text = self.sessions.open_notice(visit.session, sealed)
            if text and not visit.notice:
                visit.tone, _, visit.notice = text.partition(" ")

    async def show_error(self, scope: Scope, receive: Receive, send: Send, error: GatewayError) -> None:
        if isinstance(error, SignInRequired):
            await self._ask_to_sign_in(scope, send)
            return
        context_of(scope).error = error.code
        values = {"title": "That did not work", "fault": sentence(error.message)}
        try:
            visit = await self.enter(scope, receive, send)
        except GatewayError:
            # Not signed in, or the database is unreachable and nobody knows.
            await self.send_public(scope, send, "fault.html", values, status_of(error))
        else:
            await self.show(visit, "fault.html", values, status_of(error))

    async def _ask_to_sign_in(self, scope: Scope, send: Send) -> None:
        """Redirects to the login form, which leads back to the page that was asked for."""
        target = ""
        query = scope["query_string"].decode("latin-1")
        if scope["method"] in {"GET", "HEAD"} and (query or scope["path"] != HOME):
            target = "?" + urlencode({"next": scope["path"] + (f"?{query}" if query else "")})
        await self.see_other(scope, send, LOGIN + target)
