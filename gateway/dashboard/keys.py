"""API keys: made with the scopes that are chosen, shown once, and revoked."""

from collections.abc import Mapping, Sequence

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.dashboard.page import HOME, Form, Page, Shell, Visit
from gateway.dashboard.service import LONGEST_NAME, AdminService
from gateway.errors import BadRequest, Conflict, GatewayError, NotFound
from gateway.http.html import sentence
from gateway.http.middleware import context_of
from gateway.http.response import status_of
from gateway.model import ClientKey

_PATH = f"{HOME}/keys"
KINDS: Mapping[str, tuple[str, ...]] = {"all": ("*",), "read": ("hris.*:read",), "chosen": ()}
"""What a key may do, as it is chosen: everything, reading HR records, or each scope by itself."""


class KeyPages:
    """`scopes` are all that there are, by area."""

    def __init__(self, shell: Shell, office: AdminService, scopes: Mapping[str, tuple[str, ...]]) -> None:
        self._shell = shell
        self._office = office
        self._scopes = scopes

    def routes(self) -> Sequence[Route]:
        return [
            Route(_PATH, Page("keys", self._list, self._shell), methods=["GET"]),
            Route(_PATH, Page("create_key", self._create, self._shell), methods=["POST"]),
            Route(f"{_PATH}/new", Page("key_form", self._form, self._shell), methods=["GET"]),
            Route(f"{_PATH}/{{id}}/revoke", Page("revoke_form", self._ask_revoke, self._shell), methods=["GET"]),
            Route(f"{_PATH}/{{id}}/revoke", Page("revoke_key", self._revoke, self._shell), methods=["POST"]),
        ]

    async def _list(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._shell.enter(scope, receive, send)
        names = {each.id: each.name for each in await self._office.keys.projects()}
        keys = sorted(await self._office.keys.all(), key=lambda each: each.created_at, reverse=True)
        live = [each for each in keys if each.revoked_at is None]
        values = {
            "section": "keys",
            "keys": [*live, *(each for each in keys if each.revoked_at is not None)],
            "names": names,
        }
        await self._shell.page(visit, "keys.html", values)

    async def _form(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._ask(await self._shell.enter(scope, receive, send), Form(()))

    async def _ask(self, visit: Visit, form: Form, fault: str = "", status: int = 200) -> None:
        kind = form.get("kind")
        values = {
            "section": "keys",
            "fault": fault,
            "given": {name: form.get(name) for name in ("project", "new_project")},
            "kind": kind if kind in KINDS else "all",
            "chosen": set(form.all("scope")),
            "projects": await self._office.keys.projects(),
            "scopes": self._scopes,
            "longest": LONGEST_NAME,
        }
        await self._shell.page(visit, "key_new.html", values, status)

    async def _create(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit, form = await self._shell.receive(scope, receive, send)
        try:
            scopes = self._read_scopes(form)
            project = await self._office.project(form.get("project"), form.get("new_project"))
            if not await self._shell.is_first(visit, form):
                raise Conflict("This form has been sent before. The key that it made was shown once, at that time.")
            key, secret = await self._office.keys.create_key(project.id, scopes, self._shell.actor(visit))
        except GatewayError as error:
            context_of(scope).error = error.code
            await self._ask(visit, form, sentence(error.message), status_of(error))
            return
        # Not a page to come back to: the key is in this answer alone.
        values = {"section": "keys", "key": key, "secret": secret.reveal, "project": project.name}
        await self._shell.page(visit, "key_made.html", values)

    def _read_scopes(self, form: Form) -> Sequence[str]:
        kind = form.get("kind")
        if kind != "chosen" and kind in KINDS:
            return KINDS[kind]
        known = {scope for area in self._scopes.values() for scope in area}
        chosen = [scope for scope in dict.fromkeys(form.all("scope")) if scope in known]
        if not chosen:
            raise BadRequest("Choose at least one scope, or what the key may do as a whole.")
        return chosen

    async def _ask_revoke(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._shell.enter(scope, receive, send)
        key = await self._find(visit)
        names = {each.id: each.name for each in await self._office.keys.projects()}
        values = {"section": "keys", "key": key, "project": names.get(key.project_id, "")}
        await self._shell.page(visit, "revoke.html", values)

    async def _revoke(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit, _ = await self._shell.receive(scope, receive, send)
        key = await self._find(visit)
        await self._office.keys.revoke_key(key.id, self._shell.actor(visit))
        await self._shell.go(visit, _PATH, f"The key {key.prefix}… is revoked. Workers refuse it within seconds.")

    async def _find(self, visit: Visit) -> ClientKey:
        wanted = visit.scope["path_params"]["id"]
        found = [each for each in await self._office.keys.all() if each.id == wanted]
        if not found:
            raise NotFound("There is no such key.")
        return found[0]
