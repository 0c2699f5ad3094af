"""The page of one account, and what may be done with it there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.accounts.link import RECOVERABLE, CheckedToken
from gateway.dashboard.account_history import Evidence
from gateway.dashboard.page import HOME, Page, Shell, Visit
from gateway.dashboard.service import AdminService, advice
from gateway.errors import BadRequest, Conflict, GatewayError, NotFound
from gateway.http.html import sentence
from gateway.http.middleware import context_of
from gateway.model import Account, Actor, Status
from gateway.policy.needed_scopes import NeededScopes, ScopeCoverage
from gateway.webhooks.endpoints import Pick

EVENTS = 50
REMEMBERED = 100
CONFIRMATION = "unlink"
_RECENT = timedelta(minutes=10)
_PATH = f"{HOME}/accounts/{{id}}"

Action = Callable[[Account, Actor], Awaitable[tuple[str, str]]]
"""Does something, and gives the tone and the text of what to say about it."""


class AccountPages:
    """`wants` says by provider what scopes are needed for."""

    def __init__(
        self, shell: Shell, office: AdminService, wants: Mapping[str, NeededScopes], evidence: Evidence
    ) -> None:
        self._shell = shell
        self._office = office
        self._wants = wants
        self._evidence = evidence
        self._outlooks: dict[tuple[str, frozenset[str]], ScopeCoverage] = {}

    def routes(self) -> Sequence[Route]:
        actions: dict[str, Action] = {"verify": self._verify, "suspend": self._suspend, "resume": self._resume}
        return [
            Route(_PATH, Page("account", self._show, self._shell), methods=["GET"]),
            *(
                Route(f"{_PATH}/{name}", Page(name, self._doing(action), self._shell), methods=["POST"])
                for name, action in actions.items()
            ),
            Route(f"{_PATH}/unlink", Page("unlink_form", self._ask_unlink, self._shell), methods=["GET"]),
            Route(f"{_PATH}/unlink", Page("unlink", self._unlink, self._shell), methods=["POST"]),
        ]

    # --- the page -------------------------------------------------------------------------------------------

    async def _show(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._shell.enter(scope, receive, send)
        account = await self._find(visit)
        now = datetime.fromtimestamp(self._shell.around.now(), account.updated_at.tzinfo)
        if scope["query_string"] == b"linked=now" and now - account.updated_at < _RECENT:
            visit.tone, visit.note = "good", "The account is linked, and its token works."
        provider = self._office.providers.get(account.provider)
        name = provider.connector.name if provider else account.provider
        values = {
            **await self._names(account),
            "advice": advice(account, name),
            "outlook": self._outlook(account),
            "known_scopes": provider.connector.scopes if provider else {},
            "can_resume": account.status is Status.SUSPENDED,
            "broken": account.status in RECOVERABLE,
            **await self._told(account),
        }
        await self._shell.page(visit, "account.html", values)

    def _outlook(self, account: Account) -> ScopeCoverage | None:
        """Tell what a token opens. That takes long to work out, and most accounts have one of a few sets of scopes."""
        wants, asked = self._wants.get(account.provider), (account.provider, account.grant.opens)
        if wants is None:
            return None
        if asked not in self._outlooks:
            if len(self._outlooks) >= REMEMBERED:
                self._outlooks.clear()
            self._outlooks[asked] = wants.coverage(account.grant.opens)
        return self._outlooks[asked]

    async def _told(self, account: Account) -> dict[str, Any]:
        """Give what others tell of the account."""
        doors = self._evidence
        endpoints = await doors.deliveries.of_project(account.project_id)
        return {
            "usage": (await doors.usages.read([account.id])).get(account.id),
            "events": await doors.audit.read(account_id=account.id, most=EVENTS),
            "deliveries": await doors.deliveries.about(account.project_id, account.id, Pick(most=EVENTS)),
            "endpoints": {each.id: each.url for each in endpoints},
        }

    async def _names(self, account: Account) -> dict[str, Any]:
        provider = self._office.providers.get(account.provider)
        projects = {each.id: each.name for each in await self._office.keys.projects()}
        return {
            "section": "accounts",
            "account": account,
            "provider_name": provider.connector.name if provider else account.provider,
            "project": projects.get(account.project_id, account.project_id),
        }

    async def _find(self, visit: Visit) -> Account:
        account = await self._office.find(visit.scope["path_params"]["id"])
        context_of(visit.scope).account_id = account.id
        return account

    # --- actions --------------------------------------------------------------------------------------------

    def _doing(self, action: Action) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        """Make the answer to a form that does something with the account, and then shows the account again."""

        async def do(scope: Scope, receive: Receive, send: Send) -> None:
            visit, _ = await self._shell.receive(scope, receive, send)
            account = await self._find(visit)
            try:
                tone, said = await action(account, self._shell.actor(visit))
            except NotFound:
                raise
            except GatewayError as error:
                context_of(scope).error = error.code
                tone, said = "bad", sentence(error.message)
            await self._shell.go(visit, f"{HOME}/accounts/{account.id}", said, tone)

        return do

    async def _verify(self, account: Account, by: Actor) -> tuple[str, str]:
        checked = await self._office.verify(account, by)
        if checked.refused:
            return "bad", sentence(checked.refused)
        return "good", f"Checked just now: the token works.{_changes(checked)}"

    async def _suspend(self, account: Account, by: Actor) -> tuple[str, str]:
        if account.status is Status.SUSPENDED:
            raise Conflict("The account is suspended already.")
        await self._office.suspend(account, by)
        return "good", "The account is suspended: its requests are refused until you resume it."

    async def _resume(self, account: Account, by: Actor) -> tuple[str, str]:
        await self._office.resume(account, by)
        return "good", "The account is active again."

    async def _ask_unlink(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._shell.enter(scope, receive, send)
        await self._confirm(visit, await self._find(visit))

    async def _unlink(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit, form = await self._shell.receive(scope, receive, send)
        account = await self._find(visit)
        if form.get("confirmation").strip().lower() != CONFIRMATION:
            fault = BadRequest(f"Type {CONFIRMATION} to confirm. Nothing has been deleted.")
            await self._confirm(visit, account, fault.message, 400)
            return
        await self._office.unlink(account, self._shell.actor(visit))
        said = f"The account of {account.owner.name} is unlinked. Its token and all that was cached are deleted."
        await self._shell.go(visit, HOME, said)

    async def _confirm(self, visit: Visit, account: Account, fault: str = "", status: int = 200) -> None:
        values = {**await self._names(account), "fault": fault, "confirmation": CONFIRMATION}
        await self._shell.page(visit, "unlink.html", values, status)


def _changes(checked: CheckedToken) -> str:
    found = [
        f" {word}: {', '.join(sorted(scopes))}."
        for word, scopes in (("Gained", checked.gained), ("Lost", checked.lost))
        if scopes
    ]
    return "".join(found) or " Its scopes are as before."
