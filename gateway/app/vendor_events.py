"""Joins the parts of vendors' webhooks: a corner of `gateway.app.build`, which alone knows it."""

import asyncio
import random
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.routing import Route

from gateway.accounts.listeners import CredentialListener
from gateway.accounts.token_rejection import TokenRejections
from gateway.app.stores import Stores
from gateway.model import Upstream
from gateway.observability.metrics import Metrics
from gateway.policy.provider import Provider
from gateway.settings.load import Settings
from gateway.vendor_events.api import VendorEventApi
from gateway.vendor_events.receiver import Effects, Invalidate, Noticed, WebhookReceiver, nobody_listens
from gateway.vendor_events.registration import RegistrarConfig, RegistrarServices, WebhookRegistrar

STOP_SECONDS = 2.0
AFTER_A_FAULT = 10.0


@dataclass(frozen=True, slots=True)
class VendorEvents:
    """Vendor webhooks, as the gateway uses them."""

    hooks: WebhookRegistrar
    routes: Callable[[Invalidate, Noticed], list[Route]]

    def look_after(self, stack: AsyncExitStack, tell: Callable[[Exception], None]) -> None:
        """Keep all webhooks up until the stack is closed; what is under way then may come to its end.

        `tell` hears of errors that nobody expected. They end a round, not the work.
        """
        end = asyncio.Event()

        async def rest(seconds: float) -> bool:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await end.wait()
            return not end.is_set()

        async def keep_on() -> None:
            going_on = True
            while going_on:
                try:
                    await self.hooks.keep_on(rest, random.random)
                except Exception as error:  # noqa: BLE001 - told, and the other accounts must not wait for it
                    tell(error)
                going_on = await rest(0 if end.is_set() else AFTER_A_FAULT)

        async def stop() -> None:
            end.set()
            # Cancelled after that time.
            with suppress(TimeoutError):
                await asyncio.wait_for(task, STOP_SECONDS)

        task = asyncio.ensure_future(keep_on())
        stack.push_async_callback(stop)


def open_vendor_events(
    settings: Settings,
    stores: Stores,
    upstream: Upstream,
    providers: Mapping[str, Provider],
    around: tuple[Callable[[], datetime], Metrics, TokenRejections],
) -> VendorEvents:
    """Makes what registers vendor webhooks, and has the webhook of an account follow its credential."""
    clock, metrics, checks = around
    parts = RegistrarServices(stores.vendor_webhooks, stores.accounts, upstream, checks, providers)
    rules = RegistrarConfig(
        enabled=settings.vendor_events.enabled,
        public_url=settings.server.public_url,
        check=timedelta(seconds=settings.vendor_events.check_seconds),
        clock=clock,
        new_secret=lambda: secrets.token_urlsafe(32),
        count=lambda provider, outcome: metrics.vendor_hooks.labels(provider, outcome).inc(),
    )
    hooks = WebhookRegistrar(parts, rules)

    def routes(invalidate: Invalidate, noticed: Noticed = nobody_listens) -> list[Route]:
        def count(provider: str, outcome: str) -> None:
            metrics.vendor_events.labels(provider, outcome).inc()

        effects = Effects(invalidate=invalidate, noticed=noticed, count=count)
        signals = WebhookReceiver(stores.vendor_webhooks, stores.accounts, providers, effects, clock)
        return VendorEventApi(signals, settings.limits.max_body_bytes).routes()

    stores.accounts.listen(CredentialListener(before_delete=hooks.remove, after_store=hooks.follow))
    return VendorEvents(hooks, routes)
