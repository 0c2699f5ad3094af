"""Starts the background work on linked accounts: usage counts, verification, unlinks elsewhere, deletion by age."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from connectors.hris.operations import OPERATIONS
from connectors.platform import PROXY
from gateway.accounts.unlink import UnlinkPoll
from gateway.accounts.usage import Due
from gateway.accounts.usage_counter import UsageCounter
from gateway.accounts.verification import Intervals
from gateway.accounts.verifier import LEASE_SECONDS, AccountVerifier
from gateway.app.services import Services
from gateway.background import ClaimLoop, Supervisor
from gateway.http.context import RequestContext
from gateway.http.request_observer import LogRequest
from gateway.webhooks.deliveries import Retention

LAST_FLUSH_SECONDS = 2.0
DELETION_SECONDS = 600.0
CLEAN_FILES_SECONDS = 5.0
VERIFY_CONCURRENCY = 4
LONGEST_IDLE_SECONDS = 30.0
"""The longest pause between two looks for accounts that are due; less where the intervals are short."""


def start_background(services: Services) -> UsageCounter:
    """Starts the work, which the stack ends; returns the counter of the calls of each account."""
    settings, stores, clock = services.settings, services.stores, services.clock
    supervisor = Supervisor(services.stack, services.logger)
    counter = UsageCounter(stores.usage.add, clock.now, [*(each.id for each in OPERATIONS), PROXY.id])
    services.stack.push_async_callback(_flush_last, counter)
    supervisor.start("usage counts", counter.flush, pause=settings.accounts.usage_flush_seconds)
    supervisor.start("unlinked accounts", _unlink_poll(services).poll, pause=settings.accounts.unlink_poll_seconds)
    supervisor.start("deletion by age", _delete_by_age(services), pause=DELETION_SECONDS)
    supervisor.start("database files", stores.purges.clean, pause=CLEAN_FILES_SECONDS)
    if settings.verification.idle_seconds > 0:
        _start_verifier(services, supervisor)
    return counter


def _start_verifier(services: Services, supervisor: Supervisor) -> None:
    name, settings, clock = "account verification", services.settings.verification, services.clock
    longest_pause = min(LONGEST_IDLE_SECONDS, settings.idle_seconds / 10)
    verifier = AccountVerifier(
        services.authenticator,
        services.linker,
        schedule=services.stores.usage.schedule,
        intervals=Intervals(idle=settings.idle_seconds, used=settings.used_seconds, failed=settings.failed_seconds),
        clock=clock,
        logger=services.logger,
    )

    async def claim() -> Due | None:
        now = clock.now()
        return await services.stores.usage.claim(now, now + timedelta(seconds=LEASE_SECONDS))

    loop = ClaimLoop(
        claim,
        verifier.process,
        concurrency=VERIFY_CONCURRENCY,
        # Jitter, so that workers that start together do not keep step.
        idle_wait=lambda: longest_pause / (1 + clock.jitter() / 2),
        claim_wait=lambda: 60 / settings.per_minute * (1 + clock.jitter() / 2),
        log_error=lambda error: supervisor.log_error(name, error),
    )
    supervisor.start(name, loop.run)


def _unlink_poll(services: Services) -> UnlinkPoll:
    accounts = services.settings.accounts
    # By the last purge every request has ended that any worker began before it heard of the unlink.
    last = accounts.cache_seconds + services.settings.upstream.deadline_seconds + 1
    return UnlinkPoll(
        services.stores.purges,
        services.purge,
        repeat_seconds=(accounts.unlink_poll_seconds, last),
        monotonic=services.clock.monotonic,
    )


def _delete_by_age(services: Services) -> Callable[[], Awaitable[None]]:
    """Returns a function that deletes what nobody will ask for again, and what names or locates people."""
    stores, webhooks = services.stores, services.settings.webhooks
    retention = Retention(replay=timedelta(days=webhooks.replay_days), log=timedelta(days=webhooks.log_days))
    addresses = timedelta(days=services.settings.audit.address_days)

    async def delete() -> None:
        now = services.clock.now()
        await stores.sessions.tidy(now)
        await stores.sign_ins.tidy(now)
        await stores.audit.forget_addresses(now - addresses)
        await stores.outbox.tidy(now, retention)

    return delete


def counting(counter: UsageCounter, log: LogRequest) -> LogRequest:
    """Returns a request log that counts each request first."""

    def count(context: RequestContext, method: str, unexpected: BaseException | None) -> None:
        # A proxied call proves nothing of the token: the vendor's refusal is an answer there.
        proven = context.upstream_calls > 0 and context.operation != PROXY.id
        counter.count(context.operation, context.account_id, context.cache, context.error, proven=proven)
        log(context, method, unexpected)

    return count


async def _flush_last(counter: UsageCounter) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_FLUSH_SECONDS):
            await counter.flush()
