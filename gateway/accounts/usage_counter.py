"""Counts the calls of each account in memory, so that a request never waits for it."""

from collections.abc import Callable, Collection
from datetime import datetime

from gateway.accounts.token_rejection import INVALID_CREDENTIALS
from gateway.accounts.usage import Tallies, UsageCounts
from gateway.errors import (
    AccountUnavailable,
    DeadlineExceeded,
    RateLimited,
    StoreUnavailable,
    VendorAnswerTooLarge,
    VendorFailure,
)

HITS = frozenset({"hit", "stale"})
_VENDOR = (DeadlineExceeded, RateLimited, VendorFailure, VendorAnswerTooLarge, AccountUnavailable)
OF_THE_ACCOUNT = frozenset({INVALID_CREDENTIALS, *(error.code for error in _VENDOR)})
"""Codes of errors that only a call gets whose key and account were found: whoever guesses ids is not counted."""


class UsageCounter:
    """Adds what it has counted to the database when it is told to.

    `operations` are those that are counted: the calls for an account, and not those about it.
    """

    def __init__(self, tallies: Tallies, now: Callable[[], datetime], operations: Collection[str]) -> None:
        self._tallies = tallies
        self._now = now
        self._operations = frozenset(operations)
        self._counts: dict[str, UsageCounts] = {}

    def count(self, operation: str, account_id: str, cache: str, error: str, *, proven: bool) -> None:
        """Count one call by the word for what the cache did, the code of its error, and whether the vendor served it.

        It is on every request's way, so it does no more than it must: moments are those of the next flush.
        """
        if operation not in self._operations or not account_id or (error and error not in OF_THE_ACCOUNT):
            return
        tally = self._counts.get(account_id)
        if tally is None:
            tally = self._counts[account_id] = UsageCounts()
        if error:
            tally.errors += 1
            tally.error_code = error
        elif cache in HITS:
            tally.hits += 1
        elif cache:
            tally.misses += 1
        if proven and not error:
            tally.proven = True

    async def flush(self) -> None:
        """Add what was counted; what cannot be added now is kept for the next time."""
        counted, self._counts = self._counts, {}
        if not counted:
            return
        try:
            await self._tallies.add(counted, self._now())
        except StoreUnavailable:
            for account_id, later in self._counts.items():
                counted.setdefault(account_id, UsageCounts()).join(later)
            self._counts = counted
