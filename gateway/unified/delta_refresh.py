"""Refreshes stale lists by what has changed in them: a call for the changed rows, then one for the number of others.

Whatever surprises leads to a whole reading, and that happens at least once in `whole_seconds` in any case. If the whole
reading shows that the vendor did not tell the truth about changes, that is remembered as a fact of the account, and for
some hours the list is read whole each time.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.exchange import Request
from connectors.paging import Batch, Malformed, Query
from connectors.spec import Row
from gateway.errors import VendorFailure
from gateway.unified.blocks import BLOCK
from gateway.unified.context import ListContext
from gateway.unified.delta import (
    ChangeReader,
    DeltaBasis,
    advance,
    changes_unseen,
    differs,
    make_basis,
    merge,
)
from gateway.unified.list_request import DELTA, ListRequest
from gateway.unified.snapshot_store import CollectionSnapshot, SnapshotStore
from gateway.unified.vendor_facts import VendorFacts, hides_changes, tells_changes
from gateway.upstream.decoding import null_lost_columns
from gateway.upstream.vendor import VendorClient, VendorRefusal, without

FURTHEST_ZONE = timedelta(hours=14)
"""How much earlier than in UTC a day begins somewhere."""
UNAVAILABLE = frozenset({429, 502, 503, 504})
"""Statuses that say nothing about the query."""
PAGES = 2
"""A list of so many pages costs no more calls when it is read whole."""


class _Surprise(Exception):
    """The list has to be read whole. With `lie` the vendor's answer cannot be right."""

    def __init__(self, *, lie: bool = False) -> None:
        super().__init__("the list has to be read whole")
        self.lie = lie


@dataclass(slots=True)
class Delta:
    """What was found out about the changes of a list.

    `basis` is that of the older reading, if there is one, and `unchanged` that of the new one if the list has not
    changed; `rows` is the list if it has. Without both it has to be read whole. `counted` is the vendor's number of
    older rows, and `missing` are rows that it should have sent unless they were deleted: the whole reading tells.
    """

    basis: DeltaBasis | None = None
    unchanged: DeltaBasis | None = None
    rows: Sequence[Row] | None = None
    counted: int | None = None
    missing: frozenset[str] = field(default_factory=frozenset)


