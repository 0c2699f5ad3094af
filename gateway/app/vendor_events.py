"""Builds the webhooks of vendors: their registration, and the route that receives them."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import structlog
from starlette.routing import Route

from gateway.accounts.listeners import CredentialListener
from gateway.accounts.token_rejection import TokenRejections
from gateway.app.stores import Stores
from gateway.background import Supervisor
from gateway.model import Clock, Upstream
from gateway.observability.metrics import Metrics
from gateway.policy.provider import Provider
from gateway.settings.load import Settings
from gateway.vendor_events.api import VendorEventApi
from gateway.vendor_events.receiver import EventListener, Invalidate, WebhookReceiver
from gateway.vendor_events.registration import RegistrarConfig, WebhookRegistrar

CHECK_SECONDS = 60.0
GRACE_SECONDS = 2.0
"""For how long a registration may go on at the end: one that is cut off leaves an endpoint at the vendor."""


def open_vendor_events(
    settings: Settings,
    stores: Stores,
    upstream: Upstream,
    providers: Mapping[str, Provider],
    *,
    token_rejections: TokenRejections,
    clock: Callable[[], datetime],
    metrics: Metrics,
) -> WebhookRegistrar:
    """Returns what registers vendor webhooks, and has the webhook of an account follow its credential."""
    config = RegistrarConfig(
        enabled=settings.vendor_events.enabled,
        public_url=settings.server.public_url,
        check=timedelta(seconds=settings.vendor_events.check_seconds),
    )
    registrar = WebhookRegistrar(
        config,
        stores.vendor_webhooks,
        stores.accounts,
        upstream,
        token_rejections=token_rejections,
        providers=providers,
        clock=clock,
        metrics=metrics,
    )
    stores.accounts.listen(CredentialListener(before_delete=registrar.remove, after_store=registrar.follow))
    return registrar


def start_registration(
    stack: AsyncExitStack,
    registrar: WebhookRegistrar,
    clock: Clock,
    logger: structlog.typing.FilteringBoundLogger,
) -> None:
    """Keeps all webhooks registered until the stack ends."""
    Supervisor(stack, logger).start(
        "vendor webhooks",
        registrar.check_due,
        pause=lambda: CHECK_SECONDS * (0.5 + clock.jitter()),
        grace=GRACE_SECONDS,
    )


def vendor_event_routes(
    settings: Settings,
    stores: Stores,
    providers: Mapping[str, Provider],
    *,
    invalidate: Invalidate,
    on_events: EventListener,
    clock: Callable[[], datetime],
    metrics: Metrics,
) -> list[Route]:
    receiver = WebhookReceiver(
        stores.vendor_webhooks,
        stores.accounts,
        providers,
        invalidate=invalidate,
        on_events=on_events,
        clock=clock,
        metrics=metrics,
    )
    return VendorEventApi(receiver, settings.limits.max_body_bytes).routes()
