"""Linking from the dashboard: the operator opens the Hub's page, or sends its link to the customer.

Both use a connect session, as every customer does. A signed cookie for that session leads the operator's browser back
to the dashboard afterwards.
"""

from collections.abc import Mapping, Sequence

from starlette.routing import Route

from gateway.dashboard.service import MAX_NAME_LENGTH, AdminService, Invitation
from gateway.dashboard.site import HOME, AdminVisit, DashboardSite
from gateway.errors import GatewayError
from gateway.http.context import context_of
from gateway.http.forms import Form, write_cookie
from gateway.http.html import sentence
from gateway.http.response import status_of
from gateway.hub.pages import RETURN_COOKIE, SessionSigner
from gateway.hub.session_request import ConnectSession

LIFETIMES: Mapping[str, str] = {"1800": "30 minutes", "86400": "1 day", "604800": "7 days", "2592000": "30 days"}
_FIELDS = ("project", "new_project", "provider", "owner_id", "owner_name", "label", "life")
_PATH = f"{HOME}/link"
_RELINK = f"{HOME}/accounts/{{id}}/relink"


class LinkingPages:
    """`signer` is the Hub's."""

    def __init__(self, site: DashboardSite, service: AdminService, signer: SessionSigner) -> None:
        self._site = site
        self._service = service
        self._signer = signer

    def routes(self) -> Sequence[Route]:
        return [
            self._site.page(_PATH, "dashboard_link_form", self._show_form),
            self._site.form(_PATH, "dashboard_link", self._link),
            self._site.page(_RELINK, "dashboard_relink_form", self._show_relink_form),
            self._site.form(_RELINK, "dashboard_relink", self._relink),
        ]

    # --- a new account --------------------------------------------------------------------------------------

    async def _show_form(self, visit: AdminVisit) -> None:
        await self._send_form(visit, Form())

    async def _link(self, visit: AdminVisit, form: Form) -> None:
        try:
            project = await self._service.project(form.get("project"), form.get("new_project"))
            invitation = Invitation(
                provider=form.get("provider"),
                owner_id=form.get("owner_id"),
                owner_name=form.get("owner_name"),
                label=form.get("label"),
                additional=form.get("additional") == "yes",
                seconds=int(_lifetime(form)),
            )
            session, token = await self._service.invite(project.id, invitation, self._site.actor(visit))
        except GatewayError as error:
            context_of(visit.scope).error = error.code
            await self._send_form(visit, form, sentence(error.message), status_of(error))
            return
        await self._hand_over(visit, form, session, token)

    async def _send_form(self, visit: AdminVisit, form: Form, fault: str = "", status: int = 200) -> None:
        values = {
            "section": "accounts",
            "fault": fault,
            "given": {name: form.get(name) for name in _FIELDS},
            "additional": form.get("additional") == "yes",
            "projects": await self._service.keys.projects(),
            "providers": {key: each.connector.name for key, each in self._service.providers.items()},
            "lifetimes": LIFETIMES,
            "max_length": MAX_NAME_LENGTH,
        }
        await self._site.show(visit, "link.html", values, status)

    # --- another token for an account -----------------------------------------------------------------------

    async def _show_relink_form(self, visit: AdminVisit) -> None:
        account = await self._service.find(visit.scope["path_params"]["id"])
        values = {
            "section": "accounts",
            "account": account,
            "provider_name": self._service.provider(account).connector.name,
            "lifetimes": LIFETIMES,
        }
        await self._site.show(visit, "relink.html", values)

    async def _relink(self, visit: AdminVisit, form: Form) -> None:
        account = await self._service.find(visit.scope["path_params"]["id"])
        context_of(visit.scope).account_id = account.id
        actor = self._site.actor(visit)
        session, token = await self._service.invite_again(account, actor, int(_lifetime(form)))
        await self._hand_over(visit, form, session, token)

    # --- both -----------------------------------------------------------------------------------------------

    async def _hand_over(self, visit: AdminVisit, form: Form, session: ConnectSession, token: str) -> None:
        """Redirects this browser to the Hub, or shows the link for the customer."""
        site_url, request = self._site.site_url, session.request
        base = site_url.base(visit.scope)
        if form.get("how") == "send":
            values = {
                "section": "accounts",
                "url": f"{base}/connect/{token}",
                "lifetime": LIFETIMES[_lifetime(form)],
                "owner_name": request.owner.name,
                "back": f"{HOME}/accounts/{request.account_id}" if request.account_id else HOME,
            }
            await self._site.show(visit, "link_made.html", values)
            return
        cookie = write_cookie(
            RETURN_COOKIE,
            self._signer.sign(session, "return"),
            path=f"{site_url.root}/connect",
            seconds=request.expires_in,
            secure=base.startswith("https://"),
        )
        visit.cookies.append(cookie)
        await self._site.go(visit, f"/connect/{token}")


def _lifetime(form: Form) -> str:
    """Returns the seconds that a link lives: as chosen for a link that is sent, else the shortest."""
    chosen = form.get("life")
    return chosen if form.get("how") == "send" and chosen in LIFETIMES else next(iter(LIFETIMES))
