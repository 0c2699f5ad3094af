"""Starts the background work on linked accounts: usage counts, verification, unlinks elsewhere, deletion by age."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

import structlog

from connectors.hris.operations import OPERATIONS
from connectors.platform import PROXY
from gateway.accounts.link import Linker
from gateway.accounts.unlink import AccountPurge, UnlinkPoll
from gateway.accounts.usage import Due
from gateway.accounts.usage_counter import UsageCounter
from gateway.accounts.verification import Intervals
from gateway.accounts.verifier import LEASE_SECONDS, AccountVerifier
from gateway.app.stores import Stores
from gateway.audit.events import AuditRecord
from gateway.auth.authentication import Authenticator
from gateway.background import ClaimLoop, Supervisor
from gateway.http.middleware import RequestContext
from gateway.model import Clock
from gateway.settings.load import Settings
from gateway.webhooks.deliveries import Retention

LAST_FLUSH_SECONDS = 2.0
TIDY_SECONDS = 600.0
CLEAN_FILES_SECONDS = 5.0
VERIFY_CONCURRENCY = 4
LONGEST_IDLE_SECONDS = 30.0
"""The longest pause between two looks for accounts that are due; less where the intervals are short."""

LogRequest = Callable[[RequestContext, str, BaseException | None], None]
Logger = structlog.typing.FilteringBoundLogger


def change_log(logger: Logger) -> Callable[[AuditRecord], Awaitable[None]]:
    """Returns a listener that logs each committed change of an account or a key."""

    async def log(change: AuditRecord) -> None:
        for fact in change.facts:
            detail = "; ".join(
                f"{name}: {value if isinstance(value, str) else ' '.join(value)}"
                for name, value in fact.details.items()
            )
            who = f"{change.by.kind} {change.by.id}".strip()
            about = {"account": change.account_id} if change.account_id else {"key": change.key_id}
            logger.info(fact.what.value, **about, by=who, detail=detail)

    return log


def start_background(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    stores: Stores,
    purge: AccountPurge,
    authenticator: Authenticator,
    linker: Linker,
    clock: Clock,
    logger: Logger,
) -> UsageCounter:
    """Starts the work, which the stack ends; returns the counter of the calls of each account."""
    supervisor, verification = Supervisor(stack, logger), settings.verification
    counter = UsageCounter(stores.usage.add, clock.now, [*(each.id for each in OPERATIONS), PROXY.id])
    stack.push_async_callback(_flush_last, counter)
    supervisor.start("usage counts", counter.flush, pause=settings.accounts.usage_flush_seconds)
    supervisor.start(
        "unlinked accounts",
        _unlink_poll(settings, stores, purge, clock).look,
        pause=settings.accounts.unlink_poll_seconds,
    )
    supervisor.start("deletion by age", _delete_by_age(settings, stores, clock), pause=TIDY_SECONDS)
    supervisor.start("database files", _clean_files(stores), pause=CLEAN_FILES_SECONDS)
    if verification.idle_seconds > 0:
        intervals = Intervals(
            idle=verification.idle_seconds, used=verification.used_seconds, failed=verification.failed_seconds
        )
        verifier = AccountVerifier(
            authenticator,
            linker,
            schedule=stores.usage.schedule,
            intervals=intervals,
            clock=clock,
            logger=logger,
        )
        _start_verifier(settings, supervisor, verifier, stores, clock)
    return counter


def _start_verifier(
    settings: Settings, supervisor: Supervisor, verifier: AccountVerifier, stores: Stores, clock: Clock
) -> None:
    name, verification = "account verification", settings.verification
    idle = min(LONGEST_IDLE_SECONDS, verification.idle_seconds / 10)

    async def claim() -> Due | None:
        now = clock.now()
        return await stores.usage.claim(now, now + timedelta(seconds=LEASE_SECONDS))

    loop = ClaimLoop(
        claim,
        verifier.process,
        concurrency=VERIFY_CONCURRENCY,
        # Jitter, so that workers that start together do not keep step.
        idle_wait=lambda: idle / (1 + clock.jitter() / 2),
        claim_wait=lambda: 60 / verification.per_minute * (1 + clock.jitter() / 2),
        log_error=lambda error: supervisor.log_error(name, error),
    )
    supervisor.start(name, loop.run)


def _unlink_poll(settings: Settings, stores: Stores, purge: AccountPurge, clock: Clock) -> UnlinkPoll:
    accounts = settings.accounts
    # By the last purge every request has ended that any worker began before it heard of the unlink.
    last = accounts.cache_seconds + settings.upstream.deadline_seconds + 1
    return UnlinkPoll(
        stores.purges,
        purge,
        repeat_seconds=(accounts.unlink_poll_seconds, last),
        monotonic=clock.monotonic,
    )


def _delete_by_age(settings: Settings, stores: Stores, clock: Clock) -> Callable[[], Awaitable[None]]:
    """Returns a function that deletes what nobody will ask for again, and what names or locates people."""
    webhooks = settings.webhooks
    retention = Retention(replay=timedelta(days=webhooks.replay_days), log=timedelta(days=webhooks.log_days))
    addresses = timedelta(days=settings.audit.address_days)

    async def delete() -> None:
        now = clock.now()
        await stores.sessions.tidy(now)
        await stores.sign_ins.tidy(now)
        await stores.audit.forget_addresses(now - addresses)
        await stores.outbox.tidy(now, retention)

    return delete


def _clean_files(stores: Stores) -> Callable[[], Awaitable[None]]:
    """Returns a function that removes deleted rows from the database's files."""

    async def clean() -> None:
        await stores.purges.clean()

    return clean


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
