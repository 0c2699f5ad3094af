"""Joins the parts that look after linked accounts: a corner of `gateway.app`, which alone knows it.

They count the calls of each account, verify idle accounts anew, and write a line for what has changed in one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import structlog

from connectors.hris.operations import OPERATIONS
from gateway.adapters.accounts import Database
from gateway.core.ask import Clock
from gateway.core.checkup import Intervals
from gateway.core.counter import Counter, Outcome
from gateway.core.entrance import Entrance
from gateway.core.link import Parts
from gateway.core.passthrough import PROXY
from gateway.core.rounds import Around, Pace, Rounds
from gateway.core.trail import Change
from gateway.logs import where
from gateway.settings import Settings
from gateway.web.edge import Exchange

LAST_FLUSH_SECONDS = 2.0
AT_ONCE = 4

Log = Callable[[Exchange, str, BaseException | None], None]
Logger = structlog.typing.FilteringBoundLogger


@dataclass(frozen=True, slots=True)
class LifeParts:
    """What it shares with the rest of the gateway."""

    database: Database
    entrance: Entrance
    linking: Parts
    clock: Clock
    logger: Logger


def log_of_changes(logger: Logger) -> Callable[[Change], Awaitable[None]]:
    """Make what writes a line for each thing that has happened to an account or a key, when it is kept."""

    async def hear(change: Change) -> None:
        for fact in change.facts:
            said = "; ".join(
                f"{name}: {value if isinstance(value, str) else ' '.join(value)}"
                for name, value in fact.details.items()
            )
            who = f"{change.by.kind} {change.by.id}".strip()
            about = {"account": change.account_id} if change.account_id else {"key": change.key_id}
            logger.info(fact.what.value, **about, by=who, detail=said)

    return hear


def look_after(settings: Settings, stack: AsyncExitStack, parts: LifeParts) -> Counter:
    """Start what runs beside the requests, to be ended with the stack; give what counts them."""
    counter = Counter(parts.database.usage, parts.clock.now, [*(each.id for each in OPERATIONS), PROXY.id])
    stack.push_async_callback(_flush_last, counter)
    _beside(stack, _flush_often(counter, settings.life.flush_seconds))
    if settings.life.verify_idle_seconds > 0:
        _beside(stack, make_rounds(settings, parts).run())
    return counter


def make_rounds(settings: Settings, parts: LifeParts) -> Rounds:
    life, logger = settings.life, parts.logger
    intervals = Intervals(
        idle=life.verify_idle_seconds, used=life.verify_used_seconds, failed=life.verify_failed_seconds
    )
    around = Around(
        clock=parts.clock,
        wait=asyncio.sleep,
        undecided=lambda account, code: logger.debug("account not verified", account=account, error=code),
        failed=lambda error: logger.error("check failed", error=type(error).__name__, where=where(error)),
    )
    pace = Pace(intervals=intervals, at_once=AT_ONCE, pause=60 / life.verify_per_minute)
    return Rounds(parts.database.usage, parts.entrance, pace, parts.linking, around)


def counting(counter: Counter, log: Log) -> Log:
    """Make what counts each exchange before it is logged."""

    def count(exchange: Exchange, method: str, unexpected: BaseException | None) -> None:
        # What is passed through tells nothing of the token: the vendor's refusals are answers there.
        proven = exchange.upstream_calls > 0 and exchange.operation != PROXY.id
        outcome = Outcome(exchange.cache, exchange.error, proven)
        counter.count(exchange.operation, exchange.account_id, outcome)
        log(exchange, method, unexpected)

    return count


async def _flush_often(counter: Counter, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await counter.flush()


async def _flush_last(counter: Counter) -> None:
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
