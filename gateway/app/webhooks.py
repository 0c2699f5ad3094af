"""Builds webhooks to the product: the dispatcher that sends events, and the routes that manage endpoints.

Events are written by `OutboxStore.hear`, in the transaction that changes an account.
"""

import os
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog
from starlette.routing import Route

from connectors.platform import WEBHOOK_OPERATIONS
from gateway.accounts.api import PlatformApi
from gateway.auth.api_key import new_id
from gateway.auth.authentication import Authenticator
from gateway.background import Supervisor
from gateway.contract.query import PageLimits
from gateway.model import Clock
from gateway.observability.metrics import Metrics
from gateway.policy.policy import Operator
from gateway.settings.load import Settings
from gateway.webhooks.api import WebhookApi
from gateway.webhooks.deliveries import Schedule
from gateway.webhooks.dispatcher import Dispatcher
from gateway.webhooks.endpoint_store import EndpointStore
from gateway.webhooks.outbox_store import OutboxStore
from gateway.webhooks.sender import WebhookSender
from gateway.webhooks.service import WebhookService
from gateway.webhooks.signature import new_secret
from gateway.webhooks.targets import Targets

GRACE_SECONDS = 3.0
"""For how long attempts may go on at the end: less than the time after which a process is usually killed."""

LOOKUPS_EACH = 4
"""Threads for name look-ups, for each delivery at a time: a look-up may go on long after its attempt timed out."""


async def open_webhooks(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    authenticator: Authenticator,
    endpoints: EndpointStore,
    outbox: OutboxStore,
    clock: Clock,
    metrics: Metrics,
    logger: structlog.typing.FilteringBoundLogger,
) -> list[Route]:
    """Starts to send what is due, until the stack ends; returns the routes."""
    chosen = settings.webhooks
    sender = await stack.enter_async_context(
        WebhookSender(
            webhook_targets(settings),
            connect_timeout=chosen.connect_timeout_seconds,
            timeout=chosen.timeout_seconds,
            lookups=LOOKUPS_EACH * chosen.concurrency,
            now=clock.now,
        )
    )
    dispatcher = Dispatcher(
        outbox,
        sender.post,
        schedule=Schedule(
            waits=chosen.retry_seconds,
            disable_after=timedelta(days=chosen.disable_after_days),
            lease=chosen.lease_seconds,
        ),
        concurrency=chosen.concurrency,
        endpoint_concurrency=chosen.endpoint_concurrency,
        clock=clock,
        metrics=metrics,
        logger=logger,
    )
    outbox.wake(dispatcher.wake)
    stack.push_async_callback(dispatcher.close, GRACE_SECONDS)
    Supervisor(stack, logger).start("webhook deliveries", lambda: dispatcher.step(chosen.poll_seconds))
    operator = Operator(frozenset(settings.policy.forbidden_operations))
    webhooks = WebhookApi(
        webhook_service(settings, endpoints, clock),
        operator,
        PageLimits(settings.paging.default_page_size, settings.paging.max_page_size),
    )
    api = PlatformApi(
        webhooks.answer,
        WEBHOOK_OPERATIONS,
        authenticator=authenticator,
        operator=operator,
        max_body_bytes=settings.limits.max_body_bytes,
    )
    return api.routes()


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
