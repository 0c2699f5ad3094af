"""Builds the whole gateway. It has every part and decides nothing."""

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from prometheus_client import generate_latest
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from connectors.hris.operations import OPERATIONS
from connectors.registry import CONNECTORS
from gateway.app.accounts import platform_routes
from gateway.app.background import counting, start_background
from gateway.app.dashboard import dashboard_routes
from gateway.app.garbage_collection import tune_garbage_collection
from gateway.app.hub import hub_routes
from gateway.app.reads import open_reads
from gateway.app.record_events import open_watcher
from gateway.app.routes import Site
from gateway.app.services import CLOCK, Services, open_services
from gateway.app.vendor_events import open_receiving, open_vendor_events, start_registration, vendor_event_routes
from gateway.app.webhooks import open_webhooks
from gateway.background import Supervisor
from gateway.contract.query import PageLimits
from gateway.errors import GatewayError, StoreUnavailable
from gateway.http.access_log import request_ids, request_log
from gateway.http.allow_list import AllowList
from gateway.http.health import HealthApi, metrics_registry
from gateway.http.middleware import RequestMiddleware
from gateway.http.request_observer import RequestObserver
from gateway.http.site_url import SiteUrl
from gateway.model import Clock, LinkedAccount
from gateway.openapi.document import make_document
from gateway.openapi.pages import documentation
from gateway.openapi.schemas import Schema
from gateway.proxy.api import ProxyApi
from gateway.proxy.service import ProxyService
from gateway.settings.load import Settings, SettingsError, read_settings
from gateway.unified.api import UnifiedApi
from gateway.unified.fastpath import FAST_PATH, FastPath
from gateway.unified.idempotency import Idempotency
from gateway.unified.write import Invalidate, WriteService
from gateway.unified.write_api import WritesApi
from gateway.unified.write_steps import StepRunner
from gateway.vendor_events.live import LiveWebhooks

FLUSH_SECONDS = 1.0
"""For the other workers: the one that shows its metrics adds what it has counted at once."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway as one ASGI app, and the fast path around it, which the server's connections ask first."""

    app: RequestMiddleware
    fast_path: FastPath


async def assemble(settings: Settings, stack: AsyncExitStack, clock: Clock = CLOCK) -> Gateway:
    """Builds the gateway; the stack closes everything. Raises `SettingsError` or `StoreUnavailable`."""
    services = await open_services(settings, stack, clock)
    new_request_id = request_ids()
    # In the order in which they need each other; the stack ends them in the reverse order.
    receiving = await open_receiving(services)
    reads, invalidate, collections = open_reads(services, lambda: receiving.since)
    live = LiveWebhooks(
        services.cache,
        invalidate,
        receiving,
        silence=settings.vendor_events.silence_seconds,
        now=lambda: clock.now().timestamp(),
        new_id=new_request_id,
    )
    registrar = open_vendor_events(
        settings,
        services.stores,
        services.upstream,
        services.authenticator.providers,
        token_rejections=services.token_rejections,
        live=live,
        clock=clock.now,
        metrics=services.metrics,
    )
    watcher = open_watcher(services, collections, invalidate)
    # From here on what is changed is also looked at soon for record events.
    invalidate = watcher.hastening(invalidate)
    writes = open_writes(services, invalidate)
    start_registration(services, registrar)
    counter = start_background(services)
    log = counting(counter, request_log(services.logger, each=settings.log.requests))
    observer = RequestObserver(services.metrics, new_request_id, log)
    stack.push_async_callback(observer.flush)
    Supervisor(services.stack, services.logger).start("request metrics", observer.flush, pause=FLUSH_SECONDS)
    site_url = SiteUrl(settings.server.public_url, settings.hub.allowed_origins)
    routes = [
        *health_routes(services, observer),
        *proxy_routes(services, invalidate, new_request_id),
        *platform_routes(services, registrar),
        *hub_routes(services, site_url, registrar.wanted),
        *dashboard_routes(services, site_url, reads, registrar.wanted),
        *await open_webhooks(services),
        *vendor_event_routes(services, invalidate, watcher.on_vendor_events, live),
        *documentation(lambda: describe(services.page_limits)),
    ]
    fast_path = FastPath(reads, observer, clock.timestamp)
    unified = UnifiedApi(reads, WritesApi(writes, settings.limits.max_body_bytes), OPERATIONS, fast_path)
    app = RequestMiddleware(
        Site(unified, routes, site_url, AllowList(settings.dashboard.allowed_networks)),
        observer,
        now=clock.now,
        max_query_bytes=settings.limits.max_query_bytes,
        max_header_bytes=settings.limits.max_header_bytes,
        address_header=settings.server.address_header,
    )
    return Gateway(app, fast_path)


def open_writes(services: Services, invalidate: Invalidate) -> WriteService:
    writes = WriteService(
        services.authenticator,
        StepRunner(services.upstream, services.client, services.clock, services.token_rejections),
        Idempotency(services.stores.idempotency, services.clock),
        invalidate,
        services.clock,
        deadline=services.settings.upstream.deadline_seconds,
    )
    services.stack.push_async_callback(writes.close)
    return writes


def proxy_routes(services: Services, invalidate: Invalidate, new_request_id: Callable[[], str]) -> list[Route]:
    async def invalidate_all(linked: LinkedAccount, resources: frozenset[str] | None) -> None:
        await invalidate(linked, resources, new_request_id())

    limits = services.settings.upstream
    service = ProxyService(
        services.authenticator,
        services.upstream,
        services.token_rejections,
        invalidate_all,
        deadline=limits.deadline_seconds,
        max_answer_bytes=limits.max_body_bytes,
        monotonic=services.clock.monotonic,
    )
    return ProxyApi(service, services.settings.limits.max_body_bytes).routes()


def health_routes(services: Services, observer: RequestObserver) -> list[Route]:
    async def database_works() -> bool:
        try:
            await services.stores.check()
        except StoreUnavailable:
            return False
        return True

    async def show_metrics() -> bytes:
        await observer.flush()
        return generate_latest(metrics_registry(services.metrics))

    return HealthApi(
        {"database": database_works, "cache": services.shared_cache.ping},
        optional=frozenset({"cache"}),
        show_metrics=show_metrics,
    ).routes()


def describe(paging: PageLimits) -> Schema:
    """Returns the OpenAPI document of the gateway."""
    return make_document(tuple(CONNECTORS.values()), paging)


class Application:
    """The ASGI app that a server runs: opens the gateway at start-up, in the server's event loop, and closes it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: RequestMiddleware | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope.get("state", {}), receive, send)  # A server may have none.
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _live(self, state: dict[str, Any], receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                gateway = await assemble(self._settings, stack)
            except (GatewayError, SettingsError) as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            self._app = gateway.app
            # The state that a server shows to each of its connections (ASGI, "Lifespan State").
            state[FAST_PATH] = gateway.fast_path
            tune_garbage_collection()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            del state[FAST_PATH]
        await send({"type": "lifespan.shutdown.complete"})


def worker() -> Application:
    """Returns the application of a worker process, whose settings are in the environment."""
    return Application(read_settings(os.environ, CONNECTORS.keys()))
