"""Reads vendors' lists whole and uses each reading for many requests.

A list is read completely, page by page, however small the page is that a caller wants. Filters, joins and order are
applied here, so they need all rows; and pages that are read one by one while the list changes do not fit together. One
complete reading (a snapshot) serves all callers, fields and pages until it is no longer fresh.

Reading a list costs the customer's rate limit, so requests share it: those of one worker share a task, and among
workers a lease lets one of them read while the others wait for what it stores.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from math import inf

from connectors.spec import OWN_KEY, Collection, Row
from gateway.cache.freshness import Times, Use, Windows, judge, satisfies
from gateway.cache.singleflight import Lease, Leases, SingleFlight
from gateway.errors import BadRequest, DeadlineExceeded, GatewayError, RateLimited, VendorFailure
from gateway.unified.blocks import BLOCK
from gateway.unified.carried_lists import carry_over, may_be_carried
from gateway.unified.context import ListContext
from gateway.unified.delta_refresh import Delta, DeltaRefresher
from gateway.unified.demand import Demand
from gateway.unified.list_fetcher import ListFetcher
from gateway.unified.list_request import ListRequest
from gateway.unified.snapshot_store import CollectionSnapshot, SnapshotStore
from gateway.unified.vendor_facts import VendorFacts, refuses_query
from gateway.unified.vendor_page import readable_row
from gateway.upstream.vendor import VendorClient, VendorRefusal
from gateway.vendor_events.live import live_keys, live_until

JITTER = 0.1
"""Freshness is shortened by up to this part, so that lists read together do not all become stale together."""
REFUSED_QUERY = frozenset({400, 422})
"""Statuses with which a vendor refuses a query as such."""
UPSTREAM_FAILURES = (VendorFailure, RateLimited, DeadlineExceeded)
"""Failures that a stale answer may replace."""


@dataclass(frozen=True, slots=True)
class WebhookFreshness:
    """How long a resource is fresh if its changes are told, and since when no such message can have been missed.

    Both are in seconds, the latter since the epoch.
    """

    fresh: Callable[[str], float]
    since: Callable[[], float]


class Collections:
    """Returns snapshots of lists: from the cache while they may be used, else from the vendor."""

    def __init__(
        self,
        client: VendorClient,
        snapshots: SnapshotStore,
        flights: SingleFlight,
        leases: Leases,
        windows: Callable[[str], Windows],
        *,
        concurrency: int,
        whole_seconds: float = 0,
        webhooks: WebhookFreshness | None = None,
    ) -> None:
        """`windows` returns how long a resource may be used; `concurrency` is the pages of a list fetched at once.

        A list is refreshed by its changes for `whole_seconds` at most before it is read whole again. `webhooks` says
        how long a list is fresh whose changes are told by a vendor webhook; without it, none is fresh for longer.
        """
        self.snapshots = snapshots
        self.facts = VendorFacts(client.clock.monotonic)
        self._clock = client.clock
        self._flights = flights
        self._leases = leases
        self._windows = windows
        self._webhooks = webhooks or WebhookFreshness(lambda _: 0, lambda: inf)
        self._fetcher = ListFetcher(client, concurrency)
        self._demand = Demand(client.clock.monotonic)
        self._deltas = DeltaRefresher(client, snapshots, self.facts, whole_seconds)

    async def times(self, context: ListContext, resource: str) -> Times:
        """Returns the times of a reading of this resource that begins now.

        The windows of the configuration are shortened to the ceilings of the account, and extended where a live vendor
        webhook tells of every change.
        """
        ceilings, now, jitter = context.account.caching.ceilings, self._now, JITTER * self._clock.jitter()
        times = self._windows(resource).within(ceilings).begin(now, jitter)
        longer = min(self._webhooks.fresh(resource), ceilings.fresh) * (1 - jitter)
        # A reading that ignores the cache has not read the notes: it is fresh for the usual time.
        if now + longer <= times.fresh_until or not context.directives.may_read or not context.session.connector.events:
            return times
        notes = await context.cache.read(live_keys(context.cache, context.account))
        return times.extended(min(now + longer, live_until(notes, resource)))

    async def open(
        self, context: ListContext, collection: Collection, own_key: str = "", *, optional: bool = False
    ) -> CollectionSnapshot:
        """Returns a snapshot that is fresh enough for the request. Raises what asking the vendor raises.

        `own_key` is the id of the record that the list is about, if it is about one. An `optional` list that the vendor
        refuses (403, 404) is returned as a `refused` snapshot, which is stored too.
        """
        request = ListRequest.of(context, collection, own_key, optional=optional)
        snapshot = await self._open(context, request)
        if snapshot.storing is not None:
            context.storing.append(snapshot.storing)
        return snapshot

    async def peek(self, context: ListContext, collection: Collection) -> CollectionSnapshot | None:
        """Returns the snapshot of a whole list if it is cached and may be used now, else None.

        Never asks the vendor.
        """
        if not context.directives.may_read:
            return None
        found, use = await self._find(context, ListRequest.of(context, collection))
        return found if use in {Use.FRESH, Use.STALE} else None

    async def _open(self, context: ListContext, request: ListRequest) -> CollectionSnapshot:
        resources = [request.collection.resource]
        if not context.directives.may_read:
            if not context.directives.no_store:  # The new reading is stored, under the generations of its beginning.
                await context.cache.read_generations(resources)
            return await self._fetch(context, request)
        await context.cache.prefetch(request.cache_keys(), resources)
        found, use = await self._find(context, request)
        if found and use in {Use.FRESH, Use.STALE}:
            return found
        # Only requests that began after the same changes share a reading. Otherwise a request that begins after a
        # write could get a reading that began before it.
        since = context.cache.generations(resources) or context.invalidations
        flight = (request.pointer, since, request.optional)
        if found and use is Use.STALE_WHILE_REVALIDATE:
            self._flights.start(flight, lambda: self._lead(context.in_background(), request))
            return found
        try:
            snapshot, own = await self._flights.share(flight, lambda: self._lead(context, request))
        except UPSTREAM_FAILURES as failure:
            if found is None or use is not Use.STALE_IF_ERROR:
                raise
            return replace(found, failed=failure)
        # The shared reading may have begun long ago, and this request may accept only a younger one.
        if own or satisfies(snapshot.times, self._now, context.directives):
            return snapshot
        return await self._fetch(context, request)

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _find(
        self, context: ListContext, request: ListRequest, *, refresh: bool = False
    ) -> tuple[CollectionSnapshot | None, Use]:
        """Returns the newest snapshot in the cache, or None, and how the request may use it.

        With `refresh` the cache is asked again, even if it was asked at the beginning of the request.
        """
        found = await self.snapshots.find(context, request, refresh=refresh)
        if found is None and not refresh:
            found = await self._carry_over(context, request)
        if found is not None and found.times.webhook_from:
            found = replace(found, times=found.times.bounded(self._webhooks.since()))
        if found is None or (found.refused and not request.optional):
            return None, Use.UNUSABLE
        return found, judge(found.times, self._now, context.directives, revalidating=context.revalidating)

    async def _carry_over(self, context: ListContext, request: ListRequest) -> CollectionSnapshot | None:
        """Returns a list of today made of yesterday's, and begins to store it; None where those are not cached."""
        windows = self._windows(request.collection.resource)
        if not may_be_carried(request, self._now, windows.fresh + windows.stale_while_revalidate):
            return None

        async def carry() -> CollectionSnapshot | None:
            carried = await carry_over(context, request, self.snapshots)
            return carried and await self._make(context, request, carried[1], carried[0], refused=0)

        flight = ("carry", request.pointer, context.cache.generations([request.collection.resource]))
        found, _ = await self._flights.share(flight, carry)
        return found

    async def _lead(self, context: ListContext, request: ListRequest) -> CollectionSnapshot:
        """Fetches a list, unless another worker is fetching it: then waits for what that worker stores."""

        async def look() -> CollectionSnapshot | None:
            found, use = await self._find(replace(context, revalidating=True), request, refresh=True)
            return found if use is Use.FRESH else None

        # The generations are part of the key, so a request that begins after a change does not wait for a reading
        # that began before it.
        generations = context.cache.generations([request.collection.resource])
        key = context.cache.key("lease", sha256(request.pointer.encode() + generations).hexdigest()[:24])
        found, lease = await self._leases.take(key, context.request_id, look, context.session.deadline)
        if found is not None:
            return found
        snapshot = None
        try:
            snapshot = await self._fetch(context, request)
        finally:
            if lease is not None:
                # The lease is held until the list is stored, or the next worker would not find the list and would read
                # it again. A background task waits for that, so that this request need not.
                self._flights.start((key, context.request_id), partial(_release, lease, snapshot))
        return snapshot

    async def _fetch(self, context: ListContext, request: ListRequest) -> CollectionSnapshot:
        """Fetches a list from the vendor and begins to store it.

        A vendor may refuse the query of a narrowed list (400, 422). Then the whole list is read and filtered here, and
        the refusal is remembered for some hours, so that later readings do not try the query first.
        """
        whole = request.collection.whole
        if whole is not None and (
            await self.facts.has(context, refuses_query(request.collection))
            or self._is_wanted_whole(context, request, whole)
        ):
            return await self._filter(context, request, whole)
        times = await self.times(context, request.collection.resource)
        delta, snapshot = await self._refresh(context, request, times)
        if snapshot is not None:
            return snapshot
        if delta.basis is not None:
            times = await self.times(context, request.collection.resource)
        refused, rows = 0, list[Row]()
        try:
            rows = await self._fetcher.rows(context.session, request)
        except VendorRefusal as refusal:
            if refusal.status == 401 or not request.optional:
                raise
            refused = refusal.status
        except (VendorFailure, BadRequest) as error:
            if whole is None or not _refuses_query(error):
                raise
            snapshot = await self._filter(context, request, whole)
            await self.facts.add(context, refuses_query(request.collection))
            return snapshot
        if OWN_KEY not in request.collection.query.values() and not refused:
            pages = 1 + len(rows) // context.session.connector.paging.size
            self._demand.learn(context.account.id, request.collection, pages)
        return await self._make(context, request, times, await _belonging(request, rows), refused=refused, delta=delta)

    async def _refresh(
        self, context: ListContext, request: ListRequest, times: Times
    ) -> tuple[Delta, CollectionSnapshot | None]:
        """Returns what is known of a list's changes, and a snapshot made of them if that is all that is needed."""
        delta = await self._deltas.refresh(context, request)
        if delta.unchanged is not None:
            known = await self.snapshots.find_by_id(context.cache, delta.unchanged.snapshot)
            if known is not None:
                return delta, self._begin_storing(context, request, replace(known, times=times), (), delta)
            delta.unchanged = None  # Its snapshot was evicted.
        if delta.rows is not None:
            return delta, await self._make(context, request, times, delta.rows, delta=delta)
        return delta, None

    def _is_wanted_whole(self, context: ListContext, request: ListRequest, whole: Collection) -> bool:
        """Returns whether the list of one record is to be taken from the whole list, as many of them are wanted."""
        if OWN_KEY not in request.collection.query.values() or not context.directives.may_read:
            return False
        fresh = self._windows(whole.resource).within(context.account.caching.ceilings).fresh
        return self._demand.prefers_whole(context.account.id, whole, fresh)

    async def _filter(self, context: ListContext, request: ListRequest, whole: Collection) -> CollectionSnapshot:
        """Returns a narrowed list made of the rows of the whole one that belong to it."""

        async def read() -> CollectionSnapshot:
            return await self.open(context, whole, request.own_key, optional=request.optional)

        whole_request = ListRequest.of(context, whole, request.own_key, optional=request.optional)
        if context.directives.may_read:
            found = await read()
        else:
            # The cache may not be read, but several narrowed lists of one request share one reading of the whole list.
            found, _ = await self._flights.share((whole_request.pointer, context.request_id, request.optional), read)
        rows = await self.snapshots.rows(context.cache, found, 0)
        if rows is None:  # They were evicted after the snapshot was found.
            uncached = replace(context, directives=replace(context.directives, no_cache=True))
            found = await self._fetch(uncached, whole_request)
            rows = await self.snapshots.rows(context.cache, found, 0) or ()
        belonging = await _belonging(request, rows)
        if found.failed:
            return replace(found, total=len(belonging), rows=belonging)
        return await self._make(context, request, found.times, belonging, refused=found.refused)

    async def _make(
        self,
        context: ListContext,
        request: ListRequest,
        times: Times,
        rows: Sequence[Row],
        *,
        refused: int = 0,
        delta: Delta | None = None,
    ) -> CollectionSnapshot:
        """Returns a snapshot and begins to store it."""
        snapshot = await self.snapshots.make(context, request, times, rows, refused=refused)
        return self._begin_storing(context, request, snapshot, rows, delta)

    def _begin_storing(
        self,
        context: ListContext,
        request: ListRequest,
        snapshot: CollectionSnapshot,
        rows: Sequence[Row],
        delta: Delta | None,
    ) -> CollectionSnapshot:
        """Begins to store a snapshot with what its next refresh takes.

        The answer is composed meanwhile; its request waits for the storing at the end.
        """
        if context.directives.no_store:
            return snapshot

        async def store() -> None:
            await self.snapshots.store(context, request, snapshot)
            if delta is not None:
                await self._deltas.keep(context, request, snapshot, rows, delta)
                if delta.basis is not None and delta.unchanged is None and delta.rows is None:
                    key = ("audit", request.pointer, snapshot.id)
                    self._flights.start(key, lambda: self._deltas.audit(context, request, delta, rows))

        return replace(
            snapshot, storing=self._flights.start(("store", request.pointer, context.request_id, snapshot.id), store)
        )


async def _belonging(request: ListRequest, rows: Sequence[Row]) -> list[Row]:
    """Returns the rows that belong to a list. Other requests run between some rows and the next."""
    found: list[Row] = []
    for start in range(0, len(rows), BLOCK):
        found += request.belonging([readable_row(row) for row in rows[start : start + BLOCK]])
        await asyncio.sleep(0)
    return found


async def _release(lease: Lease, snapshot: CollectionSnapshot | None) -> None:
    """Waits until the snapshot is stored, and releases the lease."""
    try:
        if snapshot is not None and snapshot.storing is not None:
            await snapshot.storing
    finally:
        await lease.release()


def _refuses_query(error: GatewayError) -> bool:
    """Returns whether a failure says that the vendor does not accept the query."""
    return any(each.status in REFUSED_QUERY for each in error.provider_errors)
