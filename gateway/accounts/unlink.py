"""Unlinks accounts. `PURGE_ORDER` is the one list of everything that the gateway has of an account.

Every way to unlink (API, dashboard, command line) calls `unlink`, which deletes the account in the database. The same
call runs `AccountPurge.on_change`: it purges the memory of this process, tells the other workers, and purges Redis.
A message to the workers may be lost, and the command line cannot reach a gateway's private Redis. So every process
also reads the audit log several times a second (`UnlinkPoll`), and does its part of the list by itself.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.accounts.purge_store import PendingPurge, PurgeStore
from gateway.accounts.store import AccountStore
from gateway.audit.events import AuditRecord
from gateway.cache.invalidation import invalidation_of
from gateway.errors import NotFound, StoreUnavailable
from gateway.model import GATEWAY, Account, Actor, Cache, Invalidation

OVERLAP = 1000
"""So many audit rows are read again: a row may become visible after one with a higher number."""
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0
CONCURRENCY = 50


class PurgePlace(StrEnum):
    """Everything that has something of an account."""

    VENDOR_WEBHOOK = "webhook at the vendor"
    """First, as deleting it takes the credential (`app/vendor_events.py`)."""
    ROWS = "rows of the database"
    """In one transaction with the audit row: the account, its credential and data key, usage, watches, idempotency
    records and vendor webhook; the open connect sessions of its owner; payloads of ended deliveries, while
    one that is pending loses its payload when it ends (`app/stores.py`, `webhooks/outbox_store.py`)."""
    TOMBSTONE = "tombstone"
    """Refuses to store anything more for the account. Before the rest, as requests under way still hold it."""
    MEMO = "memo"
    """The account's record with its credential, which each process remembers for a few seconds."""
    LOCAL_ANSWERS = "local answers"
    DECODED_LISTS = "decoded lists"
    OTHER_WORKERS = "other workers"
    """They purge their memory before Redis is purged, so that what they were about to store there is purged too."""
    REDIS = "Redis keys"
    """Purged again once the requests under way have ended, and until it works."""
    FILES = "database files"
    """Deleted rows in SQLite's journal and PostgreSQL's pages, as soon as no reader needs them
    (`accounts/purge_store.py`)."""


class PurgeScope(StrEnum):
    """Who purges a place."""

    UNLINK = "unlink"
    """The call that unlinks, as part of deleting the account."""
    PROCESS = "process"
    """Every process, in its own memory."""
    SHARED = "shared"
    """Any process; several may do so at once."""


PURGE_ORDER: Mapping[PurgePlace, PurgeScope] = {
    PurgePlace.VENDOR_WEBHOOK: PurgeScope.UNLINK,
    PurgePlace.ROWS: PurgeScope.UNLINK,
    PurgePlace.TOMBSTONE: PurgeScope.PROCESS,
    PurgePlace.MEMO: PurgeScope.PROCESS,
    PurgePlace.LOCAL_ANSWERS: PurgeScope.PROCESS,
    PurgePlace.DECODED_LISTS: PurgeScope.PROCESS,
    PurgePlace.OTHER_WORKERS: PurgeScope.SHARED,
    PurgePlace.REDIS: PurgeScope.SHARED,
    PurgePlace.FILES: PurgeScope.SHARED,
}
"""All places, in the order in which they are purged."""

UNLINKED_ONLY = frozenset({PurgePlace.TOMBSTONE})
"""Places that are not purged when the caching of an account is switched off: it may be switched on again."""


async def unlink(project_id: str, account_id: str, accounts: AccountStore, by: Actor = GATEWAY) -> Account:
    """Deletes an account and returns what it was. Raises `NotFound`."""
    account = await accounts.unlink(project_id, account_id, by)
    if account is None:
        raise NotFound(f"there is no linked account {account_id} in this project")
    return account


