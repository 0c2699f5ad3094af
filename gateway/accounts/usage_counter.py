"""Counts the calls of each account in memory, so that no request waits for the database to count it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime

from gateway.accounts.token_rejection import INVALID_CREDENTIALS
from gateway.accounts.usage import UsageCounts
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
COUNTED_ERRORS = frozenset({INVALID_CREDENTIALS, *(error.code for error in _VENDOR)})
"""Codes of errors that follow only once key and account were found: guessed account ids are not counted."""

AddCounts = Callable[[Mapping[str, UsageCounts], datetime], Awaitable[None]]
"""Adds counts by account id to the database. Raises `StoreUnavailable`."""


class UsageCounter:
    """Counts in memory until `flush`.

    `operations` are the ids of those that are counted: calls that read or write an account's data.
    """

    def __init__(self, add: AddCounts, now: Callable[[], datetime], operations: Collection[str]) -> None:
        self._add = add
        self._now = now
        self._operations = frozenset(operations)
        self._counts: dict[str, UsageCounts] = {}

    def count(self, operation: str, account_id: str, cache: str, error: str, *, proven: bool) -> None:
        """Counts one call by its cache status, its error code, and whether the vendor served it.

        Every request runs this, so it does not even read the clock: the next flush gives the time.
        """
        if operation not in self._operations or not account_id or (error and error not in COUNTED_ERRORS):
            return
        counts = self._counts.get(account_id)
        if counts is None:
            counts = self._counts[account_id] = UsageCounts()
        if error:
            counts.errors += 1
            counts.error_code = error
        elif cache in HITS:
            counts.hits += 1
        elif cache:
            counts.misses += 1
        if proven and not error:
            counts.proven = True

    async def flush(self) -> None:
        """Adds the counts to the database, or keeps them for the next flush if it is away."""
        counted, self._counts = self._counts, {}
        if not counted:
            return
        try:
            await self._add(counted, self._now())
        except StoreUnavailable:
            for account_id, later in self._counts.items():
                counted.setdefault(account_id, UsageCounts()).add(later)
            self._counts = counted
