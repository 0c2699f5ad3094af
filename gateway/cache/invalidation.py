"""Telling all workers what has changed, so that none goes on with what it remembers."""

from collections.abc import Awaitable, Callable

from gateway.accounts.unlink import news_of
from gateway.audit.events import Change
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
