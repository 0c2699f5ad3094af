"""Telling all workers what has changed, so that none goes on with what it remembers."""

from collections.abc import Awaitable, Callable

from gateway.audit.events import ERASING, Change, What
from gateway.model import Cache, News


def telling(cache: Cache) -> Callable[[Change], Awaitable[None]]:
    """Make what tells all workers of a change of an account or a key; `Forgetting` tells of what is to be forgotten."""

    async def hear(change: Change) -> None:
        if change.account_id:
            if news_of(change) is None:
                await cache.tell(News.ACCOUNT, change.account_id)
        elif change.key_id:
            await cache.tell(News.KEY, change.key_id)

    return hear


def news_of(change: Change) -> News | None:
    """Tell what others have to forget after a change, if anything."""
    if change.has(What.UNLINKED):
        return News.GONE
    return News.UNCACHED if any(change.has(what) for what in ERASING) else None
