"""All that forgets an account, in one list and in its order.

Whoever unlinks an account runs it: the API, the dashboard, the command line, and each process that hears of it from
another one. Who switches the caching of an account off runs the part of it that is about what is kept.

1. The directory: the webhook at the vendor first, as that takes the credential; then in one transaction the account,
   its credential and data key, and the connect sessions of its owner. Switching caching off makes a new data key.
2. The memory of this process, in the order of `PURGE_ORDER`.
3. The other processes are told, so that they forget as well, before
4. the shared cache is swept: what is kept there before that is found.

Who cannot be told reads it in the audit trail, and the sweep is made again when what was under way has ended:
`core/aftermath`.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from gateway.audit.events import AuditRecord
from gateway.cache.invalidation import invalidation_of
from gateway.errors import NotFound
from gateway.model import GATEWAY, Account, Actor, Cache, Invalidation, Ledger


class PurgeTarget(StrEnum):
    """What a process holds of accounts in its memory."""

    TOMBSTONE = "tombstone"
    """That the account is gone, so that nothing is put under its id any more."""
    MEMO = "memo"
    """Its record and its opened credential."""
    ANSWERS = "answers"
    LISTS = "lists"
    """Rows of the vendor's, decoded."""


PURGE_ORDER: Mapping[PurgeTarget, frozenset[Invalidation]] = {
    PurgeTarget.TOMBSTONE: frozenset({Invalidation.GONE}),
    PurgeTarget.MEMO: frozenset({Invalidation.GONE, Invalidation.UNCACHED}),
    PurgeTarget.ANSWERS: frozenset({Invalidation.GONE, Invalidation.UNCACHED}),
    PurgeTarget.LISTS: frozenset({Invalidation.GONE, Invalidation.UNCACHED}),
}
"""By place, in order, what has an account forgotten there. The tombstone is first: nothing is put back behind it."""


class AccountPurge:
    """The list as one process runs it. Each part that holds something of accounts says so by `holds`."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._held: dict[PurgeTarget, Callable[[str], None]] = {}

    def holds(self, place: PurgeTarget, forget: Callable[[str], None]) -> None:
        """Have an account forgotten in a place of this process by `forget`."""
        self._held[place] = forget

    def here(self, news: Invalidation, account_id: str) -> None:
        """Forget an account in the memory of this process."""
        for place, wanted in PURGE_ORDER.items():
            if news in wanted and place in self._held:
                self._held[place](account_id)

    async def sweep(self, account_id: str) -> bool:
        """Drop what the shared cache keeps of an account; False where it could not be reached."""
        return await self._cache.purge(account_id)

    async def hear(self, change: AuditRecord) -> None:
        """Forget an account that this process has just unlinked, or whose caching it has switched off."""
        news = invalidation_of(change)
        if news is not None and change.account_id:
            self.here(news, change.account_id)
            await self._cache.publish(news, change.account_id)
            await self.sweep(change.account_id)


async def unlink(project_id: str, account_id: str, ledger: Ledger, by: Actor = GATEWAY) -> Account:
    """Delete an account. Who hears the ledger's changes (`AccountPurge.hear`) forgets it in this very call."""
    account = await ledger.unlink(project_id, account_id, by)
    if account is None:
        raise NotFound(f"there is no linked account {account_id} in this project")
    return account
