"""The state of one request that reads lists, from its beginning to its end."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Self

from gateway.cache.account_cache import AccountCache
from gateway.cache.freshness import Directives
from gateway.cache.local import ReadPoint
from gateway.model import Account
from gateway.unified.plan import ReadPlan
from gateway.upstream.vendor import VendorSession


@dataclass(frozen=True, slots=True, kw_only=True)
class ListContext:
    """A request for an account's lists: its calls to the vendor, its view of the cache, and the freshness it demands.

    A request that is `revalidating` runs in the background after a stale answer was sent, so it wants fresh lists.
    `invalidations` is a number that grows with each invalidation that this worker knows of; it is used where the shared
    cache is not available. `storing` are writes to the cache that this request has begun and not yet waited for.
    """

    session: VendorSession
    cache: AccountCache
    directives: Directives
    today: date
    request_id: str
    revalidating: bool = False
    invalidations: int = 0
    storing: "list[asyncio.Future[Any]]" = field(default_factory=list)

    @property
    def account(self) -> Account:
        """Returns the account of the request."""
        return self.session.linked.account

    def in_background(self) -> Self:
        """Returns the context of a background request, with calls of its own."""
        return replace(self, session=self.session.fresh(), storing=[])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadContext(ListContext):
    """A unified read.

    `answer` is the name of its answer in the caches, and `began` the point at which it began to read.
    """

    plan: ReadPlan
    answer: str
    began: ReadPoint

    @property
    def flight(self) -> Hashable:
        """Returns the single-flight key of the request. Equal requests share work that began after the same changes.

        `max_stale` is part of it, as it decides which stale lists the answer may be made of; and the day, as roles come
        into force by day.
        """
        generations = self.cache.generations(self.plan.resources)
        return self.account.id, self.answer, self.today, generations, self.invalidations, self.directives.max_stale

    def revalidation(self) -> Self:
        """Returns the context of the background request that replaces a stale answer."""
        return replace(self.in_background(), revalidating=True)
