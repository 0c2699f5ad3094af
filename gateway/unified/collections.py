"""Vendor lists, fetched whole and kept for a while.

A sweep is one complete reading of a list. It is kept in blocks, so that a caller's small pages are slices of what
was fetched once; a walk holds on to its sweep by id, so that all its pages come from the same reading. The id is a
digest of the rows: a list that has not changed is the same sweep when it is read again, and the answers made from it
are the same bytes.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from hashlib import blake2b, sha256
from urllib.parse import quote

import orjson

from connectors.spec import OWN_KEY, Collection, Row
from gateway.cache.account_cache import AccountCache
from gateway.cache.compression import pack, unpack
from gateway.cache.freshness import Directives, Times, Use, Windows, judge, takes
from gateway.cache.singleflight import Leases, SingleFlight
from gateway.errors import BadRequest, DeadlineExceeded, GatewayError, RateLimited, VendorFailure
from gateway.model import Ceilings, Clock
from gateway.unified.decoded import DecodedList, DecodedListCache
from gateway.unified.list_fetcher import ListFetcher, ListRequest, filled, sifted
from gateway.unified.vendor_facts import VendorFacts
from gateway.upstream.decoding import encode_rows, mended, settled
from gateway.upstream.vendor import VendorClient, VendorRefusal, VendorSession

BLOCK = 250
JITTER = 0.1
"""By so much at most freshness is cut short, so that what was read together does not end together."""
UNACCEPTED = frozenset({400, 422})
"""Answers to a query that a vendor does not take."""
PASSING = (VendorFailure, RateLimited, DeadlineExceeded)
"""Failures that a stale answer may stand in for."""


@dataclass(frozen=True, slots=True)
class CollectionSnapshot:
    """A complete reading of a list.

    `rows` is set while the sweep is in hand, else its blocks are read from the shelf. `refused` is the status with
    which the vendor does not give the list to this token, or 0. `failed` is the error that this older reading stands
    in for.
    """

    id: str
    times: Times
    total: int
    refused: int = 0
    rows: Sequence[Row] | None = None
    failed: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """How long sweeps are kept: windows for each resource, and seconds that a walk may hold on to one.

    `key` goes into their ids, which callers see in cursors: without it an id would tell who guesses the rows.
    """

    windows: Mapping[str, Windows]
    default: Windows
    held: int
    key: bytes = field(repr=False)

    def of(self, resource: str) -> Windows:
        return self.windows.get(resource, self.default)


@dataclass(frozen=True, slots=True)
class ReadContext:
    """One request's way to lists: its conversation, its account's shelf, and what of the shelf it may use.

    `settled` marks the reading behind a stale answer: it wants fresh lists. `changes` is a number that grows with
    each change of the account that this worker knows of, for when the shelf cannot tell.
    """

    session: VendorSession
    account_cache: AccountCache
    directives: Directives
    today: date
    ceilings: Ceilings
    new_id: str
    settled: bool = False
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Sharing:
    """What makes one reading serve many: flights within a worker, leases among workers, lists that are open."""

    flights: SingleFlight
    leases: Leases
    lists: DecodedListCache


class Collections:
    """Opens lists: from the shelf while they may be used, else from the vendor.

    `side_by_side` pages are fetched at once.
    """

    def __init__(self, asker: VendorClient, keeping: Retention, sharing: "Sharing", side_by_side: int) -> None:
        self._asker = asker
        self._clock: Clock = asker.clock
        self._keeping = keeping
        self._flights, self._leases, self._lists = sharing.flights, sharing.leases, sharing.lists
        self._fetcher = ListFetcher(asker, side_by_side)
        self._learned = VendorFacts(asker.clock.monotonic)

    def begin(self, reading: ReadContext, resource: str) -> Times:
        """Give the times of a reading of this resource that is made now."""
        windows = self._keeping.of(resource).within(reading.ceilings)
        return windows.begin(self._clock.now().timestamp(), JITTER * self._clock.jitter())

    async def open(
        self, reading: ReadContext, collection: Collection, own_key: str = "", *, optional: bool = False
    ) -> CollectionSnapshot:
        """Give a sweep that is fresh enough for the request. Raises what asking raises.

        An `optional` list that the vendor refuses (403, 404) is a `refused` sweep, and that is remembered too.
        """
        wanted = _wanted(reading, collection, own_key, optional=optional)
        if not reading.directives.may_read:
            if not reading.directives.no_store:
                await reading.account_cache.note_generations([collection.resource])
            return await self._fetch(reading, wanted)
        found, use = await self._kept(reading, wanted)
        if found and use in {Use.FRESH, Use.STALE}:
            return found
        # Begun after the same changes: what was asked before a write is not for who asks after it.
        since = reading.account_cache.mark([collection.resource]) or reading.changes
        flight = (wanted.pointer, since, optional)
        if found and use is Use.MEANWHILE:
            self._flights.start(flight, lambda: self._lead(replace(reading, session=reading.session.again()), wanted))
            return found
        try:
            sweep, mine = await self._flights.share(flight, lambda: self._lead(reading, wanted))
        except PASSING as error:
            if found is None or use is not Use.ON_ERROR:
                raise
            return replace(found, failed=error)
        # A flight that had begun long before may have brought what this request finds too old.
        if not mine and not takes(sweep.times, self._now, reading.directives):
            return await self._fetch(reading, wanted)
        return sweep

    async def peek(self, reading: ReadContext, collection: Collection) -> CollectionSnapshot | None:
        """Give a whole list if it is kept and may be used as it is. The vendor is not asked."""
        if not reading.directives.may_read:
            return None
        found, use = await self._kept(reading, _wanted(reading, collection, "", optional=False))
        return found if use in {Use.FRESH, Use.STALE} else None

    async def has_learned(self, reading: ReadContext, fact: str) -> bool:
        return await self._learned.has(reading.account_cache, reading.session.linked, fact)

    async def learn(self, reading: ReadContext, fact: str) -> None:
        """Remember a fact of an account for some hours, here and, where something may be kept, for other workers."""
        await self._learned.note(
            reading.account_cache, reading.session.linked, fact, keep=not reading.directives.no_store
        )

    async def reopen(self, account_cache: AccountCache, sweep_id: str) -> CollectionSnapshot | None:
        """Give the sweep that a walk holds on to, or None when it is no longer kept."""
        [kept] = await account_cache.read([account_cache.key("sweep", sweep_id)])
        return _sweep(kept)

    async def rows(
        self, account_cache: AccountCache, sweep: CollectionSnapshot, start: int, stop: int | None = None
    ) -> Sequence[Row] | None:
        """Give rows `start` to `stop` (or the end) of a sweep, or None when some of them are no longer kept."""
        stop = sweep.total if stop is None else min(stop, sweep.total)
        if sweep.rows is not None:
            return sweep.rows[start:stop]
        if start >= stop:
            return ()
        opened = self._lists.get(account_cache.account_id, sweep.id)
        if opened is not None:
            return opened.rows[start:stop]
        first = start // BLOCK
        numbers = range(first, (stop - 1) // BLOCK + 1)
        blocks = await account_cache.read([account_cache.key("rows", f"{sweep.id}:{number}") for number in numbers])
        rows: list[Row] = []
        size = 0
        for block in blocks:
            if block is None:
                return None
            plain = unpack(block)
            size += len(plain)
            rows += orjson.loads(plain)
        if len(rows) == sweep.total:
            self._lists.put(account_cache.account_id, sweep.id, rows, size)
        return rows[start - first * BLOCK : stop - first * BLOCK]

    async def opened(self, account_cache: AccountCache, sweep: CollectionSnapshot) -> DecodedList | None:
        """Give all rows of a sweep, in order and by column, or None when some are no longer kept."""
        found = self._lists.get(account_cache.account_id, sweep.id)
        if found is not None:
            return found
        rows = await self.rows(account_cache, sweep, 0)
        if rows is None:
            return None
        return self._lists.get(account_cache.account_id, sweep.id) or DecodedList(rows)

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _kept(self, reading: ReadContext, wanted: ListRequest) -> tuple[CollectionSnapshot | None, Use]:
        [kept] = await reading.account_cache.read_current([wanted.pointer], [wanted.collection.resource])
        found = _sweep(kept)
        if found is None or (found.refused and not wanted.optional):
            return None, Use.NOT
        return found, judge(found.times, self._now, reading.directives, settled=reading.settled)

    async def _lead(self, reading: ReadContext, wanted: ListRequest) -> CollectionSnapshot:
        """Fetch a list, unless another worker does: then wait for what it keeps."""

        async def look() -> CollectionSnapshot | None:
            found, use = await self._kept(replace(reading, settled=True), wanted)
            return found if use is Use.FRESH else None

        mark = reading.account_cache.mark([wanted.collection.resource])
        lease = reading.account_cache.key("lease", sha256(wanted.pointer.encode() + mark).hexdigest()[:24])
        until = reading.session.deadline
        async with asyncio.timeout(max(0.0, until - self._clock.monotonic())):
            sweep, _ = await self._leases.lead(
                (lease, reading.new_id), look, lambda: self._fetch(reading, wanted), until
            )
        return sweep

    async def _fetch(self, reading: ReadContext, wanted: ListRequest) -> CollectionSnapshot:
        """Fetch a list from the vendor, and keep it. Where the vendor refuses its query, it is had of the whole list.

        That is remembered for some hours, so that the call which is refused is not made before each reading.
        """
        whole = wanted.collection.whole
        if whole is not None and await self.has_learned(reading, wanted.unaccepted):
            return await self._sifted(reading, wanted, whole)
        times = self.begin(reading, wanted.collection.resource)
        refused, rows = 0, list[Row]()
        try:
            rows = [settled(row) for row in await self._fetcher.rows(reading.session, wanted)]
        except VendorRefusal as refusal:
            if refusal.status == 401 or not wanted.optional:
                raise
            refused = refusal.status
        except (VendorFailure, BadRequest) as error:
            if whole is None or not _unaccepted(error):
                raise
            sweep = await self._sifted(reading, wanted, whole)
            await self.learn(reading, wanted.unaccepted)
            return sweep
        return await self._made(reading, wanted, times, sifted(rows, wanted), refused=refused)

    async def _sifted(self, reading: ReadContext, wanted: ListRequest, whole: Collection) -> CollectionSnapshot:
        """Make a list of the rows of the whole one that belong to it."""
        all_rows = _wanted(reading, whole, wanted.own_key, optional=wanted.optional)

        async def read() -> CollectionSnapshot:
            return await self.open(reading, whole, wanted.own_key, optional=wanted.optional)

        if reading.directives.may_read:
            found = await read()
        else:
            # Several parts of one list, all for the same request, are had of one reading.
            found, _ = await self._flights.share((all_rows.pointer, reading.new_id, wanted.optional), read)
        rows = await self.rows(reading.account_cache, found, 0)
        if rows is None:  # Evicted since: then it is read once more.
            found = await self._fetch(reading, all_rows)
            rows = found.rows or ()
        if found.failed:
            return replace(found, total=len(kept := sifted(rows, wanted)), rows=kept)
        return await self._made(reading, wanted, found.times, sifted(rows, wanted), refused=found.refused)

    async def _made(
        self, reading: ReadContext, wanted: ListRequest, times: Times, rows: Sequence[Row], *, refused: int
    ) -> CollectionSnapshot:
        """Make a sweep of rows, and keep it."""
        blocks, rows = [], list(rows)
        for start in range(0, len(rows), BLOCK):
            try:
                blocks.append(encode_rows(rows[start : start + BLOCK]))
            except TypeError:
                rows[start : start + BLOCK] = [settled(mended(row)) for row in rows[start : start + BLOCK]]
                blocks.append(encode_rows(rows[start : start + BLOCK]))
            await asyncio.sleep(0)  # Ten thousand rows are a tenth of a second, which others need not wait.
        sweep = CollectionSnapshot(self._digest(reading, wanted, blocks), times, len(rows), refused, rows)
        if not reading.directives.no_store:
            self._lists.put(reading.account_cache.account_id, sweep.id, rows, sum(map(len, blocks)))
            await self._keep(reading.account_cache, wanted, sweep, blocks)
        return sweep

    def _digest(self, reading: ReadContext, wanted: ListRequest, blocks: Sequence[bytes]) -> str:
        digest = blake2b(digest_size=12, key=self._keeping.key)
        digest.update(f"{reading.session.linked.account.id}:{wanted.digest}".encode())
        for block in blocks:
            digest.update(block)
        return digest.hexdigest()

    async def _keep(
        self, account_cache: AccountCache, wanted: ListRequest, sweep: CollectionSnapshot, blocks: Sequence[bytes]
    ) -> None:
        seconds = int(sweep.times.kept_until - self._now)
        if seconds <= 0:
            return
        head = orjson.dumps(
            {"id": sweep.id, "times": asdict(sweep.times), "total": sweep.total, "refused": sweep.refused}
        )
        values = {account_cache.key("sweep", sweep.id): head}
        for number, block in enumerate(blocks):
            values[account_cache.key("rows", f"{sweep.id}:{number}")] = pack(block)
            await asyncio.sleep(0)
        if await account_cache.write(values, seconds + self._keeping.held):
            await account_cache.write_current({wanted.pointer: head}, seconds, [wanted.collection.resource])


def _unaccepted(error: GatewayError) -> bool:
    """Tell whether a vendor has refused a query as such."""
    return any(each.status in UNACCEPTED for each in error.provider_errors)


def _wanted(reading: ReadContext, collection: Collection, own_key: str, *, optional: bool) -> ListRequest:
    query = filled(collection, reading.today, own_key)
    path = collection.path.replace(OWN_KEY, quote(own_key, safe=""))
    digest = sha256(repr((path, query)).encode()).hexdigest()[:24]
    pointer = reading.account_cache.key("list", f"{reading.session.linked.account.revision}:{digest}")
    return ListRequest(collection, query, pointer, digest, optional, path, own_key, reading.today)


def _sweep(kept: bytes | None) -> CollectionSnapshot | None:
    if kept is None:
        return None
    head = orjson.loads(kept)
    return CollectionSnapshot(head["id"], Times(**head["times"]), head["total"], head["refused"])
