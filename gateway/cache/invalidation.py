"""Telling all workers what has changed, so that none goes on with what it remembers."""

from collections.abc import Awaitable, Callable

from gateway.audit.events import ERASING, AuditEvent, AuditRecord
from gateway.model import Cache, Invalidation


def invalidation_listener(cache: Cache) -> Callable[[AuditRecord], Awaitable[None]]:
    """Make what tells all workers of a change of an account or a key; `Forgetting` tells of what is to be forgotten."""

    async def hear(change: AuditRecord) -> None:
        if change.account_id:
            if invalidation_of(change) is None:
                await cache.tell(Invalidation.ACCOUNT, change.account_id)
        elif change.key_id:
            await cache.tell(Invalidation.KEY, change.key_id)

    return hear


def invalidation_of(change: AuditRecord) -> Invalidation | None:
    """Tell what others have to forget after a change, if anything."""
    if change.has(AuditEvent.UNLINKED):
        return Invalidation.GONE
    return Invalidation.UNCACHED if any(change.has(what) for what in ERASING) else None
