"""Builds webhooks to the product: the dispatcher that sends events, and the routes that manage endpoints.

Events are written by `OutboxStore.write_change`, in the transaction that changes an account.
"""

import os
from datetime import timedelta

from starlette.routing import Route

from connectors.platform import WEBHOOK_OPERATIONS
from gateway.accounts.api import PlatformApi
from gateway.app.services import Services
from gateway.auth.api_key import new_id
from gateway.background import Supervisor
from gateway.model import Clock
from gateway.settings.load import Settings
from gateway.webhooks.api import WebhookApi
from gateway.webhooks.deliveries import Schedule
from gateway.webhooks.dispatcher import Dispatcher
from gateway.webhooks.endpoint_store import EndpointStore
from gateway.webhooks.sender import WebhookSender
from gateway.webhooks.service import WebhookService
from gateway.webhooks.signature import new_secret
from gateway.webhooks.targets import Targets

GRACE_SECONDS = 3.0
"""For how long attempts may go on at the end: less than the time after which a process is usually killed."""

LOOKUPS_EACH = 4
"""Threads for name look-ups, for each delivery at a time: a look-up may go on long after its attempt timed out."""


async def open_webhooks(services: Services) -> list[Route]:
    """Starts to send what is due, until the stack ends; returns the routes."""
    settings, chosen, stack = services.settings, services.settings.webhooks, services.stack
    sender = await stack.enter_async_context(
        WebhookSender(
            webhook_targets(settings),
            connect_timeout=chosen.connect_timeout_seconds,
            timeout=chosen.timeout_seconds,
            lookups=LOOKUPS_EACH * chosen.concurrency,
            now=services.clock.now,
        )
    )
    dispatcher = Dispatcher(
        services.stores.outbox,
        sender.post,
        schedule=Schedule(
            waits=chosen.retry_seconds,
            disable_after=timedelta(days=chosen.disable_after_days),
            lease=chosen.lease_seconds,
        ),
        concurrency=chosen.concurrency,
        endpoint_concurrency=chosen.endpoint_concurrency,
        clock=services.clock,
        metrics=services.metrics,
        logger=services.logger,
    )
    services.stores.outbox.wake(dispatcher.wake)
    stack.push_async_callback(dispatcher.close, GRACE_SECONDS)
    Supervisor(stack, services.logger).start("webhook deliveries", lambda: dispatcher.step(chosen.poll_seconds))
    service = webhook_service(settings, services.stores.endpoints, services.clock)
    return PlatformApi(
        WebhookApi(service, services.operator, services.page_limits).answer,
        WEBHOOK_OPERATIONS,
        authenticator=services.authenticator,
        operator=services.operator,
        max_body_bytes=settings.limits.max_body_bytes,
    ).routes()


def webhook_service(settings: Settings, endpoints: EndpointStore, clock: Clock) -> WebhookService:
    return WebhookService(
        endpoints,
        targets=webhook_targets(settings),
        secret_overlap=settings.webhooks.secret_overlap_hours * 3600,
        now=clock.now,
        new_id=new_id,
        new_secret=lambda: new_secret(os.urandom),
    )


def webhook_targets(settings: Settings) -> Targets:
    return Targets(settings.webhooks.allow_http, settings.webhooks.allowed_networks)
