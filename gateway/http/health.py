"""`/healthz`, `/readyz` and `/metrics`, for operators and their machines."""

import os
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.http.context import NOSNIFF, context_of
from gateway.http.response import Headers
from gateway.observability.metrics import Metrics

Ping = Callable[[], Awaitable[bool]]


class HealthApi:
    """`pings` check the parts that readiness depends on, by name. An `optional` part is shown but may be down."""

    def __init__(
        self, pings: Mapping[str, Ping], optional: frozenset[str], show_metrics: Callable[[], Awaitable[bytes]]
    ) -> None:
        self._pings = pings
        self._optional = optional
        self._show_metrics = show_metrics

    def routes(self) -> list[Route]:
        """Returns the routes of the three paths."""
        return [
            Route("/healthz", self.alive, methods=["GET"], name="healthz"),
            Route("/readyz", self.ready, methods=["GET"], name="readyz"),
            Route("/metrics", self.metrics, methods=["GET"], name="metrics"),
        ]

    async def alive(self, request: Request) -> Response:
        """Answers that the process runs."""
        return HealthResponse(request, 200, b'{"status":"alive"}')

    async def ready(self, request: Request) -> Response:
        """Answers whether all required parts can be reached."""
        found = {name: await ping() for name, ping in self._pings.items()}
        missing = [name for name, up in found.items() if not up and name not in self._optional]
        parts = ",".join(f'"{name}":"{"up" if up else "down"}"' for name, up in found.items())
        status = "unready" if missing else "ready"
        return HealthResponse(request, 503 if missing else 200, f'{{"status":"{status}",{parts}}}'.encode())

    async def metrics(self, request: Request) -> Response:
        """Answers with the metrics in the format of Prometheus."""
        return HealthResponse(request, 200, await self._show_metrics(), CONTENT_TYPE_LATEST)


class HealthResponse(Response):
    """A small response that also fills in the request's context."""

    def __init__(self, request: Request, status: int, body: bytes, kind: str = "application/json") -> None:
        context = context_of(request.scope)
        context.operation = request.scope["path"].strip("/")
        context.status = status
        own = (b"x-request-id", context.request_id.encode())
        headers: Headers = [(b"cache-control", b"no-store"), own, NOSNIFF]
        super().__init__(body, status, media_type=kind, headers={k.decode(): v.decode() for k, v in headers})


def metrics_registry(metrics: Metrics) -> CollectorRegistry:
    """Returns the metrics of all workers together where there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return metrics.registry
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # the library has no types there
    return registry