class DeltaRefresher:
    """Refreshes lists by their changes, and remembers what that takes. With `whole_seconds` 0 it does nothing."""

    def __init__(
        self, client: VendorClient, snapshots: SnapshotStore, facts: VendorFacts, whole_seconds: float
    ) -> None:
        self._client = client
        self._snapshots = snapshots
        self._facts = facts
        self._whole_seconds = whole_seconds

    async def refresh(self, context: ListContext, request: ListRequest) -> Delta:
        """Returns what has changed. Raises what asking the vendor raises, but no refusal of the query."""
        delta, reader = Delta(), self._reader(context, request)
        if reader is None or not context.directives.may_read:
            return delta
        key, fact = _basis_key(context, request), hides_changes(request.collection)
        if await self._facts.has(context, fact):
            return delta
        [value] = await context.cache.read([key])
        basis = delta.basis = DeltaBasis.read(value) if value else None
        now = self._client.clock.now().timestamp()
        if basis is None or now - basis.whole_at >= self._whole_seconds or basis.generation != _generation(context):
            return delta
        try:
            await self._refresh(context, request, reader, delta, basis)
        except _Surprise as surprise:
            if surprise.lie:
                await self._facts.add(context, fact)
        return delta

    async def _refresh(
        self, context: ListContext, request: ListRequest, reader: ChangeReader, delta: Delta, basis: DeltaBasis
    ) -> None:
        changes, began = reader.changes, self._client.clock.now()
        if not await self._facts.has(context, tells_changes(request.collection)):
            if await self._count(context, request, basis.oldest):
                raise _Surprise(lie=True)  # Nothing can be older than the oldest row was.
            await self._facts.add(context, tells_changes(request.collection))
        turned: dict[str, Row] = {}
        if basis.turning:
            chosen = tuple((changes.among, name) for name in basis.turning)
            turned = await self._page(context, request, chosen, lambda row: reader.id_of(row) in basis.turning)
            delta.missing = frozenset(basis.turning.keys() - turned.keys())
            if delta.missing:
                raise _Surprise
        chosen = ((changes.since, basis.since),)
        changed = await self._page(context, request, chosen, lambda row: reader.is_recent(row, basis))
        delta.missing = frozenset(basis.recent.keys() - changed.keys())
        if len(delta.missing) == len(basis.recent):
            raise _Surprise  # No row shows that the vendor compares rightly.
        # Only now: rows that are counted after the changed ones were read cannot be among those.
        delta.counted = await self._count(context, request, basis.since)
        if delta.counted > basis.older:
            raise _Surprise(lie=True)
        if not differs(basis, changed, turned, reader):
            if delta.counted != basis.older:
                raise _Surprise
            delta.unchanged = advance(basis, began)
            return
        if changes.ripples:
            raise _Surprise
        await self._merge(context, request, reader, delta, (changed, turned))

    async def _merge(
        self,
        context: ListContext,
        request: ListRequest,
        reader: ChangeReader,
        delta: Delta,
        found: tuple[Mapping[str, Row], Mapping[str, Row]],
    ) -> None:
        basis, (changed, turned) = delta.basis, found
        if basis is None:
            return
        before = await self._snapshots.find_by_id(context.cache, basis.snapshot)
        rows = await self._snapshots.rows(context.cache, before, 0) if before else None
        if rows is None:
            raise _Surprise
        merged, older = merge(rows, basis, changed, turned, reader)
        known = {reader.id_of(row) for row in rows}
        created = reader.paging.created
        strange = any(
            name not in known and created in row and str(row[created]) < basis.since for name, row in changed.items()
        )
        if older != delta.counted or (strange and not request.collection.narrows):
            raise _Surprise
        delta.rows = merged

    async def keep(
        self,
        context: ListContext,
        request: ListRequest,
        snapshot: CollectionSnapshot,
        rows: Sequence[Row],
        delta: Delta,
    ) -> None:
        """Stores what the next refresh takes: called after the snapshot, made of these rows, was stored."""
        reader, generation = self._reader(context, request), _generation(context)
        if reader is None or not generation:
            return
        basis, before, made_at = delta.unchanged, delta.basis, snapshot.times.made_at
        if basis is None:
            whole_at = before.whole_at if before and delta.rows is not None else made_at
            if before and delta.rows is None and _lied(reader, delta, before, rows):
                await self._facts.add(context, hides_changes(request.collection))
                return
            if len(rows) > PAGES * reader.paging.size:
                basis = make_basis(
                    rows,
                    reader,
                    began=_moment(made_at),
                    until=(_moment(whole_at + self._whole_seconds) + FURTHEST_ZONE).date(),
                    snapshot=snapshot.id,
                    total=snapshot.total,
                    generation=generation,
                    whole_at=whole_at,
                    chained=delta.rows is not None,
                )
        if basis is not None:
            # Longer than the list may be refreshed, so that the next whole reading can still be compared with it.
            seconds = int(snapshot.times.usable_until - made_at + 2 * self._whole_seconds)
            await context.cache.write({_basis_key(context, request): basis.write()}, seconds)

    async def audit(self, context: ListContext, request: ListRequest, delta: Delta, rows: Sequence[Row]) -> None:
        """Compares a whole reading with the list as it was after refreshes, to find changes that move no time."""
        reader, before = self._reader(context, request), delta.basis
        if reader is None or before is None or not before.chained:
            return
        new = {reader.id_of(row): row for row in rows}
        known = await self._snapshots.find_by_id(context.cache, before.snapshot)
        for start in range(0, known.total if known else 0, BLOCK):
            old = await self._snapshots.rows(context.cache, known, start, start + BLOCK) if known else None
            if old is None:
                return
            if changes_unseen(old, new, before, reader):
                await self._facts.add(context, hides_changes(request.collection))
                return
            await asyncio.sleep(0)  # Lets other requests run between blocks.

    async def _page(
        self, context: ListContext, request: ListRequest, chosen: Query, belongs: Callable[[Row], bool]
    ) -> dict[str, Row]:
        """Returns the rows that are chosen, by id. They have to fit into one page: that is of one moment."""
        paging, never = context.session.connector.paging, context.session.connector.never
        batch = await self._ask(context, request, (*chosen, *paging.first()))
        rows = [null_lost_columns(row) for row in without(batch.rows, never)]
        found = {name: row for row in rows if isinstance(name := row.get(paging.key), str)}
        if len(found) != len(rows) or len(request.belonging(rows)) != len(rows) or not all(map(belongs, rows)):
            raise _Surprise(lie=True)
        if len(rows) != batch.total:
            raise _Surprise
        return found

    async def _count(self, context: ListContext, request: ListRequest, before: str) -> int:
        """Returns how many rows the vendor has that were last changed before a moment."""
        changes, paging = request.collection.changes, context.session.connector.paging
        chosen = ((changes.before, before),) if changes else ()
        return (await self._ask(context, request, (*chosen, *paging.count()))).total

    async def _ask(self, context: ListContext, request: ListRequest, query: Query) -> Batch:
        session = context.session
        try:
            body = await self._client.get(session, Request("GET", request.path, request.query + query))
            return session.connector.paging.parse(body)
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            raise _Surprise from refusal
        except Malformed as error:
            raise _Surprise(lie=True) from error
        except VendorFailure as failure:
            statuses = {each.status for each in failure.provider_errors}
            if not statuses or statuses & UNAVAILABLE:
                raise
            raise _Surprise(lie=True) from failure

    def _reader(self, context: ListContext, request: ListRequest) -> ChangeReader | None:
        changes, paging = request.collection.changes, context.session.connector.paging
        if changes is None or not self._whole_seconds or not paging.updated:
            return None
        return ChangeReader(paging, changes) if changes.scope.met_by(context.account.grant.scopes) else None


def _lied(reader: ChangeReader, delta: Delta, before: DeltaBasis, rows: Sequence[Row]) -> bool:
    """Returns whether a whole reading shows that the vendor did not tell the changes rightly."""
    new = {reader.id_of(row): row for row in rows}
    older = {name for name, row in new.items() if not reader.is_recent(row, before)}
    if delta.counted is not None and len(older) > delta.counted:
        return True
    # What was missing and is there, if it should have been sent.
    return bool(delta.missing & new.keys() - (older - before.turning.keys()))


def _basis_key(context: ListContext, request: ListRequest) -> str:
    return context.cache.key(DELTA, f"{context.account.revision}:{request.digest}")


def _generation(context: ListContext) -> str:
    """Returns the generation of the account as a whole; empty where it is not known."""
    return context.cache.generations(()).decode(errors="replace")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
