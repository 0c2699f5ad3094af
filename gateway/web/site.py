"""All routes, in one list, and the way through them: the unified API first, everything else after."""

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.core.errors import NotFound
from gateway.web.render import MethodNotAllowed

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
}
"""Routes that ask for no API key, each with its reason. Every other route has a client scope."""


class Site:
    """Sends the unified API straight to its own matching, and all else through Starlette's routing."""

    def __init__(self, unified: ASGIApp, routes: Sequence[Route]) -> None:
        self._unified = unified
        self.routes = routes
        self._router = Router(routes, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(UNIFIED_PREFIX):
            await self._unified(scope, receive, send)
            return
        scope["app"] = self  # Makes the router raise, where it would else answer in plain text.
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:
            if error.status_code == 405:
                raise MethodNotAllowed(f"This path does not take {scope['method'][:16]}.") from error
            raise NotFound("There is no such path. The unified API is under /unified/hris/.") from error
