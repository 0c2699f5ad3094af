"""The base of the Hub's and the dashboard's pages: routes, form checks, cookies, redirects and error pages."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError
from gateway.http.context import context_of
from gateway.http.forms import Form, cookie_name, read_cookies, read_form, write_cookie
from gateway.http.html import Renderer, page_headers
from gateway.http.response import Headers
from gateway.http.site_url import SiteUrl

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
ErrorPage = Callable[[Scope, Receive, Send, GatewayError], Awaitable[None]]


@dataclass(slots=True)
class Visit:
    """One request of a known visitor. `cookies` are the `Set-Cookie` values of the answer."""

    scope: Scope
    receive: Receive
    send: Send
    cookies: list[str] = field(default_factory=list, kw_only=True)


V = TypeVar("V", bound=Visit)


class PageSite(ABC, Generic[V]):
    """A group of pages with templates, cookies and visitors of its own.

    `origins` may frame the pages; `headers` are added to every answer; `refusal` is the text for a form that another
    page has sent; `cookie_path` is the path of the cookies, whose names begin with `__Host-` over TLS if it is `/`.
    """

    def __init__(
        self,
        site_url: SiteUrl,
        renderer: Renderer,
        *,
        refusal: str,
        cookie_path: str = "/",
        origins: Sequence[str] = (),
        headers: Headers | None = None,
    ) -> None:
        self.site_url = site_url
        self._renderer = renderer
        self._refusal = refusal
        self._cookie_path = cookie_path
        self._origins = origins
        self._headers = headers or []

    @abstractmethod
    async def enter(self, scope: Scope, receive: Receive, send: Send) -> V:
        """Returns the visit of a known visitor. Raises `GatewayError` for anybody else."""

    @abstractmethod
    def form_token(self, visit: V) -> str:
        """Returns the token that the forms of this visitor's pages have in the field `form`."""

    @abstractmethod
    async def show_error(self, scope: Scope, receive: Receive, send: Send, error: GatewayError) -> None:
        """Sends the page for an error."""

    # --- routes ---------------------------------------------------------------------------------------------

    def page(self, path: str, operation: str, show: Callable[[V], Awaitable[None]]) -> Route:
        """Returns the route of a page for known visitors."""

        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            await show(await self.enter(scope, receive, send))

        return self.route("GET", path, operation, handle)

    def form(self, path: str, operation: str, submit: Callable[[V, Form], Awaitable[None]]) -> Route:
        """Returns the route that takes a form from a page of this visitor."""

        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            visit = await self.enter(scope, receive, send)
            await submit(visit, await self.read_form(scope, receive, self.form_token(visit)))

        return self.route("POST", path, operation, handle)

    def route(self, method: str, path: str, operation: str, handle: Handler) -> Route:
        """Returns a route that is open to anybody; its errors are shown as pages."""
        return Route(path, _Endpoint(operation, handle, self.show_error), methods=[method], name=operation)

    # --- requests -------------------------------------------------------------------------------------------

    async def read_form(self, scope: Scope, receive: Receive, token: str) -> Form:
        """Returns the form that was posted, checked with its token."""
        return await read_form(scope, receive, self.site_url, token, self._refusal)

    def cookies(self, scope: Scope, name: str) -> list[str]:
        """Returns the values of all cookies of a name that the browser has sent."""
        return read_cookies(scope, cookie_name(name, secure=self._is_secure(scope) and self._cookie_path == "/"))

    def cookie(self, scope: Scope, name: str, value: str, seconds: int) -> str:
        """Returns a `Set-Cookie` value; an empty value and 0 seconds delete the cookie."""
        return write_cookie(
            name,
            value,
            path=self._cookie_path,
            seconds=seconds,
            secure=self._is_secure(scope),
            framed=bool(self._origins),
            prefix=self._cookie_path == "/",
        )

    def _is_secure(self, scope: Scope) -> bool:
        return self.site_url.base(scope).startswith("https://")

    # --- answers --------------------------------------------------------------------------------------------

    async def send_page(
        self,
        scope: Scope,
        send: Send,
        template: str,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        cookies: Sequence[str] = (),
        scripts: bool = False,
    ) -> None:
        """Sends a page. `scripts` allows the gateway's own scripts on it."""
        body = self._renderer.render(template, values)
        headers = [*page_headers(self._origins, scripts=scripts), *self._headers, *_set_cookies(cookies)]
        await context_of(scope).respond(send, status, headers, body)

    async def see_other(self, scope: Scope, send: Send, path: str, cookies: Sequence[str] = ()) -> None:
        """Redirects to another page of the gateway (303)."""
        await self.redirect(scope, send, f"{self.site_url.root}{path}", cookies)

    async def redirect(self, scope: Scope, send: Send, url: str, cookies: Sequence[str] = ()) -> None:
        """Redirects to any URL (303); it must not come from the request."""
        headers = [*page_headers(self._origins), *self._headers, *_set_cookies(cookies), (b"location", url.encode())]
        await context_of(scope).respond(send, 303, headers, b"")


class _Endpoint:
    """The ASGI application of one route."""

    def __init__(self, operation: str, handle: Handler, show_error: ErrorPage) -> None:
        self._operation = operation
        self._handle = handle
        self._show_error = show_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context_of(scope).operation = self._operation
        try:
            await self._handle(scope, receive, send)
        except GatewayError as error:
            await self._show_error(scope, receive, send, error)


def _set_cookies(cookies: Sequence[str]) -> Headers:
    return [(b"set-cookie", each.encode()) for each in cookies]
