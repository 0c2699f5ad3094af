"""Chooses the parts and joins them. Knows everything and decides nothing."""

import os
from contextlib import AsyncExitStack

from prometheus_client import generate_latest
from starlette.types import Receive, Scope, Send

from connectors.hris.operations import OPERATIONS
from connectors.platform import PLATFORM_OPERATIONS
from connectors.registry import CONNECTORS
from gateway.accounts.api import PlatformApi
from gateway.accounts.link import Linker
from gateway.accounts.service import AccountService
from gateway.accounts.store import AccountStore
from gateway.accounts.token_rejection import TokenRejections
from gateway.accounts.unlink import AccountPurge, PurgePlace
from gateway.app.background import change_log, counting, start_background
from gateway.app.dashboard import dashboard_routes
from gateway.app.hub import HubParts, hub_routes
from gateway.app.reads import ReadParts, open_reads
from gateway.app.record_events import make_detector, make_hashing, open_watcher
from gateway.app.routes import Site
from gateway.app.services import (
    CLOCK,
    open_cache,
    open_redis,
    open_the_vault,
    open_upstream,
    operator_of,
    providers,
)
from gateway.app.stores import Stores, open_stores
from gateway.app.vendor_events import open_vendor_events, start_registration, vendor_event_routes
from gateway.app.webhooks import open_webhooks
from gateway.auth.api_key import new_id
from gateway.auth.authentication import Authenticator
from gateway.cache.invalidation import invalidation_listener
from gateway.cache.tombstones import GuardedCache, Tombstones
from gateway.contract.query import PageLimits
from gateway.errors import GatewayError, StoreUnavailable
from gateway.http.access_log import request_ids, request_log
from gateway.http.allow_list import AllowList
from gateway.http.health import HealthApi, metrics_registry
from gateway.http.middleware import RequestMiddleware
from gateway.http.site_url import SiteUrl
from gateway.model import Clock, Linked
from gateway.observability.logs import make_logger
from gateway.observability.metrics import make_metrics
from gateway.openapi.document import make_document
from gateway.openapi.pages import documentation
from gateway.openapi.schemas import Schema
from gateway.proxy.api import ProxyApi
from gateway.proxy.service import ProxyService
from gateway.record_events.snapshot import SnapshotReader
from gateway.settings.load import Settings, SettingsError, read_settings
from gateway.unified.api import UnifiedApi
from gateway.unified.idempotency import Idempotency
from gateway.unified.write import WriteService
from gateway.unified.write_api import WritesApi
from gateway.unified.write_steps import StepRunner
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import VendorClient
from gateway.vendor_events.registration import WebhookRegistrar


