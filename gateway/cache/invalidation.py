"""Announces changes of accounts and keys to all workers, which then drop what they have cached of them."""

from collections.abc import Awaitable, Callable

from gateway.audit.events import PURGING, AuditEvent, AuditRecord
from gateway.model import Cache, Invalidation


def invalidation_listener(cache: Cache) -> Callable[[AuditRecord], Awaitable[None]]:
    """Returns an audit listener that announces each change of an account or key to all workers.

    Changes that purge an account are left out, since `AccountPurge` announces them.
    """

    async def announce(change: AuditRecord) -> None:
        if change.account_id:
            if invalidation_of(change) is None:
                await cache.publish(Invalidation.ACCOUNT, change.account_id)
        elif change.key_id:
            await cache.publish(Invalidation.KEY, change.key_id)

    return announce


def invalidation_of(change: AuditRecord) -> Invalidation | None:
    """Returns the purge that a change demands of all workers, or None."""
    if change.has(AuditEvent.UNLINKED):
        return Invalidation.GONE
    return Invalidation.UNCACHED if any(change.has(what) for what in PURGING) else None