class AccountPurge:
    """Purges an account from the memory of this process and from the shared cache.

    Each part of the process that holds something of accounts registers a function for its place.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._places: dict[PurgePlace, Callable[[str], None]] = {}

    def register(self, place: PurgePlace, purge: Callable[[str], None]) -> None:
        """Registers what purges an account id from a place of this process."""
        self._places[place] = purge

    def purge_local(self, invalidation: Invalidation, account_id: str) -> None:
        """Purges the memory of this process, in the order of `PURGE_ORDER`."""
        for place in PURGE_ORDER:
            if place in self._places and (invalidation is Invalidation.GONE or place not in UNLINKED_ONLY):
                self._places[place](account_id)

    async def purge_shared(self, account_id: str) -> bool:
        """Purges the shared cache; False where it could not be reached."""
        return await self._cache.purge(account_id)

    async def on_change(self, change: AuditRecord) -> None:
        """Purges an account that this process has just unlinked, or whose caching it has switched off."""
        invalidation = invalidation_of(change)
        if invalidation is not None and change.account_id:
            self.purge_local(invalidation, change.account_id)
            await self._cache.publish(invalidation, change.account_id)
            await self.purge_shared(change.account_id)


# --- unlinks by other processes ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _ScheduledPurge:
    """A purge of the shared cache that is due at a moment; after the `last` one the row is done."""

    due: float
    pending: PendingPurge
    last: bool
    retry_seconds: float = FIRST_RETRY_SECONDS


class UnlinkPoll:
    """Finds new rows in the audit log; purges this process's memory at once, and the shared cache until that works.

    The shared cache is purged again after each of `repeat_seconds`: another process may have stored something before it
    knew of the unlink.
    """

    def __init__(
        self,
        purges: PurgeStore,
        purge: AccountPurge,
        *,
        repeat_seconds: tuple[float, ...],
        monotonic: Callable[[], float],
    ) -> None:
        self._purges = purges
        self._purge = purge
        self._delays = (0.0, *repeat_seconds)
        self._monotonic = monotonic
        self._newest = -1
        self._seen: set[int] = set()
        self._scheduled: list[_ScheduledPurge] = []

    async def poll(self) -> None:
        """Purges accounts that were unlinked since the last call, and repeats the purges that are due."""
        try:
            found = await self._find_new()
        except StoreUnavailable:
            # The next call finds it. Repeated purges need no database.
            found = ()
        now = self._monotonic()
        for pending in found:
            self._purge.purge_local(pending.invalidation, pending.account_id)
            self._scheduled += [
                _ScheduledPurge(now + delay, pending, delay == self._delays[-1]) for delay in self._delays
            ]
        due = [each for each in self._scheduled if each.due <= now]
        self._scheduled = [each for each in self._scheduled if each.due > now]
        # One purge serves all that are due for the same account.
        accounts = sorted({each.pending.account_id for each in due})
        worked: dict[str, bool] = {}
        for start in range(0, len(accounts), CONCURRENCY):
            some = accounts[start : start + CONCURRENCY]
            worked |= zip(some, await asyncio.gather(*map(self._purge.purge_shared, some)), strict=True)
        for each in due:
            await self._finish(each, worked=worked[each.pending.account_id], now=now)

    async def _finish(self, purge: _ScheduledPurge, *, worked: bool, now: float) -> None:
        if worked and not purge.last:
            return
        if worked:
            pending = purge.pending
            try:
                # A request that was under way at the first purge may have put something into memory since.
                self._purge.purge_local(pending.invalidation, pending.account_id)
                await self._purges.finish(pending.row)
            except StoreUnavailable:
                worked = False
        if not worked:
            retry = min(LONGEST_RETRY_SECONDS, purge.retry_seconds * 2)
            self._scheduled.append(replace(purge, due=now + purge.retry_seconds, retry_seconds=retry))

    async def _find_new(self) -> Sequence[PendingPurge]:
        if self._newest < 0:
            newest = await self._purges.newest_row()
            # A process that ended before its last purge had worked leaves it to the next one.
            left = await self._purges.unfinished()
            found = await self._purges.since(newest - OVERLAP)
            # Rows that were written after `newest` was read are new in the next call.
            self._seen = {each.row for each in (*left, *found) if each.row <= newest or each in left}
            self._newest = newest
            return left
        found = await self._purges.since(self._newest - OVERLAP)
        new = [each for each in found if each.row not in self._seen]
        self._seen = {each.row for each in found}
        self._newest = max([self._newest, *self._seen])
        return new
