"""Linking from the dashboard: the operator goes to the Hub's own page, or sends its link to the customer.

The Hub is entered by a connect session, as any customer enters it. A cookie that only we can make, good for that one
session, brings the browser back here afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.dashboard.page import HOME, Form, Page, Shell, Visit
from gateway.dashboard.service import LONGEST_NAME, AdminService, Invitation
from gateway.errors import GatewayError
from gateway.http.html import sentence
from gateway.http.middleware import context_of
from gateway.http.response import status_of
from gateway.hub.pages import COMEBACK, Seal
from gateway.hub.sessions import ConnectSession

LIVES: Mapping[str, str] = {"1800": "30 minutes", "86400": "1 day", "604800": "7 days", "2592000": "30 days"}
_FIELDS = ("project", "new_project", "provider", "owner_id", "owner_name", "label", "life")


@dataclass(frozen=True, slots=True)
class Made:
    """A link that was made, to be shown this one time."""

    url: str
    life: str
    owner_name: str


class LinkingPages:
    """`seal` is the Hub's: it knows the sessions that go back to the dashboard."""

    def __init__(self, shell: Shell, office: AdminService, seal: Seal) -> None:
        self._shell = shell
        self._office = office
        self._seal = seal

    def routes(self) -> Sequence[Route]:
        relink = f"{HOME}/accounts/{{id}}/relink"
        return [
            Route(f"{HOME}/link", Page("link_form", self._form, self._shell), methods=["GET"]),
            Route(f"{HOME}/link", Page("link", self._link, self._shell), methods=["POST"]),
            Route(relink, Page("relink_form", self._relink_form, self._shell), methods=["GET"]),
            Route(relink, Page("relink", self._relink, self._shell), methods=["POST"]),
        ]

    # --- a new account --------------------------------------------------------------------------------------

    async def _form(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._ask(await self._shell.enter(scope, receive, send), Form(()))

    async def _link(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit, form = await self._shell.receive(scope, receive, send)
        try:
            project = await self._office.project(form.get("project"), form.get("new_project"))
            invitation = Invitation(
                provider=form.get("provider"),
                owner_id=form.get("owner_id"),
                owner_name=form.get("owner_name"),
                label=form.get("label"),
                apart=form.get("apart") == "yes",
                seconds=int(_life(form)),
            )
            session, token = await self._office.invite(project.id, invitation, self._shell.actor(visit))
        except GatewayError as error:
            context_of(scope).error = error.code
            await self._ask(visit, form, sentence(error.message), status_of(error))
            return
        await self._hand_over(visit, form, session, token)

    async def _ask(self, visit: Visit, form: Form, fault: str = "", status: int = 200) -> None:
        values = {
            "section": "accounts",
            "fault": fault,
            "given": {name: form.get(name) for name in _FIELDS},
            "apart": form.get("apart") == "yes",
            "projects": await self._office.keys.projects(),
            "providers": {key: each.connector.name for key, each in self._office.providers.items()},
            "lives": LIVES,
            "longest": LONGEST_NAME,
        }
        await self._shell.page(visit, "link.html", values, status)

    # --- another token for an account -----------------------------------------------------------------------

    async def _relink_form(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = await self._shell.enter(scope, receive, send)
        account = await self._office.find(scope["path_params"]["id"])
        provider = self._office.provider(account)
        values = {
            "section": "accounts",
            "account": account,
            "provider_name": provider.connector.name,
            "lives": LIVES,
        }
        await self._shell.page(visit, "relink.html", values)

    async def _relink(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit, form = await self._shell.receive(scope, receive, send)
        account = await self._office.find(scope["path_params"]["id"])
        context_of(scope).account_id = account.id
        session, token = await self._office.invite_again(account, self._shell.actor(visit), int(_life(form)))
        await self._hand_over(visit, form, session, token)

    # --- both -----------------------------------------------------------------------------------------------

    async def _hand_over(self, visit: Visit, form: Form, session: ConnectSession, token: str) -> None:
        """Go to the Hub with this browser, or show the link for the customer's."""
        if form.get("how") == "send":
            life = LIVES[_life(form)]
            url = f"{self._shell.place.base(visit.scope)}/connect/{token}"
            made = Made(url, life, session.request.owner.name)
            back = f"{HOME}/accounts/{session.request.account_id}" if session.request.account_id else HOME
            await self._shell.page(visit, "link_made.html", {"section": "accounts", "made": made, "back": back})
            return
        path = f"{self._shell.place.root}/connect"
        kept = f"{COMEBACK}={self._seal.comeback(session)}; Path={path}; Max-Age={session.request.expires_in}"
        secure = "; Secure" if self._shell.place.base(visit.scope).startswith("https://") else ""
        visit.cookies.append(f"{kept}; HttpOnly; SameSite=Lax{secure}")
        await self._shell.go(visit, f"/connect/{token}")


def _life(form: Form) -> str:
    """Give how long a link lives: as chosen for one that is sent, else the shortest."""
    chosen = form.get("life")
    return chosen if form.get("how") == "send" and chosen in LIVES else next(iter(LIVES))
