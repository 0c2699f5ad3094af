"""Joins the parts that look after linked accounts: a corner of `gateway.app.build`, which alone knows it.

They count the calls of each account, verify idle accounts anew, and write a line for what has changed in one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog

from connectors.hris.operations import OPERATIONS
from connectors.platform import PROXY
from gateway.accounts.link import LinkContext
from gateway.accounts.unlink import AccountPurge
from gateway.accounts.unlink_poll import Sweeping, UnlinkPoll
from gateway.accounts.usage_counter import UsageCounter
from gateway.accounts.verification import Intervals
from gateway.accounts.verifier import AccountVerifier, Around, Pace
from gateway.app.stores import Stores
from gateway.audit.events import AuditRecord
from gateway.auth.authentication import Authenticator
from gateway.errors import StoreUnavailable
from gateway.http.middleware import RequestContext
from gateway.model import Clock
from gateway.observability.logs import where
from gateway.settings.load import Settings

LAST_FLUSH_SECONDS = 2.0
TIDY_SECONDS = 600.0
CLEAN_SECONDS = 5.0
"""Seconds between two looks for something to tidy, and for files to clean."""
AT_ONCE = 4

Log = Callable[[RequestContext, str, BaseException | None], None]
Logger = structlog.typing.FilteringBoundLogger


@dataclass(frozen=True, slots=True)
class LifeParts:
    """What they share with the rest of the gateway."""

    stores: Stores
    forgetting: AccountPurge
    authenticator: Authenticator
    linking: LinkContext
    clock: Clock
    logger: Logger


def log_of_changes(logger: Logger) -> Callable[[AuditRecord], Awaitable[None]]:
    """Make what writes a line for each thing that has happened to an account or a key, when it is kept."""

    async def hear(change: AuditRecord) -> None:
        for fact in change.facts:
            said = "; ".join(
                f"{name}: {value if isinstance(value, str) else ' '.join(value)}"
                for name, value in fact.details.items()
            )
            who = f"{change.by.kind} {change.by.id}".strip()
            about = {"account": change.account_id} if change.account_id else {"key": change.key_id}
            logger.info(fact.what.value, **about, by=who, detail=said)

    return hear


def look_after(settings: Settings, stack: AsyncExitStack, parts: LifeParts) -> UsageCounter:
    """Start what runs beside the requests, to be ended with the stack; give what counts them."""
    counter = UsageCounter(parts.stores.usage, parts.clock.now, [*(each.id for each in OPERATIONS), PROXY.id])
    stack.push_async_callback(_flush_last, counter)
    tell = _teller(parts.logger)
    _beside(stack, _often(counter.flush, settings.accounts.usage_flush_seconds, tell))
    _beside(stack, _often(_aftermath(settings, parts).look, settings.accounts.unlink_poll_seconds, tell))
    _beside(stack, _often(_tidying(settings, parts), TIDY_SECONDS, tell))
    _beside(stack, _often(_cleaning(parts), CLEAN_SECONDS, tell))
    if settings.verification.idle_seconds > 0:
        _beside(stack, make_rounds(settings, parts).run())
    return counter


def _aftermath(settings: Settings, parts: LifeParts) -> UnlinkPoll:
    # The last sweep is for what no worker can be told of: a request that was under way for as long as may be.
    last = settings.accounts.cache_seconds + settings.upstream.deadline_seconds + 1
    sweeping = Sweeping(
        forget=parts.forgetting.here,
        sweep=parts.forgetting.sweep,
        again=(settings.accounts.unlink_poll_seconds, last),
        monotonic=parts.clock.monotonic,
    )
    return UnlinkPoll(parts.stores.purges, sweeping)


def _tidying(settings: Settings, parts: LifeParts) -> Callable[[], Awaitable[None]]:
    """Make what deletes by the clock what nobody will ask for again, and names or locates people."""
    kept = timedelta(days=settings.audit.address_days)

    async def tidy() -> None:
        now = parts.clock.now()
        with suppress(StoreUnavailable):
            await parts.stores.sessions.tidy(now)
            await parts.stores.sign_ins.tidy(now)
            await parts.stores.audit.forget_addresses(now - kept)

    return tidy


def _cleaning(parts: LifeParts) -> Callable[[], Awaitable[None]]:
    """Make what takes out of the database's files what was erased; what cannot be done now is done later."""

    async def clean() -> None:
        with suppress(StoreUnavailable):
            await parts.stores.purges.clean()

    return clean


def make_rounds(settings: Settings, parts: LifeParts) -> AccountVerifier:
    verification, logger = settings.verification, parts.logger
    intervals = Intervals(
        idle=verification.idle_seconds, used=verification.used_seconds, failed=verification.failed_seconds
    )
    around = Around(
        clock=parts.clock,
        wait=asyncio.sleep,
        undecided=lambda account, code: logger.debug("account not verified", account=account, error=code),
        failed=_teller(logger),
    )
    pace = Pace(intervals=intervals, at_once=AT_ONCE, pause=60 / verification.per_minute)
    return AccountVerifier(parts.stores.usage, parts.authenticator, pace, parts.linking, around)


def counting(counter: UsageCounter, log: Log) -> Log:
    """Make what counts each exchange before it is logged."""

    def count(context: RequestContext, method: str, unexpected: BaseException | None) -> None:
        # What is passed through tells nothing of the token: the vendor's refusals are answers there.
        proven = context.upstream_calls > 0 and context.operation != PROXY.id
        counter.count(context.operation, context.account_id, context.cache, context.error, proven=proven)
        log(context, method, unexpected)

    return count


def _teller(logger: Logger) -> Callable[[BaseException], None]:
    """Make what writes a line for a fault that nobody expects, without its text, which may hold data."""
    return lambda error: logger.error("background work failed", error=type(error).__name__, where=where(error))


async def _often(step: Callable[[], Awaitable[None]], seconds: float, tell: Callable[[BaseException], None]) -> None:
    while True:
        try:
            await step()
        except Exception as error:  # noqa: BLE001 - what is done often goes on
            tell(error)
        await asyncio.sleep(seconds)


async def _flush_last(counter: UsageCounter) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_FLUSH_SECONDS):
            await counter.flush()


def _beside(stack: AsyncExitStack, work: Awaitable[None]) -> None:
    """Run something until the stack ends."""
    task = asyncio.ensure_future(work)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
