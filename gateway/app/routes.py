"""All routes, in one list, and the way through them: the unified API first, everything else after."""

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import NotFound
from gateway.http.allow_list import AllowList
from gateway.http.response import MethodNotAllowed
from gateway.http.site_url import SiteUrl

UNIFIED_PREFIX = "/unified/hris/"

OPEN_ROUTES = {
    ("GET", "/healthz"): "tells a process supervisor that the process answers, and nothing else",
    ("GET", "/readyz"): "tells a load balancer whether to send requests, and which part is down",
    ("GET", "/metrics"): "counts for the operator, with no ids in them; keep it inside at the reverse proxy",
    (
        "GET",
        "/openapi.json",
    ): "what callers may ask, from tables that are public with this code; clients are made from it",
    ("GET", "/docs"): "the same as a page to read",
    ("GET", "/docs/style.css"): "the look of that page",
    ("POST", "/hooks/{provider}/{account_id}"): "for a vendor, whose signature over the body is asked instead",
    ("GET", "/hub/settings"): "for a browser, which shows the token of a connect session instead",
    ("GET", "/hub/connectors"): "as /hub/settings",
    ("GET", "/hub/connectors/{id}"): "as /hub/settings",
    ("POST", "/hub/accounts"): "as /hub/settings; it spends the session",
    ("GET", "/hub/accounts/{id}"): "as /hub/settings, for the account of the session alone",
    ("PATCH", "/hub/accounts/{id}"): "as POST /hub/accounts, for the account of the session alone",
    ("GET", "/hub/logos/{provider}"): "a mark that we have drawn",
    ("GET", "/connect/{token}"): "a link for a person: the token of a connect session, made a cookie at once",
    ("GET", "/connect"): "the page of such a link, for the browser that has its cookie",
    ("POST", "/connect"): "as the page, and with the word that is in its form",
    ("GET", "/connect/done"): "as the page",
    ("POST", "/connect/scopes"): "as POST /connect, about the account that the session has linked",
    ("GET", "/connect/oauth2/{provider}"): "as the page, on the way to a vendor's own page",
    ("GET", "/connect/oauth2/callback"): "as the page, on the way back",
    ("GET", "/connect/embed.js"): "a script that shows the page within a product; it holds no secret",
    ("GET", "/connect/connected.js"): "a script of the page",
    ("GET", "/connect/style.css"): "the look of the page",
}
"""Routes that ask for no API key, each with its reason. Every other route has a client scope."""

SIGNING_IN = {
    ("GET", "/dashboard/login"): "the form for the operator's password; it is there only where one is set",
    ("POST", "/dashboard/login"): "as the form, with the word that is in it; tries are limited",
    ("GET", "/dashboard/dashboard.css"): "the look of the dashboard",
    ("GET", "/dashboard/dashboard.js"): "a script of the dashboard; it holds no secret",
    ("GET", "/dashboard/icon.svg"): "a mark that we have drawn",
}
"""Open routes of the dashboard. Without a password there are none of these, nor those below."""

OPERATOR_ROUTES = {
    ("POST", "/dashboard/logout"): "ends the sign-in",
    ("GET", "/dashboard"): "the linked accounts of all projects",
    ("GET", "/dashboard/audit"): "the audit log of all accounts and keys",
    ("GET", "/dashboard/link"): "asks whose account is to be linked",
    ("POST", "/dashboard/link"): "makes a connect session, and goes to its page or shows its link",
    ("GET", "/dashboard/accounts/{id}"): "one account",
    ("POST", "/dashboard/accounts/{id}/verify"): "checks its token",
    ("POST", "/dashboard/accounts/{id}/suspend"): "refuses its requests",
    ("POST", "/dashboard/accounts/{id}/resume"): "answers them again",
    ("GET", "/dashboard/accounts/{id}/relink"): "asks who has the new token",
    ("POST", "/dashboard/accounts/{id}/relink"): "as POST /dashboard/link, for this account",
    ("GET", "/dashboard/accounts/{id}/unlink"): "asks whether it is meant",
    ("POST", "/dashboard/accounts/{id}/unlink"): "deletes the account",
    ("GET", "/dashboard/accounts/{id}/try"): "asks which request to try",
    ("POST", "/dashboard/accounts/{id}/try"): "makes one unified read, with rights that are chosen",
    ("GET", "/dashboard/keys"): "the API keys, without their secret part",
    ("POST", "/dashboard/keys"): "makes a key and shows it this one time",
    ("GET", "/dashboard/keys/new"): "asks what the key may do",
    ("GET", "/dashboard/keys/{id}/revoke"): "asks whether it is meant",
    ("POST", "/dashboard/keys/{id}/revoke"): "makes a key useless",
    ("GET", "/dashboard/{path:path}"): "says that there is no such page",
}
"""Routes for the operator alone, who has signed in: each with what it does. A POST also wants the word of its form."""


class Site:
    """Sends the unified API straight to its own matching, and all else through Starlette's routing."""

    def __init__(self, unified: ASGIApp, routes: Sequence[Route], place: SiteUrl, operators: AllowList) -> None:
        """`operators` says from where the dashboard may be asked."""
        self._unified = unified
        self._operators = operators
        self._place = place
        self.routes = routes
        self._router = Router(routes, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(UNIFIED_PREFIX):
            await self._unified(scope, receive, send)
            return
        self._operators.check(scope)
        if await self._place.answer_preflight(scope, send):
            return
        scope["app"] = self  # Makes the router raise, where it would else answer in plain text.
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:
            if error.status_code == 405:
                raise MethodNotAllowed.instead_of(scope["method"], self._methods(scope["path"])) from error
            raise NotFound("There is no such path. The unified API is under /unified/hris/.") from error

    def _methods(self, path: str) -> set[str]:
        """Give what any of the routes of a path takes: Starlette tells of the first alone."""
        routes = (route for route in self.routes if route.path_regex.match(path))
        return {method for route in routes for method in route.methods or ()}
