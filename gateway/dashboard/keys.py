"""API keys: created with chosen scopes, shown once, and revoked."""

from collections.abc import Mapping, Sequence

from starlette.routing import Route

from gateway.dashboard.service import MAX_NAME_LENGTH, AdminService
from gateway.dashboard.site import HOME, AdminVisit, DashboardSite
from gateway.errors import BadRequest, Conflict, GatewayError, NotFound
from gateway.http.context import context_of
from gateway.http.forms import Form
from gateway.http.html import sentence
from gateway.http.response import status_of
from gateway.model import ClientKey

_PATH = f"{HOME}/keys"
KINDS: Mapping[str, tuple[str, ...]] = {"all": ("*",), "read": ("hris.*:read",), "chosen": ()}
"""Scopes of a key by the choice in the form: everything, reading HR records, or single scopes."""


class KeyPages:
    """`scopes` are all client scopes, by area."""

    def __init__(self, site: DashboardSite, service: AdminService, scopes: Mapping[str, tuple[str, ...]]) -> None:
        self._site = site
        self._service = service
        self._scopes = scopes

    def routes(self) -> Sequence[Route]:
        return [
            self._site.page(_PATH, "dashboard_keys", self._list),
            self._site.form(_PATH, "dashboard_create_key", self._create),
            self._site.page(f"{_PATH}/new", "dashboard_key_form", self._show_form),
            self._site.page(f"{_PATH}/{{id}}/revoke", "dashboard_revoke_form", self._show_revoke),
            self._site.form(f"{_PATH}/{{id}}/revoke", "dashboard_revoke_key", self._revoke),
        ]

    async def _list(self, visit: AdminVisit) -> None:
        names = {each.id: each.name for each in await self._service.keys.projects()}
        keys = sorted(await self._service.keys.all(), key=lambda each: each.created_at, reverse=True)
        keys.sort(key=lambda each: each.revoked_at is not None)
        await self._site.show(visit, "keys.html", {"section": "keys", "keys": keys, "names": names})

    async def _show_form(self, visit: AdminVisit) -> None:
        await self._send_form(visit, Form())

    async def _send_form(self, visit: AdminVisit, form: Form, fault: str = "", status: int = 200) -> None:
        kind = form.get("kind")
        values = {
            "section": "keys",
            "fault": fault,
            "given": {name: form.get(name) for name in ("project", "new_project")},
            "kind": kind if kind in KINDS else "all",
            "chosen": set(form.all("scope")),
            "projects": await self._service.keys.projects(),
            "scopes": self._scopes,
            "max_length": MAX_NAME_LENGTH,
        }
        await self._site.show(visit, "key_new.html", values, status)

    async def _create(self, visit: AdminVisit, form: Form) -> None:
        try:
            scopes = self._read_scopes(form)
            project = await self._service.project(form.get("project"), form.get("new_project"))
            if not await self._site.is_first_submission(visit, form):
                raise Conflict("This form has been sent before. The key that it made was shown once, at that time.")
            key, secret = await self._service.keys.create_key(project.id, scopes, self._site.actor(visit))
        except GatewayError as error:
            context_of(visit.scope).error = error.code
            await self._send_form(visit, form, sentence(error.message), status_of(error))
            return
        # No redirect: this answer alone has the key.
        values = {"section": "keys", "key": key, "secret": secret.reveal, "project": project.name}
        await self._site.show(visit, "key_made.html", values)

    def _read_scopes(self, form: Form) -> Sequence[str]:
        kind = form.get("kind")
        if kind != "chosen" and kind in KINDS:
            return KINDS[kind]
        known = {scope for area in self._scopes.values() for scope in area}
        chosen = [scope for scope in dict.fromkeys(form.all("scope")) if scope in known]
        if not chosen:
            raise BadRequest("Choose at least one scope, or what the key may do as a whole.")
        return chosen

    async def _show_revoke(self, visit: AdminVisit) -> None:
        key = await self._find(visit)
        names = {each.id: each.name for each in await self._service.keys.projects()}
        values = {"section": "keys", "key": key, "project": names.get(key.project_id, "")}
        await self._site.show(visit, "revoke.html", values)

    async def _revoke(self, visit: AdminVisit, form: Form) -> None:  # noqa: ARG002 - a form handler
        key = await self._find(visit)
        await self._service.keys.revoke_key(key.id, self._site.actor(visit))
        await self._site.go(visit, _PATH, f"The key {key.prefix}… is revoked. Workers refuse it within seconds.")

    async def _find(self, visit: AdminVisit) -> ClientKey:
        key_id = visit.scope["path_params"]["id"]
        for key in await self._service.keys.all():
            if key.id == key_id:
                return key
        raise NotFound("There is no such key.")
