"""Signing in and out. The password is compared in a thread, so that a guess holds up nobody's request."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.audit.events import AuditEvent
from gateway.auth.admin_password import Password
from gateway.auth.login_limiter import LoginLimiter
from gateway.dashboard.page import HOME, LOGIN, LONGEST_ACTOR, Page, Shell, SignInFirst
from gateway.errors import NotFound
from gateway.http.forms import foreign, read_form
from gateway.http.middleware import address_of, context_of
from gateway.model import Actor, ActorKind

_ENTRY = "dashboard_entry"
_ENTRY_SECONDS = 3600
_OWN_PATH = re.compile(r"/dashboard(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_.=&%+-]*)?")
_LONGEST_PATH = 500
AT_ONCE = 2
"""Guesses that are compared at a time: each takes 32 MiB and most of a core."""


class LoginPages:
    def __init__(self, shell: Shell, password: Password, attempts: LoginLimiter) -> None:
        self._shell = shell
        self._password = password
        self._attempts = attempts
        self._turns = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> Sequence[Route]:
        return [
            Route(LOGIN, Page("login", self._form, self._shell), methods=["GET"]),
            Route(LOGIN, Page("sign_in", self._sign_in, self._shell), methods=["POST"]),
            Route(f"{HOME}/logout", Page("sign_out", self._sign_out, self._shell), methods=["POST"]),
        ]

    async def _form(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        way = own_path(asked.get("next", ""))
        try:
            await self._shell.enter(scope, receive, send)
        except SignInFirst:
            said = "You have signed out." if "out" in asked else ""
            await self._show(scope, send, {"way": way, "said": said}, 200)
        else:
            await self._shell.leave(scope, send, way, [])

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        nonce = next(iter(self._shell.cookies(scope, _ENTRY)), "")
        given = await read_form(scope, receive, self._shell.place, self._shell.passes.entry_word(nonce))
        if given is None or not nonce:
            raise foreign(
                "This form is too old or was sent by another page, or your browser keeps no cookies. "
                "Open the dashboard again."
            )
        form = dict(given)
        way = own_path(form.get("next", ""))
        address = address_of(scope)
        wait = await self._attempts.begin(address)
        if wait:
            context_of(scope).error = "TooManyAttempts"
            self._shell.around.records.refused("too many attempts", address)
            context_of(scope).extra = [(b"retry-after", str(wait).encode())]
            fault = f"Too many attempts. Try again in {in_words(wait)}."
            await self._show(scope, send, {"way": way, "fault": fault}, 429)
            return
        async with self._turns:
            good = await asyncio.to_thread(self._password.matches, form.get("password", ""))
        if not good:
            context_of(scope).error = "WrongPassword"
            self._shell.around.records.refused("wrong password", address)
            await self._shell.note(AuditEvent.SIGN_IN_FAILED, Actor(ActorKind.ADMIN, address=address))
            await self._show(scope, send, {"way": way, "fault": "The password is not right."}, 403)
            return
        await self._attempts.succeed(address)
        badge = self._shell.passes.make(self._shell.around.now())
        await self._shell.note(AuditEvent.SIGNED_IN, Actor(ActorKind.ADMIN, badge.id[:LONGEST_ACTOR], address))
        kept = [self._shell.signed_in(scope, badge), self._shell.cookie(scope, _ENTRY, "", 0)]
        await self._shell.leave(scope, send, way, kept)

    async def _sign_out(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit, _ = await self._shell.receive(scope, receive, send)
        # The cookie is taken back, and a copy of it is worth nothing either.
        over = datetime.fromtimestamp(self._shell.around.now() + self._shell.passes.lives.whole, UTC)
        await self._shell.around.records.ended.end(visit.badge.id, over)
        await self._shell.note(AuditEvent.SIGNED_OUT, self._shell.actor(visit))
        await self._shell.leave(scope, send, f"{LOGIN}?out", [self._shell.signed_out(scope)])

    async def _show(self, scope: Scope, send: Send, values: dict[str, Any], status: int) -> None:
        # Two tabs share one cookie.
        nonce = next(iter(self._shell.cookies(scope, _ENTRY)), "") or self._shell.around.new_id()
        word = self._shell.passes.entry_word(nonce)
        shown = ("login.html", {"said": "", "fault": "", "word": word, **values})
        await self._shell.bare(scope, send, shown, status, [self._shell.cookie(scope, _ENTRY, nonce, _ENTRY_SECONDS)])


class NotFoundPage:
    """What stands where there is no page: last among the routes, as it takes every path."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def routes(self) -> Sequence[Route]:
        return [Route(f"{HOME}/{{path:path}}", Page("lost", self._show, self._shell), methods=["GET"])]

    async def _show(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._shell.enter(scope, receive, send)
        raise NotFound("There is no such page here.")


def own_path(text: str) -> str:
    """Give a path of the dashboard, or its first page for anything else: no address sends a browser elsewhere."""
    own = len(text) <= _LONGEST_PATH and _OWN_PATH.fullmatch(text) and not text.startswith(LOGIN)
    return text if own else HOME


def in_words(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"
