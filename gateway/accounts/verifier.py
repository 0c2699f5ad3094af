"""Verifies the tokens of accounts in the background: claims an account that is due, and does what its state asks for.

All workers do so at once; a claim is a lease in the database. An unclear answer of a vendor changes nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.accounts.link import Linker
from gateway.accounts.usage import Due, Usage
from gateway.accounts.verification import Intervals, NothingDue, StatusDue, TokenCheckDue, decide, wait_after_failure
from gateway.auth.authentication import Authenticator
from gateway.errors import Conflict, GatewayError
from gateway.model import AT_A_CHECK, Account, Clock
from gateway.observability.logs import Logger

LEASE_SECONDS = 600
"""Far longer than a check takes: after that its process is dead."""

Schedule = Callable[[str, datetime, int], Awaitable[None]]
"""Sets by account id when the account is due again, and how many checks in a row failed."""


class AccountVerifier:
    """Processes one account at a time; a `ClaimLoop` runs it."""

    def __init__(
        self,
        authenticator: Authenticator,
        linker: Linker,
        *,
        schedule: Schedule,
        intervals: Intervals,
        clock: Clock,
        logger: Logger,
    ) -> None:
        self._accounts = authenticator.accounts
        self._providers = authenticator.providers
        self._linker = linker
        self._schedule = schedule
        self._intervals = intervals
        self._clock = clock
        self._logger = logger

    async def process(self, due: Due) -> None:
        """Verifies a claimed account, or gives it the status that is known already. Raises `StoreUnavailable`."""
        try:
            await self._check(due.account, due.usage)
        except Conflict:
            """The account was changed or unlinked meanwhile: it is due again when the lease ends."""
        except GatewayError as error:
            await self._retry_later(due.account, due.usage, error)

    async def _check(self, account: Account, usage: Usage) -> None:
        decision = self._decide(account, usage)
        if isinstance(decision, TokenCheckDue):
            linked = await self._accounts.find_account(account.project_id, account.id)
            # An account that changed since the claim is due again when the lease ends.
            if linked is None or linked.account.revision != account.revision:
                return
            connector = self._providers[account.provider].connector
            verified = await self._linker.verify(connector, linked, AT_A_CHECK)
            account, usage = verified.account, replace(usage, verified_at=self._clock.now())
            decision = self._decide(account, usage)
        if isinstance(decision, StatusDue):
            await self._accounts.mark(
                account.id, decision.status, decision.reason, by=AT_A_CHECK, revision=account.revision
            )
            account = replace(account, status=decision.status, updated_at=self._clock.now())
            decision = self._decide(account, usage)
        if isinstance(decision, NothingDue):
            await self._schedule(account.id, decision.until, 0)

    def _decide(self, account: Account, usage: Usage) -> NothingDue | TokenCheckDue | StatusDue:
        known = account.provider in self._providers
        return decide(account, usage, self._clock.now(), self._intervals, has_connector=known)

    async def _retry_later(self, account: Account, usage: Usage, error: GatewayError) -> None:
        self._logger.debug("account not verified", account=account.id, error=error.code)
        failures = usage.failures + 1
        # Jitter, so that accounts that failed in one outage do not all come back in the same moment.
        wait = wait_after_failure(failures, error.retry_after) * (1 + self._clock.jitter() / 2)
        await self._schedule(account.id, self._clock.now() + timedelta(seconds=wait), failures)