async def assemble(settings: Settings, stack: AsyncExitStack, clock: Clock = CLOCK) -> RequestMiddleware:
    """Open all parts, to be closed with the stack, and join them into one ASGI app."""
    metrics = make_metrics()
    logger = make_logger(settings.log.level)
    vault = open_the_vault(settings)
    erased = Tombstones(clock.monotonic)
    redis = await stack.enter_async_context(open_redis(settings))
    shared = open_cache(settings, redis, metrics)
    cache = GuardedCache(shared, erased)
    purge = AccountPurge(cache)
    listeners = (purge.on_change, invalidation_listener(shared), change_log(logger))
    stores = await open_stores(settings, vault, listeners)
    stack.push_async_callback(stores.close)
    purge.register(PurgePlace.TOMBSTONE, erased.add)
    purge.register(PurgePlace.MEMO, stores.accounts.purge)
    upstream = await stack.enter_async_context(open_upstream(settings, metrics))

    limits = settings.upstream
    client = VendorClient(upstream, RetryPolicy(limits.retries, limits.retry_wait_max_seconds), clock)
    paging = PageLimits(settings.paging.default_page_size, settings.paging.max_page_size)
    authenticator = Authenticator(stores.accounts, providers(settings))
    checks = TokenRejections(stores.accounts, upstream, clock.now)
    reads, invalidate, collections = open_reads(
        settings, ReadParts(authenticator, stores, redis, cache, purge, client, checks, vault, metrics), stack
    )
    new_request_id = request_ids()
    registrar = open_vendor_events(
        settings,
        stores,
        upstream,
        authenticator.providers,
        token_rejections=checks,
        clock=clock.now,
        metrics=metrics,
    )
    linking = Linker(
        accounts=stores.accounts, upstream=upstream, clock=clock.now, new_id=new_id, deadline=limits.deadline_seconds
    )
    snapshots = SnapshotReader(
        collections, make_hashing(vault), cache=cache, max_value_bytes=settings.cache.max_value_bytes, clock=clock
    )
    detector = make_detector(
        stores.record_watches,
        authenticator,
        snapshots,
        linker=linking,
        token_rejections=checks,
        invalidate=invalidate,
        clock=clock,
        metrics=metrics,
    )
    watcher = open_watcher(
        settings, stack, stores.record_watches, authenticator, detector, clock=clock, metrics=metrics, logger=logger
    )
    invalidate = watcher.hastening(invalidate)
    writes = WriteService(
        authenticator,
        StepRunner(upstream, client, clock, checks),
        Idempotency(stores.idempotency, clock),
        invalidate,
        clock,
        deadline=limits.deadline_seconds,
    )
    stack.push_async_callback(writes.close)

    ops = HealthApi(
        {"database": lambda: is_well(stores), "cache": shared.ping},
        optional=frozenset({"cache"}),
        show_metrics=lambda: generate_latest(metrics_registry(metrics)),
    )

    async def drop(linked: Linked, resources: frozenset[str] | None) -> None:
        await invalidate(linked, resources, new_request_id())

    proxy = ProxyApi(
        ProxyService(
            authenticator,
            upstream,
            checks,
            drop,
            deadline=limits.deadline_seconds,
            max_answer_bytes=limits.max_body_bytes,
            monotonic=clock.monotonic,
        ),
        settings.limits.max_body_bytes,
    )
    start_registration(stack, registrar, clock, logger)
    vendor_events = vendor_event_routes(
        settings,
        stores,
        authenticator.providers,
        invalidate=invalidate,
        on_events=watcher.on_vendor_events,
        clock=clock.now,
        metrics=metrics,
    )
    counter = start_background(
        settings,
        stack,
        stores=stores,
        purge=purge,
        authenticator=authenticator,
        linker=linking,
        clock=clock,
        logger=logger,
    )
    platform = platform_api(settings, authenticator, stores.accounts, registrar, linking)
    place = SiteUrl(settings.server.public_url, settings.hub.allowed_origins)
    own = HubParts(authenticator, stores.accounts, stores.sessions, linking, vault.derive(b"hub"), registrar.wanted)
    hub = hub_routes(settings, place, own)
    webhooks = await open_webhooks(
        settings,
        stack,
        authenticator=authenticator,
        endpoints=stores.endpoints,
        outbox=stores.outbox,
        clock=clock,
        metrics=metrics,
        logger=logger,
    )
    dashboard = dashboard_routes(
        settings,
        hub=own,
        stores=stores,
        redis=redis,
        clock=clock,
        reader_for=lambda accounts: reads.with_accounts(Authenticator(accounts, authenticator.providers)),
        derive=vault.derive,
        logger=logger,
    )
    routes = [
        *ops.routes(),
        *proxy.routes(),
        *platform.routes(),
        *hub,
        *dashboard,
        *webhooks,
        *vendor_events,
        *documentation(lambda: describe(paging)),
    ]
    unified = UnifiedApi(
        reads, WritesApi(writes, settings.limits.max_body_bytes), OPERATIONS, lambda: clock.now().timestamp()
    )
    site = Site(unified, routes, place, AllowList(settings.dashboard.allowed_networks))
    log = counting(counter, request_log(logger, each=settings.log.requests))
    return RequestMiddleware(
        site,
        metrics,
        new_id=new_request_id,
        now=clock.now,
        log=log,
        max_query_bytes=settings.limits.max_query_bytes,
        max_header_bytes=settings.limits.max_header_bytes,
        address_header=settings.server.address_header,
    )


def describe(paging: PageLimits) -> Schema:
    """Returns the OpenAPI document of the gateway."""
    return make_document(tuple(CONNECTORS.values()), paging)


def platform_api(
    settings: Settings,
    authenticator: Authenticator,
    accounts: AccountStore,
    registrar: WebhookRegistrar,
    linking: Linker,
) -> PlatformApi:
    paging = PageLimits(settings.paging.default_page_size, settings.paging.max_page_size)
    service = AccountService(
        authenticator.providers,
        accounts,
        linking,
        operations=OPERATIONS,
        page=paging,
        vendor_webhook=registrar.health,
        public_url=settings.server.public_url,
    )
    return PlatformApi(
        service.answer,
        PLATFORM_OPERATIONS,
        authenticator=authenticator,
        operator=operator_of(settings),
        max_body_bytes=settings.limits.max_body_bytes,
    )


class Application:
    """What a server runs: opens the parts at start-up, in the server's own event loop, and closes them at its end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._edge: RequestMiddleware | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._edge is not None:
            await self._edge(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                self._edge = await assemble(self._settings, stack)
            except (GatewayError, SettingsError) as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def worker() -> Application:
    """Make the application in a worker process, which finds its settings in the environment."""
    return Application(read_settings(os.environ, CONNECTORS.keys()))


async def is_well(stores: Stores) -> bool:
    try:
        await stores.check()
    except StoreUnavailable:
        return False
    return True
