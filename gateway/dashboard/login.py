"""Signing in and out. The password is checked in a thread, so that no other request waits for it."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.audit.events import AuditEvent
from gateway.auth.admin_password import Password
from gateway.auth.login_limiter import LoginLimiter
from gateway.dashboard.site import ACTOR_ID_LENGTH, HOME, LOGIN, AdminVisit, DashboardSite, SignInRequired
from gateway.errors import Forbidden, NotFound
from gateway.http.context import address_of, context_of
from gateway.http.forms import FOREIGN_FORM, Form, read_form
from gateway.model import Actor, ActorKind

_LOGIN_COOKIE = "dashboard_entry"
_LOGIN_SECONDS = 3600
_OWN_PATH = re.compile(r"/dashboard(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_.=&%+-]*)?")
_MAX_PATH_LENGTH = 500
PASSWORD_CHECKS = 2
"""Passwords checked at a time: each check takes 32 MiB and most of a core."""
_REFUSAL = (
    "This form is too old or was sent by another page, or your browser keeps no cookies. Open the dashboard again."
)


class LoginPages:
    def __init__(self, site: DashboardSite, password: Password, limiter: LoginLimiter) -> None:
        self._site = site
        self._password = password
        self._limiter = limiter
        self._checks = asyncio.Semaphore(PASSWORD_CHECKS)

    def routes(self) -> Sequence[Route]:
        return [
            self._site.route("GET", LOGIN, "dashboard_login", self._show_form),
            self._site.route("POST", LOGIN, "dashboard_sign_in", self._sign_in),
            self._site.form(f"{HOME}/logout", "dashboard_sign_out", self._sign_out),
        ]

    async def _show_form(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        target = own_path(query.get("next", ""))
        try:
            await self._site.enter(scope, receive, send)
        except SignInRequired:
            notice = "You have signed out." if "out" in query else ""
            await self._send_form(scope, send, target, notice=notice)
        else:
            await self._site.see_other(scope, send, target)

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        nonce = next(iter(self._site.cookies(scope, _LOGIN_COOKIE)), "")
        if not nonce:
            raise Forbidden(_REFUSAL, code=FOREIGN_FORM)
        token = self._site.sessions.login_token(nonce)
        form = await read_form(scope, receive, self._site.site_url, token, _REFUSAL)
        target, address, context = own_path(form.get("next")), address_of(scope), context_of(scope)
        wait = await self._limiter.begin(address)
        if wait:
            context.error = "TooManyAttempts"
            context.extra = [(b"retry-after", str(wait).encode())]
            self._site.sign_ins.refused("too many attempts", address)
            fault = f"Too many attempts. Try again in {duration(wait)}."
            await self._send_form(scope, send, target, fault=fault, status=429)
            return
        async with self._checks:
            matches = await asyncio.to_thread(self._password.matches, form.get("password"))
        if not matches:
            context.error = "WrongPassword"
            self._site.sign_ins.refused("wrong password", address)
            await self._site.record(AuditEvent.SIGN_IN_FAILED, Actor(ActorKind.ADMIN, address=address))
            await self._send_form(scope, send, target, fault="The password is not right.", status=403)
            return
        await self._limiter.succeed(address)
        session = self._site.sessions.create(self._site.now())
        actor = Actor(ActorKind.ADMIN, session.id[:ACTOR_ID_LENGTH], address)
        await self._site.record(AuditEvent.SIGNED_IN, actor)
        cookies = [self._site.session_cookie(scope, session), self._site.cookie(scope, _LOGIN_COOKIE, "", 0)]
        await self._site.see_other(scope, send, target, cookies)

    async def _sign_out(self, visit: AdminVisit, form: Form) -> None:  # noqa: ARG002 - a form handler
        # The end is stored, so that a copy of the cookie is worthless too.
        until = datetime.fromtimestamp(self._site.now() + self._site.sessions.lifetime, UTC)
        await self._site.sign_ins.ended.end(visit.session.id, until)
        await self._site.record(AuditEvent.SIGNED_OUT, self._site.actor(visit))
        cookie = self._site.delete_session_cookie(visit.scope)
        await self._site.see_other(visit.scope, visit.send, f"{LOGIN}?out", [cookie])

    async def _send_form(
        self, scope: Scope, send: Send, target: str, *, notice: str = "", fault: str = "", status: int = 200
    ) -> None:
        # Two tabs share one cookie.
        nonce = next(iter(self._site.cookies(scope, _LOGIN_COOKIE)), "") or self._site.new_id()
        token = self._site.sessions.login_token(nonce)
        values = {"login_notice": notice, "fault": fault, "form_token": token, "target": target}
        cookie = self._site.cookie(scope, _LOGIN_COOKIE, nonce, _LOGIN_SECONDS)
        await self._site.send_public(scope, send, "login.html", values, status, [cookie])


class NotFoundPage:
    """The last route of the dashboard: it takes every path that is left."""

    def __init__(self, site: DashboardSite) -> None:
        self._site = site

    def routes(self) -> Sequence[Route]:
        return [self._site.page(f"{HOME}/{{path:path}}", "dashboard_not_found", self._show)]

    async def _show(self, visit: AdminVisit) -> None:  # noqa: ARG002 - a page handler
        raise NotFound("There is no such page here.")


def own_path(text: str) -> str:
    """Returns a path of the dashboard, or its first page for anything else, so that nothing redirects elsewhere."""
    own = len(text) <= _MAX_PATH_LENGTH and _OWN_PATH.fullmatch(text) and not text.startswith(LOGIN)
    return text if own else HOME


def duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"
