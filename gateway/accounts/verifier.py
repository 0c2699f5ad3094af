"""The rounds of a worker through the accounts: it takes one at a time that is due, and does what is due for it.

Any number of workers make their rounds at once. What a vendor does not say clearly changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from gateway.accounts.link import LinkContext, verify
from gateway.accounts.usage import Due, Usage
from gateway.accounts.verification import Enter, Intervals, Verify, Wait, decide, wait_after_failure
from gateway.auth.authentication import Authenticator
from gateway.errors import Conflict, GatewayError, StoreUnavailable
from gateway.model import AT_A_CHECK, Account, Clock

LEASE_SECONDS = 600
"""A check that has not ended after so long never will: its process is gone."""
LONGEST_LULL = 30.0
"""Seconds between two looks for accounts that are due, when there are none; less where the intervals are short."""


class Checks(Protocol):
    """The database, as the rounds need it."""

    async def claim(self, now: datetime, until: datetime) -> Due | None:
        """Take the account that has been due for longest; nobody else gets it before `until`."""

    async def schedule(self, account_id: str, at: datetime, failures: int) -> None:
        """Set when to look at an account again, and how often in a row it told nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`at_once` accounts at most are being looked at, and no more than one is taken every `pause` seconds."""

    intervals: Intervals
    at_once: int
    pause: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Time, and ears: `undecided` hears which account's vendor told nothing, and why; `failed` of what nobody expects.

    `wait` sleeps.
    """

    clock: Clock
    wait: Callable[[float], Awaitable[None]]
    undecided: Callable[[str, str], None]
    failed: Callable[[BaseException], None]


class AccountVerifier:
    def __init__(
        self, checks: Checks, authenticator: Authenticator, pace: Pace, parts: LinkContext, around: Around
    ) -> None:
        self._checks = checks
        self._accounts = authenticator.accounts
        self._providers = authenticator.providers
        self._pace = pace
        self._parts = parts
        self._around = around
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Make rounds until cancelled. A database that is away is tried again, and nothing ends it."""
        slots = asyncio.Semaphore(self._pace.at_once)
        lull = min(LONGEST_LULL, self._pace.intervals.idle / 10)
        try:
            while True:
                # The pause comes first: of workers that are started over and over none asks a vendor each time.
                await self._around.wait(lull / self._spread())
                while await self._take(slots):
                    await self._around.wait(self._pace.pause * self._spread())
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def step(self) -> bool:
        """Take one account that is due and do what is due; False where there is none."""
        due = await self._claim()
        if due is not None:
            await self._attend(due)
        return due is not None

    async def _take(self, slots: asyncio.Semaphore) -> bool:
        await slots.acquire()
        due = None
        try:
            due = await self._claim()
        except StoreUnavailable:
            """The database says so itself, at each request."""
        except Exception as error:  # noqa: BLE001 - the rounds go on
            self._around.failed(error)
        finally:
            if due is None:
                slots.release()
        if due is None:
            return False
        task = asyncio.ensure_future(self._attend(due))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(lambda _: slots.release())
        return True

    async def _claim(self) -> Due | None:
        now = self._around.clock.now()
        return await self._checks.claim(now, now + timedelta(seconds=LEASE_SECONDS))

    async def _attend(self, due: Due) -> None:
        account, usage = due.account, due.usage
        try:
            try:
                await self._do(account, usage)
            except Conflict:
                """It was changed or unlinked meanwhile: it is looked at again when the lease ends."""
            except GatewayError as error:
                await self._tell_nothing(account, usage, error)
        except StoreUnavailable:
            """The lease ends, and somebody tries again."""
        except Exception as error:  # noqa: BLE001 - the rounds go on
            self._around.failed(error)

    async def _do(self, account: Account, usage: Usage) -> None:
        decision = self._decide(account, usage)
        if isinstance(decision, Verify):
            linked = await self._accounts.find_account(account.project_id, account.id)
            if linked is None or linked.account.revision != account.revision:
                return
            checked = await verify(self._providers[account.provider].connector, linked, self._parts, AT_A_CHECK)
            account, usage = checked.account, replace(usage, verified_at=self._around.clock.now())
            decision = self._decide(account, usage)
        if isinstance(decision, Enter):
            await self._accounts.mark(
                account.id, decision.status, decision.reason, by=AT_A_CHECK, revision=account.revision
            )
            account = replace(account, status=decision.status, updated_at=self._around.clock.now())
            decision = self._decide(account, usage)
        if isinstance(decision, Wait):
            await self._checks.schedule(account.id, decision.until, 0)

    def _decide(self, account: Account, usage: Usage) -> Wait | Verify | Enter:
        known, now = account.provider in self._providers, self._around.clock.now()
        return decide(account, usage, now, self._pace.intervals, has_connector=known)

    async def _tell_nothing(self, account: Account, usage: Usage, error: GatewayError) -> None:
        failures = usage.failures + 1
        self._around.undecided(account.id, error.code)
        wait = wait_after_failure(failures, error.retry_after) * self._spread()
        await self._checks.schedule(account.id, self._around.clock.now() + timedelta(seconds=wait), failures)

    def _spread(self) -> float:
        """Give a factor from one to one and a half, so that workers do not keep step."""
        return 1 + self._around.clock.jitter() / 2
