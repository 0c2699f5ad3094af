"""Joins the parts of webhooks to the product: a corner of `gateway.app.build`, which alone knows it.

What is sent is written by `Database.outbox.hear`, which is told of each change of an account.
"""

import asyncio
import os
import secrets
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from starlette.routing import Route

from connectors.platform import WEBHOOK_OPERATIONS
from gateway.accounts.api import PlatformApi
from gateway.auth.api_key import new_id
from gateway.auth.authentication import Authenticator
from gateway.contract.query import PageLimits
from gateway.model import Clock
from gateway.observability.logs import where
from gateway.observability.metrics import Metrics
from gateway.policy.policy import Operator
from gateway.settings.load import Settings
from gateway.webhooks.api import WebhookApi
from gateway.webhooks.deliveries import Schedule
from gateway.webhooks.dispatcher import Dispatcher, Ears, Pace, Retention, Rules
from gateway.webhooks.endpoint_store import EndpointStore
from gateway.webhooks.outbox_store import OutboxStore
from gateway.webhooks.sender import SenderLimits, WebhookSender
from gateway.webhooks.service import Making, WebhookService
from gateway.webhooks.signature import new_secret
from gateway.webhooks.targets import Targets

GRACE_SECONDS = 3.0
"""What attempts under way may still take at the end: less than what whoever stops us waits for."""

LOOKUPS_EACH = 4
"""Threads to look up names, for each delivery under way: a look-up may go on long after it was given up."""


@dataclass(frozen=True, slots=True)
class EventParts:
    """What webhooks share with the rest of the gateway."""

    authenticator: Authenticator
    endpoints: EndpointStore
    outbox: OutboxStore
    clock: Clock
    metrics: Metrics
    logger: structlog.typing.FilteringBoundLogger


async def open_events(settings: Settings, stack: AsyncExitStack, parts: EventParts) -> list[Route]:
    """Begin to send what is due, until the stack is closed; give the routes."""
    chosen = settings.webhooks
    receivers = await stack.enter_async_context(
        WebhookSender(
            targets_of(settings),
            SenderLimits(chosen.connect_timeout_seconds, chosen.timeout_seconds, LOOKUPS_EACH * chosen.concurrency),
            parts.clock.now,
        )
    )
    around = (parts.clock, lambda: secrets.token_hex(12))
    dispatcher = Dispatcher(parts.outbox, receivers, _rules(settings), around, _ears(parts))
    parts.outbox.wake(dispatcher.wake)
    stack.push_async_callback(dispatcher.close)
    running = asyncio.create_task(dispatcher.run())
    stack.push_async_callback(_end, running)
    operator = Operator(frozenset(settings.policy.forbidden_operations))
    webhooks = WebhookApi(
        webhook_desk(settings, parts.endpoints, parts.clock),
        operator,
        PageLimits(settings.paging.default_page_size, settings.paging.max_page_size),
    )
    api = PlatformApi(
        webhooks.answer,
        WEBHOOK_OPERATIONS,
        authenticator=parts.authenticator,
        operator=operator,
        max_body_bytes=settings.limits.max_body_bytes,
    )
    return api.routes()


def webhook_desk(settings: Settings, book: EndpointStore, clock: Clock) -> WebhookService:
    making = Making(
        now=clock.now,
        new_id=new_id,
        new_secret=lambda: new_secret(os.urandom),
        targets=targets_of(settings),
        overlap=settings.webhooks.secret_overlap_hours * 3600,
    )
    return WebhookService(book, making)


def targets_of(settings: Settings) -> Targets:
    return Targets(settings.webhooks.allow_http, settings.webhooks.allowed_networks)


def _rules(settings: Settings) -> Rules:
    chosen = settings.webhooks
    return Rules(
        pace=Pace(
            together=chosen.concurrency,
            each=chosen.endpoint_concurrency,
            lease=chosen.lease_seconds,
            poll=chosen.poll_seconds,
            grace=GRACE_SECONDS,
        ),
        schedule=Schedule(waits=chosen.retry_seconds, disable_after=timedelta(days=chosen.disable_after_days)),
        keeping=Retention(replay=timedelta(days=chosen.replay_days), log=timedelta(days=chosen.log_days)),
    )


def _ears(parts: EventParts) -> Ears:
    def disabled(endpoint_id: str, why: str) -> None:
        parts.logger.warning("webhook disabled", detail=f"{endpoint_id}: {why}")

    def fault(error: BaseException) -> None:
        parts.logger.error("webhooks are not sent", error=type(error).__name__, where=where(error))

    return Ears(lambda outcome: parts.metrics.webhook_attempts.labels(outcome).inc(), disabled, fault)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
