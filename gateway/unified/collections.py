"""Vendors' lists, read whole and used for many requests.

A vendor's list is read completely, page by page, and not only as far as one caller's page reaches: filters, joins and
order are ours, and a page of a list that changes while it is read is true of nothing. One reading (a snapshot) then
serves all callers, fields and pages until it is no longer fresh.

Reading a list costs the customer's rate limit, so it is done once for all who want it: within a worker they share
one task, and among workers a lease lets one of them read while the others wait for what it stores.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256

from connectors.spec import Collection, Row
from gateway.cache.freshness import Times, Use, Windows, judge, satisfies
from gateway.cache.singleflight import Lease, Leases, SingleFlight
from gateway.errors import BadRequest, DeadlineExceeded, GatewayError, RateLimited, VendorFailure
from gateway.unified.context import ListContext
from gateway.unified.list_fetcher import ListFetcher
from gateway.unified.list_request import ListRequest
from gateway.unified.snapshot_store import CollectionSnapshot, SnapshotStore
from gateway.unified.vendor_facts import VendorFacts, refuses_query
from gateway.upstream.decoding import null_lost_columns
from gateway.upstream.vendor import VendorClient, VendorRefusal

JITTER = 0.1
"""Freshness is shortened by up to this part, so that lists which were read together do not end together."""
REFUSED_QUERY = frozenset({400, 422})
"""Statuses with which a vendor refuses a query as such."""
UPSTREAM_FAILURES = (VendorFailure, RateLimited, DeadlineExceeded)
"""Failures that a stale answer may replace."""


class Collections:
    """Opens lists: from the cache while they may be used, else from the vendor."""

    def __init__(
        self,
        client: VendorClient,
        snapshots: SnapshotStore,
        flights: SingleFlight,
        leases: Leases,
        windows: Callable[[str], Windows],
        concurrency: int,
    ) -> None:
        """`windows` returns how long a resource may be used; `concurrency` is the pages of a list fetched at once."""
        self.snapshots = snapshots
        self.facts = VendorFacts(client.clock.monotonic)
        self._clock = client.clock
        self._flights = flights
        self._leases = leases
        self._windows = windows
        self._fetcher = ListFetcher(client, concurrency)

    def times(self, context: ListContext, resource: str) -> Times:
        """Returns the times of a reading of this resource that begins now."""
        windows = self._windows(resource).within(context.account.caching.ceilings)
        return windows.begin(self._now, JITTER * self._clock.jitter())

    async def open(
        self, context: ListContext, collection: Collection, own_key: str = "", *, optional: bool = False
    ) -> CollectionSnapshot:
        """Returns a snapshot that is fresh enough for the request. Raises what asking the vendor raises.

        An `optional` list that the vendor refuses (403, 404) is a `refused` snapshot, which is stored too.
        """
        request = ListRequest.of(context, collection, own_key, optional=optional)
        snapshot = await self._open(context, request)
        if snapshot.storing is not None:
            context.storing.append(snapshot.storing)
        return snapshot

    async def peek(self, context: ListContext, collection: Collection) -> CollectionSnapshot | None:
        """Returns a whole list if it is cached and may be used as it is. The vendor is not asked."""
        if not context.directives.may_read:
            return None
        found, use = await self._find(context, ListRequest.of(context, collection))
        return found if use in {Use.FRESH, Use.STALE} else None

    async def _open(self, context: ListContext, request: ListRequest) -> CollectionSnapshot:
        resources = [request.collection.resource]
        if not context.directives.may_read:
            if not context.directives.no_store:
                await context.cache.read_generations(resources)
            return await self._fetch(context, request)
        await context.cache.prefetch(request.cache_keys(), resources)
        found, use = await self._find(context, request)
        if found and use in {Use.FRESH, Use.STALE}:
            return found
        # Only requests that began after the same changes share a reading: one from before a write is not for a
        # request that comes after it.
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
        # A reading that began long before this request may be older than this request accepts.
        if own or satisfies(snapshot.times, self._now, context.directives):
            return snapshot
        return await self._fetch(context, request)

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _find(
        self, context: ListContext, request: ListRequest, *, refresh: bool = False
    ) -> tuple[CollectionSnapshot | None, Use]:
        found = await self.snapshots.find(context, request, refresh=refresh)
        if found is None or (found.refused and not request.optional):
            return None, Use.UNUSABLE
        return found, judge(found.times, self._now, context.directives, revalidating=context.revalidating)

    async def _lead(self, context: ListContext, request: ListRequest) -> CollectionSnapshot:
        """Fetches a list, unless another worker does: then waits for what it stores."""

        async def look() -> CollectionSnapshot | None:
            found, use = await self._find(replace(context, revalidating=True), request, refresh=True)
            return found if use is Use.FRESH else None

        # The generations are part of the name: who begins after a change does not wait for a reading from before.
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
                # Held until the list is stored, or the next worker would not find it and read it again. The request
                # itself need not wait for that.
                self._flights.start((key, context.request_id), partial(_release, lease, snapshot))
        return snapshot

    async def _fetch(self, context: ListContext, request: ListRequest) -> CollectionSnapshot:
        """Fetches a list from the vendor and begins to store it.

        Where the vendor refuses the query, the list is filtered here from the whole one. The refusal is remembered
        for some hours, so that the call is not made before each reading.
        """
        whole = request.collection.whole
        if whole is not None and await self.facts.has(context, refuses_query(request.collection)):
            return await self._filter(context, request, whole)
        times = self.times(context, request.collection.resource)
        refused, rows = 0, list[Row]()
        try:
            rows = [null_lost_columns(row) for row in await self._fetcher.rows(context.session, request)]
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
        return await self._make(context, request, times, request.belonging(rows), refused=refused)

    async def _filter(self, context: ListContext, request: ListRequest, whole: Collection) -> CollectionSnapshot:
        """Makes a narrowed list of the rows of the whole one that belong to it."""

        async def read() -> CollectionSnapshot:
            return await self.open(context, whole, request.own_key, optional=request.optional)

        whole_request = ListRequest.of(context, whole, request.own_key, optional=request.optional)
        if context.directives.may_read:
            found = await read()
        else:
            # Several narrowed lists of one request share one reading of the whole list.
            found, _ = await self._flights.share((whole_request.pointer, context.request_id, request.optional), read)
        rows = await self.snapshots.rows(context.cache, found, 0)
        if rows is None:  # Evicted since.
            found = await self._fetch(context, whole_request)
            rows = found.rows or ()
        belonging = request.belonging(list(rows))
        if found.failed:
            return replace(found, total=len(belonging), rows=belonging)
        return await self._make(context, request, found.times, belonging, refused=found.refused)

    async def _make(
        self, context: ListContext, request: ListRequest, times: Times, rows: list[Row], *, refused: int
    ) -> CollectionSnapshot:
        """Makes a snapshot and begins to store it. The answer is composed meanwhile, and waits for it at the end."""
        snapshot, blocks = await self.snapshots.make(context, request, times, rows, refused=refused)
        if context.directives.no_store:
            return snapshot
        key = ("store", request.pointer, context.request_id, snapshot.id)
        storing = self._flights.start(key, lambda: self.snapshots.store(context, request, snapshot, blocks))
        return replace(snapshot, storing=storing)


async def _release(lease: Lease, snapshot: CollectionSnapshot | None) -> None:
    try:
        if snapshot is not None and snapshot.storing is not None:
            await snapshot.storing
    finally:
        await lease.release()


def _refuses_query(error: GatewayError) -> bool:
    return any(each.status in REFUSED_QUERY for each in error.provider_errors)
