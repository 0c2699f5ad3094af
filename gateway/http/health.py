"""Pages for operators and machines: is it alive, is it ready, what does it count."""

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.http.middleware import NOSNIFF, context_of
from gateway.http.response import Headers

Ping = Callable[[], Awaitable[bool]]


class HealthApi:
    """`pings` are what readiness takes, by name; a cache that is gone is told but does not make us unready."""

    def __init__(self, pings: Mapping[str, Ping], optional: frozenset[str], show_metrics: Callable[[], bytes]) -> None:
        self._pings = pings
        self._optional = optional
        self._show_metrics = show_metrics

    def routes(self) -> list[Route]:
        return [
            Route("/healthz", self.alive, methods=["GET"], name="healthz"),
            Route("/readyz", self.ready, methods=["GET"], name="readyz"),
            Route("/metrics", self.metrics, methods=["GET"], name="metrics"),
        ]

    async def alive(self, request: Request) -> Response:
        return Answer(request, 200, b'{"status":"alive"}')

    async def ready(self, request: Request) -> Response:
        found = {name: await ping() for name, ping in self._pings.items()}
        missing = [name for name, up in found.items() if not up and name not in self._optional]
        parts = ",".join(f'"{name}":"{"up" if up else "down"}"' for name, up in found.items())
        status = "unready" if missing else "ready"
        return Answer(request, 503 if missing else 200, f'{{"status":"{status}",{parts}}}'.encode())

    async def metrics(self, request: Request) -> Response:
        return Answer(request, 200, self._show_metrics(), CONTENT_TYPE_LATEST)


class Answer(Response):
    """A small response that the edge knows of."""

    def __init__(self, request: Request, status: int, body: bytes, kind: str = "application/json") -> None:
        context = context_of(request.scope)
        context.operation = request.scope["path"].strip("/")
        context.status = status
        own = (b"x-request-id", context.request_id.encode())
        headers: Headers = [(b"cache-control", b"no-store"), own, NOSNIFF]
        super().__init__(body, status, media_type=kind, headers={k.decode(): v.decode() for k, v in headers})
