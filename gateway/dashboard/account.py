"""The page of one account, and the actions on it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.routing import Route

from gateway.accounts.link import RECOVERABLE, CheckedToken
from gateway.accounts.usage_store import UsageStore
from gateway.audit.store import AuditStore
from gateway.dashboard.service import AdminService, advice
from gateway.dashboard.site import HOME, AdminVisit, DashboardSite
from gateway.errors import BadRequest, Conflict, GatewayError, NotFound
from gateway.http.context import context_of
from gateway.http.forms import Form
from gateway.http.html import sentence
from gateway.model import Account, Actor, Status
from gateway.policy.needed_scopes import NeededScopes, ScopeCoverage
from gateway.webhooks.endpoint_store import EndpointStore
from gateway.webhooks.endpoints import DeliveryFilter

MAX_EVENTS = 50
MAX_COVERAGES = 100
CONFIRMATION = "unlink"
_RECENT = timedelta(minutes=10)
_PATH = f"{HOME}/accounts/{{id}}"

Action = Callable[[Account, Actor], Awaitable[tuple[str, str]]]
"""Changes an account; returns tone and text of the notice about it."""


class AccountPages:
    """`needed` are the scopes that the operations need, by provider."""

    def __init__(
        self,
        site: DashboardSite,
        service: AdminService,
        *,
        needed: Mapping[str, NeededScopes],
        audit: AuditStore,
        usage: UsageStore,
        endpoints: EndpointStore,
    ) -> None:
        self._site = site
        self._service = service
        self._needed = needed
        self._audit = audit
        self._usage = usage
        self._endpoints = endpoints
        self._coverages: dict[tuple[str, frozenset[str]], ScopeCoverage] = {}

    def routes(self) -> Sequence[Route]:
        actions: dict[str, Action] = {"verify": self._verify, "suspend": self._suspend, "resume": self._resume}
        return [
            self._site.page(_PATH, "dashboard_account", self._show),
            *(
                self._site.form(f"{_PATH}/{name}", f"dashboard_{name}", self._submit(action))
                for name, action in actions.items()
            ),
            self._site.page(f"{_PATH}/unlink", "dashboard_unlink_form", self._show_unlink),
            self._site.form(f"{_PATH}/unlink", "dashboard_unlink", self._unlink),
        ]

    # --- the page -------------------------------------------------------------------------------------------

    async def _show(self, visit: AdminVisit) -> None:
        account = await self._find(visit)
        now = datetime.fromtimestamp(self._site.now(), account.updated_at.tzinfo)
        if visit.scope["query_string"] == b"linked=now" and now - account.updated_at < _RECENT:
            visit.tone, visit.notice = "good", "The account is linked, and its token works."
        provider = self._service.providers.get(account.provider)
        endpoints = await self._endpoints.of_project(account.project_id)
        values = {
            **await self._names(account),
            "advice": advice(account, self._service.provider_name(account)),
            "coverage": self._coverage(account),
            "known_scopes": provider.connector.scopes if provider else {},
            "can_resume": account.status is Status.SUSPENDED,
            "broken": account.status in RECOVERABLE,
            "usage": (await self._usage.read([account.id])).get(account.id),
            "records": await self._audit.read(account_id=account.id, most=MAX_EVENTS),
            "deliveries": await self._endpoints.about(account.project_id, account.id, DeliveryFilter(most=MAX_EVENTS)),
            "endpoints": {each.id: each.url for each in endpoints},
        }
        await self._site.show(visit, "account.html", values)

    def _coverage(self, account: Account) -> ScopeCoverage | None:
        """Returns what a token opens. It is slow to compute, and most accounts share a few sets of scopes."""
        needed, key = self._needed.get(account.provider), (account.provider, account.grant.opens)
        if needed is None:
            return None
        if key not in self._coverages:
            if len(self._coverages) >= MAX_COVERAGES:
                self._coverages.clear()
            self._coverages[key] = needed.coverage(account.grant.opens)
        return self._coverages[key]

    async def _names(self, account: Account) -> dict[str, Any]:
        projects = {each.id: each.name for each in await self._service.keys.projects()}
        return {
            "section": "accounts",
            "account": account,
            "provider_name": self._service.provider_name(account),
            "project": projects.get(account.project_id, account.project_id),
        }

    async def _find(self, visit: AdminVisit) -> Account:
        account = await self._service.find(visit.scope["path_params"]["id"])
        context_of(visit.scope).account_id = account.id
        return account

    # --- actions --------------------------------------------------------------------------------------------

    def _submit(self, action: Action) -> Callable[[AdminVisit, Form], Awaitable[None]]:
        """Returns the handler of a form that runs an action and then shows the account with a notice."""

        async def submit(visit: AdminVisit, form: Form) -> None:  # noqa: ARG001 - a form handler
            account = await self._find(visit)
            try:
                tone, notice = await action(account, self._site.actor(visit))
            except NotFound:
                raise
            except GatewayError as error:
                context_of(visit.scope).error = error.code
                tone, notice = "bad", sentence(error.message)
            await self._site.go(visit, f"{HOME}/accounts/{account.id}", notice, tone)

        return submit

    async def _verify(self, account: Account, by: Actor) -> tuple[str, str]:
        checked = await self._service.verify(account, by)
        if checked.refused:
            return "bad", sentence(checked.refused)
        return "good", f"Checked just now: the token works.{_changes(checked)}"

    async def _suspend(self, account: Account, by: Actor) -> tuple[str, str]:
        if account.status is Status.SUSPENDED:
            raise Conflict("The account is suspended already.")
        await self._service.suspend(account, by)
        return "good", "The account is suspended: its requests are refused until you resume it."

    async def _resume(self, account: Account, by: Actor) -> tuple[str, str]:
        await self._service.resume(account, by)
        return "good", "The account is active again."

    async def _show_unlink(self, visit: AdminVisit) -> None:
        await self._confirm_unlink(visit, await self._find(visit))

    async def _unlink(self, visit: AdminVisit, form: Form) -> None:
        account = await self._find(visit)
        if form.get("confirmation").strip().lower() != CONFIRMATION:
            fault = BadRequest(f"Type {CONFIRMATION} to confirm. Nothing has been deleted.")
            await self._confirm_unlink(visit, account, fault.message, 400)
            return
        await self._service.unlink(account, self._site.actor(visit))
        notice = f"The account of {account.owner.name} is unlinked. Its token and its cached answers are deleted."
        await self._site.go(visit, HOME, notice)

    async def _confirm_unlink(self, visit: AdminVisit, account: Account, fault: str = "", status: int = 200) -> None:
        values = {**await self._names(account), "fault": fault, "confirmation": CONFIRMATION}
        await self._site.show(visit, "unlink.html", values, status)


def _changes(checked: CheckedToken) -> str:
    changes = [
        f" {verb}: {', '.join(sorted(scopes))}."
        for verb, scopes in (("Gained", checked.gained), ("Lost", checked.lost))
        if scopes
    ]
    return "".join(changes) or " Its scopes have not changed."
