"""Builds the webhooks of vendors: their registration, and the route that receives them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from starlette.routing import Route

from gateway.accounts.listeners import CredentialListener
from gateway.accounts.token_rejection import TokenRejections
from gateway.app.services import Services
from gateway.app.stores import Stores
from gateway.background import Supervisor
from gateway.model import Upstream
from gateway.observability.metrics import Metrics
from gateway.policy.provider import Provider
from gateway.settings.load import Settings
from gateway.vendor_events.api import VendorEventApi
from gateway.vendor_events.live import BEAT_SECONDS, Invalidate, LiveWebhooks, Receiving
from gateway.vendor_events.receiver import EventListener, WebhookReceiver
from gateway.vendor_events.registration import RegistrarConfig, WebhookRegistrar

CHECK_SECONDS = 15.0
"""Between two looks for webhooks that are due; at each a worker checks up to `BATCH` of them."""
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
    live: LiveWebhooks | None = None,
) -> WebhookRegistrar:
    """Returns what registers vendor webhooks, and has the webhook of an account follow its credential."""
    config = RegistrarConfig(
        enabled=settings.vendor_events.enabled,
        public_url=settings.server.public_url,
        check=timedelta(seconds=settings.vendor_events.check_seconds),
        live=live,
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


def start_registration(services: Services, registrar: WebhookRegistrar) -> None:
    """Keeps all webhooks registered until the stack ends."""
    Supervisor(services.stack, services.logger).start(
        "vendor webhooks",
        registrar.check_due,
        pause=lambda: CHECK_SECONDS * (0.5 + services.clock.jitter()),
        grace=GRACE_SECONDS,
    )


async def open_receiving(services: Services) -> Receiving:
    """Returns since when deliveries are received, which is kept up until the stack ends."""
    receiving = Receiving(services.cache, lambda: services.clock.now().timestamp())
    await receiving.beat()
    Supervisor(services.stack, services.logger).start("receiving", receiving.beat, pause=BEAT_SECONDS)
    return receiving


def vendor_event_routes(
    services: Services, invalidate: Invalidate, on_events: EventListener, live: LiveWebhooks
) -> list[Route]:
    receiver = WebhookReceiver(
        services.stores.vendor_webhooks,
        services.stores.accounts,
        services.authenticator.providers,
        invalidate=invalidate,
        on_events=on_events,
        live=live,
        clock=services.clock.now,
        metrics=services.metrics,
    )
    return VendorEventApi(receiver, services.settings.limits.max_body_bytes).routes()
