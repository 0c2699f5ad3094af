"""Stored answers: in the worker's memory (local), then in Redis (shared), and how each may be used."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from weakref import ref

from gateway.cache.account_cache import AccountCache
from gateway.cache.entry import CacheEntry
from gateway.cache.freshness import Freshness, Use, judge
from gateway.cache.local import LocalCache
from gateway.errors import GatewayError
from gateway.model import Cache, ClientKey, Clock, LinkedAccount
from gateway.unified.call import FastPathTicket, Page
from gateway.unified.compose import ComposedAnswer
from gateway.unified.context import ReadContext
from gateway.unified.list_request import lookup_keys
from gateway.vendor_events.live import live_keys

SERVABLE = frozenset({Use.FRESH, Use.STALE, Use.STALE_WHILE_REVALIDATE})


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A stored answer, how the request may use it, and the cache it was in (`source`: `local` or `shared`)."""

    entry: CacheEntry
    use: Use
    source: str
    now: datetime

    @property
    def servable(self) -> bool:
        """Returns whether it may be sent as it is. If not, it may only replace a failure."""
        return self.use in SERVABLE

    def page(self, client_key: ClientKey, context: ReadContext, *, revalidating: bool) -> Page:
        """Returns the answer, with a ticket for the fast path."""
        detail = "revalidating" if revalidating else self.source
        ticket = FastPathTicket(client_key, ref(context.session.linked), context.account.id, context.answer)
        return Page(self.entry, Freshness(times=self.entry.times, now=self.now.timestamp(), detail=detail), 0, ticket)

    def instead_of(self, failure: Exception, now: float) -> Page:
        """Returns the stale answer that replaces a failure of the vendor (stale-if-error)."""
        failed = failure if isinstance(failure, GatewayError) else None
        fresh = Freshness(times=self.entry.times, now=now, forwarded="stale", failed=failed, detail="vendor-failed")
        return Page(self.entry, fresh, failed.upstream_calls if failed else 0)


class AnswerCache:
    """Looks answers up and stores them."""

    def __init__(
        self,
        shared: Cache,
        local: LocalCache,
        clock: Clock,
        max_value_bytes: int,
        receiving_since: Callable[[], float] = lambda: 0,
    ) -> None:
        """`receiving_since` returns since when no delivery of a vendor webhook can have been missed."""
        self._shared = shared
        self._local = local
        self._clock = clock
        self._max_value_bytes = max_value_bytes
        self._receiving_since = receiving_since

    def of(self, linked: LinkedAccount, request_id: str) -> AccountCache:
        """Returns a request's view of an account's entries in the shared cache."""
        return AccountCache(self._shared, linked, self._max_value_bytes, request_id)

    @property
    def local(self) -> LocalCache:
        """Returns the local cache."""
        return self._local

    def peek(self, ticket: FastPathTicket, now: float) -> CacheEntry | None:
        """Returns a fresh answer from the local cache, for the fast path; None where there is none."""
        entry = self._local.get(ticket.account_id, ticket.answer)
        return entry if entry is not None and now < entry.times.fresh_until else None

    async def lookup(self, context: ReadContext) -> CachedAnswer | None:
        """Returns the stored answer if the request may use it: from the local cache, else from Redis in one round trip.

        That round trip also reads the generations of all resources, and what is known of the lists that an answer would
        be made of, so that a miss needs no further trip before the vendor is asked.
        """
        if not context.directives.may_read:
            return None
        entry = self._local.get(context.account.id, context.answer)
        found = self._judge(context, entry, "local") if entry else None
        if found and found.servable:
            return found
        resources, key = context.plan.resources, context.cache.key("answer", context.answer)
        lists = lookup_keys(context, context.plan.collections, context.plan.joins)
        notes = live_keys(context.cache, context.account) if context.session.connector.events else ()
        await context.cache.prefetch([key, *lists, *notes], resources)
        [value] = await context.cache.read_current([key], resources)
        if value is None:
            return None
        entry = CacheEntry.read(value)
        entry.times = entry.times.bounded(self._receiving_since())
        self._local.put(context.account.id, context.answer, entry, context.began)
        return self._judge(context, entry, "shared")

    async def store(self, context: ReadContext, composed: ComposedAnswer) -> Page:
        """Returns the page of a new answer.

        Stores the answer, unless the request forbids it or an older snapshot replaces a failed reading.
        """
        entry = CacheEntry.of(composed.body, composed.times, composed.withheld)
        stored = False
        # An answer is stored with the generations of the plan's resources. If it were made of others too, a change of
        # those would not outdate it.
        if not context.directives.no_store and composed.failed is None and composed.used <= context.plan.resources:
            self._local.put(context.account.id, context.answer, entry, context.began)
            stored = await self._write(context, entry)
        if context.storing:
            await asyncio.wait(context.storing)
        fresh = Freshness(
            times=composed.times,
            now=self._clock.now().timestamp(),
            forwarded="stale" if composed.failed else _why_forwarded(context),
            failed=composed.failed,
            stored=stored,
            detail=_why_not_stored(context),
        )
        return Page(entry, fresh, context.session.calls)

    async def invalidate(self, context: ReadContext) -> None:
        """Makes all answers and lists of the plan's resources unusable."""
        if context.account.caching.keeps:
            await context.cache.invalidate(context.plan.resources)
            self._local.invalidate(context.account.id)

    def _judge(self, context: ReadContext, entry: CacheEntry, source: str) -> CachedAnswer | None:
        now = self._clock.now()
        use = judge(entry.times, now.timestamp(), context.directives)
        return None if use is Use.UNUSABLE else CachedAnswer(entry, use, source, now)

    async def _write(self, context: ReadContext, entry: CacheEntry) -> bool:
        seconds = int(entry.times.usable_until - self._clock.now().timestamp())
        key = context.cache.key("answer", context.answer)
        return await context.cache.write_current({key: entry.write()}, seconds, context.plan.resources)


def _why_not_stored(context: ReadContext) -> str:
    """Returns the detail for `Cache-Status` that says why the answer must not be stored, or the empty text."""
    if not context.directives.no_store:
        return ""
    if context.plan.query.raw:
        return "raw"
    return "no-store" if context.account.caching.keeps else "account"


def _why_forwarded(context: ReadContext) -> str:
    """Returns the reason of RFC 9211 why the vendor was asked; empty where it was not."""
    if context.session.calls == 0:
        return ""
    if context.directives.no_store:
        return "bypass"
    return "miss" if context.directives.may_read else "request"
