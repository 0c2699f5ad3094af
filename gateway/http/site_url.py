"""The gateway's own URL in browsers, and the other origins from which browsers may use it (CORS)."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import Scope, Send

from gateway.errors import Forbidden
from gateway.http.context import context_of
from gateway.http.request import header
from gateway.http.response import Headers

HUB = "/hub/"
_ALLOWED: Headers = [
    (b"access-control-allow-methods", b"GET, POST, PATCH"),
    (b"access-control-allow-headers", b"content-type, x-hub-session-token, x-hub-version"),
    (b"access-control-max-age", b"600"),
]


@dataclass(frozen=True, slots=True)
class SiteUrl:
    """`public_url` is the operator's setting or empty; `origins` are those of the products that embed the Hub."""

    public_url: str
    origins: tuple[str, ...]

    @property
    def root(self) -> str:
        """Returns the path under which the operator serves the gateway, mostly empty."""
        return urlsplit(self.public_url).path

    def base(self, scope: Scope) -> str:
        """Returns the gateway's own URL without a slash at its end."""
        if self.public_url:
            return self.public_url
        return f"{scope['scheme']}://{header(scope, b'host') or 'localhost'}"

    def is_own(self, origin: str, scope: Scope) -> bool:
        """Returns whether an origin is the gateway's own. A proxy that ends TLS hides the scheme, but not the host."""
        public = urlsplit(self.public_url)
        return origin == f"{public.scheme}://{public.netloc}" or urlsplit(origin).netloc == header(scope, b"host")

    async def answer_preflight(self, scope: Scope, send: Send) -> bool:
        """Returns whether the request was a CORS preflight of the Hub, which is then answered.

        Raises `Forbidden` for a request to the Hub from an origin that is not allowed.
        """
        origin = header(scope, b"origin")
        if not scope["path"].startswith(HUB) or not origin:
            return False
        context = context_of(scope)
        if origin not in self.origins and not self.is_own(origin, scope):
            context.operation = "hub_refused"
            raise Forbidden(
                "Pages of this origin may not use the Hub: the operator lists them in hub.allowed_origins.",
                code="OriginNotAllowedError",
            )
        context.extra = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin")]
        if scope["method"] != "OPTIONS":
            return False
        context.operation = "hub_preflight"
        await context.respond(send, 204, _ALLOWED, b"")
        return True
