"""Composes the answer to a read: which lists it needs, which slice of them, and what is said about missing values."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, TypeAlias

from connectors.columns import equal_column, own_lists
from connectors.spec import Collection, Join, Row
from gateway.accounts.token_rejection import TokenRejections
from gateway.cache.freshness import Times
from gateway.concurrency import pair
from gateway.errors import GatewayError, NotImplementedHere
from gateway.unified.collections import Collections
from gateway.unified.context import ReadContext
from gateway.unified.cursor import Cursor, CursorSigner, mark
from gateway.unified.day_change import DayWatch, end_of
from gateway.unified.filters import Conditions, check_answerable, compile_conditions
from gateway.unified.join_reader import JoinReader
from gateway.unified.list_reader import ListReader, Walk
from gateway.unified.listing import Listing, listing_of, proxy_parameters
from gateway.unified.mapping import JoinIndex, Record, Refusal, compile_table, joins_for, make_record
from gateway.unified.raw import row_filter, show
from gateway.unified.record_reader import RecordReader
from gateway.unified.snapshot_store import CollectionSnapshot
from gateway.unified.withheld import reasons, refused_lines, refused_paths, unreadable
from gateway.upstream.vendor import VendorClient, VendorRefusal, encode

CountUnreadable: TypeAlias = Callable[[str, str, int], None]
"""Counts values that the vendor has but that cannot be read: called with provider, resource and number."""


@dataclass(frozen=True, slots=True)
class ComposedAnswer:
    """The body of an answer and its times.

    `withheld` are the paths of fields that are left out. `used` are the resources of the lists that it is made of.
    `failed` is the failure that an older snapshot replaces.
    """

    body: bytes
    times: Times
    withheld: tuple[str, ...]
    used: frozenset[str]
    failed: GatewayError | None = None


AT_ONCE = 25
"""Records that are made before other requests run: two or three milliseconds."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a snapshot in their order, each with its number there. `narrowed`: the vendor has chosen them."""

    snapshot: CollectionSnapshot
    numbers: Sequence[int]
    rows: Sequence[Row]
    narrowed: bool


class Composer:
    """Composes answers from lists and single records."""

    def __init__(
        self,
        client: VendorClient,
        collections: Collections,
        signer: CursorSigner,
        rejections: TokenRejections,
        count_unreadable: CountUnreadable,
    ) -> None:
        self.client = client
        self.collections = collections
        self.signer = signer
        self.count_unreadable = count_unreadable
        self._rejections = rejections

    async def compose(self, context: ReadContext) -> ComposedAnswer:
        """Returns the answer. Raises a `GatewayError`, or `WalkLost` where a walk through pages cannot continue."""
        composition = _Composition(self, context)
        try:
            return await (
                composition.compose_list() if context.plan.operation.kind == "list" else composition.compose_record()
            )
        except VendorRefusal as refusal:
            session = context.session
            raise await self._rejections.explain(session.linked, session.connector, [refusal.provider]) from refusal


class _Composition:
    """The composition of one answer.

    `_mapping` is that of the plan, without the fields that would be read from lists the vendor refuses.
    """

    def __init__(self, composer: Composer, context: ReadContext) -> None:
        self._composer = composer
        self._context = context
        self._plan = context.plan
        self._endpoint = context.plan.endpoint
        self._mapping = context.plan.mapping
        self._refused: Mapping[str, Refusal] = {}
        self._lists = ListReader(composer.collections, context)
        self._joins = JoinReader(composer.collections, self._lists, context)
        self._records = RecordReader(composer.client, composer.collections, self._lists, context)
        self._now = composer.client.clock.now().timestamp()
        self._watch = DayWatch(context.today)
        self._bound_to = f"{context.account.id}\n{context.plan.employee}\n{context.plan.binding}"

    async def compose_list(self) -> ComposedAnswer:
        """Returns the answer to a list operation: one page of records and the cursor of the next page."""
        query = self._plan.query
        conditions = compile_conditions(self._endpoint.table, query.filters)
        # Where rows are filtered here, the place of a page in the list is not known: the whole list is needed.
        whole = bool(query.filters or self._endpoint.only or self._records.employee)
        try:
            found = await self._read_list(whole=whole)
        except NotImplementedHere:
            if self._plan.operation.of_employee:
                await self._records.check_employee_exists(())  # Else 404: 501 would be wrong for an unknown employee.
            raise
        skip = query.skipped if whole else 0
        joined: Mapping[Join, JoinIndex] = {}
        if self._needs_joins(conditions):
            joined = await self._join(found.rows, few=found.narrowed)
            check_answerable(conditions, joined, self._context.session.connector.name)
        page, stop = await self._page(found, joined, conditions, skip=skip)
        joined = joined or await self._join(page, few=found.narrowed)
        self._leave_out_refused(joined)
        if self._plan.operation.of_employee:
            await self._records.check_employee_exists(found.rows)
        records = [self._record(row, joined) for row in page]
        snapshot, cursor = found.snapshot, None
        if stop >= 0:
            signer = self._composer.signer
            last = mark(str(records[-1].row.get(self._endpoint.key)))
            cursor = signer.write(
                Cursor(snapshot.id, stop, snapshot.total, last, signer.moment(self._now)), self._bound_to
            )
        data = []
        for start in range(0, len(records), AT_ONCE):
            data += [self._mapping.unify(record) for record in records[start : start + AT_ONCE]]
            await asyncio.sleep(0)
        return await self._finish({"next": cursor, "data": data}, records, data)

    async def compose_record(self) -> ComposedAnswer:
        """Returns the answer to an operation for a single record."""
        row = await self._records.read()
        joined = await self._join([row], few=True)
        self._leave_out_refused(joined)
        record = make_record(self._endpoint, row, joined, self._context.today, self._watch.see)
        data = self._mapping.unify(record)
        return await self._finish({"data": data}, [record], [data])

    async def _read_list(self, *, whole: bool) -> Part:
        """Returns the rows to make the page from. Opens the joined lists meanwhile."""
        joins = self._plan.joins
        listing, narrowed = await self._best_listing()
        if narrowed or any(listing.source in join.collections for join in joins):
            # One after the other: few rows need few joined rows, and a list that is also joined is read only once.
            return await self._part(listing, narrowed=narrowed, whole=whole)
        found, _ = await pair(self._part(listing, narrowed=narrowed, whole=whole), self._joins.prepare(joins))
        return found

    async def _join(self, rows: Sequence[Row], *, few: bool) -> Mapping[Join, JoinIndex]:
        """Returns what is joined to some rows. If these are `few`, rows may be asked for record by record."""
        joined = await self._joins.join(self._plan.joins, rows, self._plan.mapping.deep, few=few)
        return await self._joins.complete(joined, rows, few=few)

    def _needs_joins(self, conditions: Conditions) -> bool:
        """Returns whether joined rows decide which records meet the conditions."""
        return bool(joins_for(self._endpoint, conditions.plan))

    async def _best_listing(self) -> tuple[Listing, bool]:
        """Returns the list to read, and whether the vendor narrows it.

        If the whole list is cached already, that is used and filtered here, which costs no call.
        """
        found = listing_of(self._context, self._records.employee)
        if found is None:  # pragma: no cover - `Endpoint.answers` has seen to it
            raise self._records.missing
        listing, narrowed = found
        whole, of_employee = self._endpoint.listing, self._endpoint.of_employee
        if not narrowed or proxy_parameters(self._context) or not isinstance(whole, Collection):
            return listing, narrowed
        if self._plan.operation.of_employee and not (of_employee and of_employee.owner):
            return listing, narrowed
        return (Listing(whole), False) if await self._lists.peek(whole) else (listing, narrowed)

    async def _part(self, listing: Listing, *, narrowed: bool, whole: bool) -> Part:
        """Returns the rows to make the page from.

        They are all those of a list that is filtered here (`whole`), or at least all that can meet the conditions; else
        one more than the page has: the additional one tells that there is another page.
        """
        query = self._plan.query
        walk = None
        if query.cursor is None:
            snapshot, start = await self._lists.open(listing), 0 if whole else query.skipped
        else:
            cursor = self._composer.signer.read(query.cursor, self._bound_to, self._now)
            walk = Walk(cursor, self._endpoint.key)
            snapshot, start = await self._lists.resume(listing, walk), cursor.position
        by = self._index_condition() if whole else None
        found = await self._lists.finder.rows_with_text(snapshot, *by, start) if by else None
        if found is not None:
            numbers, rows = found
            return Part(snapshot, numbers, rows, narrowed=narrowed)
        stop = None if whole else start + query.page_size + 1
        snapshot, rows = await self._lists.rows(listing, snapshot, start, stop, walk=walk)
        return Part(snapshot, range(start, start + len(rows)), rows, narrowed=narrowed)

    def _index_condition(self) -> tuple[str, str] | None:
        """Returns a column and its text in all rows that can meet the conditions, or None where nothing is known."""
        of_employee = self._endpoint.of_employee
        if self._plan.operation.of_employee and of_employee and of_employee.owner:
            return of_employee.owner, self._records.employee
        table = self._endpoint.table
        columns = ((equal_column(table, name), value) for name, value in self._plan.query.filters.items())
        return next(((column, value) for column, value in columns if column is not None), None)

    async def _page(
        self, found: Part, joined: Mapping[Join, JoinIndex], conditions: Conditions, *, skip: int
    ) -> tuple[Sequence[Row], int]:
        """Returns the rows of a page, and the number of the row at which the next page begins, or -1 at the end.

        The first `skip` rows that meet the conditions are left out, as they are on earlier pages.
        """
        page: list[Row] = []
        stop = -1
        for place, (number, row) in enumerate(zip(found.numbers, found.rows, strict=True)):
            if place % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            if not self._records.belongs(row):
                continue
            if conditions.wanted and not conditions.met_by(self._record(row, joined)):
                continue
            if skip:
                skip -= 1
                continue
            if len(page) == self._plan.query.page_size:
                return page, stop
            page.append(row)
            stop = number + 1
        return page, -1

    def _record(self, row: Row, joined: Mapping[Join, JoinIndex]) -> Record:
        return make_record(self._endpoint, row, joined, self._context.today)

    def _leave_out_refused(self, joined: Mapping[Join, JoinIndex]) -> None:
        """Removes the fields that would be read from lists that the vendor refuses."""
        plan, completion = self._plan, self._endpoint.completion
        self._refused = refused_paths(plan.mapping, joined)
        refusals = (joined[join].refusal for join in completion.joins if join in joined) if completion else ()
        refusal = next(filter(None, refusals), None)
        if completion and refusal:
            # From a row that is not completed, these fields would get wrong values.
            wanted = [name for name in plan.mapping.rules if name in completion.fields]
            self._refused = {**dict.fromkeys(wanted, refusal), **self._refused}
        if self._refused:
            fields = [name for name in plan.mapping.rules if name not in self._refused]
            hidden = frozenset((*plan.allowed.withheld, *self._refused))
            self._mapping = compile_table(self._endpoint.table, fields, hidden)

    async def _finish(
        self, body: dict[str, Any], records: Sequence[Record], data: Sequence[Mapping[str, Any]]
    ) -> ComposedAnswer:
        """Returns the composed answer: adds `raw` and `withheld` to the body where the query wants them."""
        plan, connector = self._plan, self._context.session.connector
        if plan.query.raw:
            body["raw"] = self._raw(records)
        lost = []
        for place, (record, values) in enumerate(zip(records, data, strict=True)):
            lost.append(frozenset(unreadable(self._mapping, record, values)))
            if place % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
        count = sum(map(len, lost))
        if count:
            self._composer.count_unreadable(connector.key, self._endpoint.table.resource.name, count)
        if plan.query.reasons:
            closed = {
                path: [{"reason": "withheld_by_scope", "needs": why.needs, "granted_by": why.granter}]
                for path, why in plan.allowed.withheld.items()
            }
            refused = refused_lines(connector, self._refused)
            body["withheld"] = {**closed, **refused, **reasons(self._mapping, records, data, lost)}
        withheld = (*plan.allowed.withheld, *self._refused)
        times = self._lists.times.ending(self._holds_until())
        return ComposedAnswer(encode(body), times, withheld, frozenset(self._lists.used), self._lists.failed)

    def _holds_until(self) -> float:
        """Returns the moment at which a new day may change the answer.

        The rows of a single record are looked at. Those of a list are too many; it is composed again, from lists that
        are cached.
        """
        plan = self._plan
        if plan.operation.kind == "list" or self._endpoint.of_day:
            return end_of(self._context.today) if plan.dated else inf
        return self._watch.holds_until

    def _raw(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """Returns the vendor calls that were made, each with the rows that belong to these records."""
        session, endpoint = self._context.session, self._endpoint
        of_page = row_filter(
            (own_lists(endpoint), endpoint.key),
            [each.row for each in records],
            joins_for(endpoint, self._plan.mapping),
        )
        return show(session.connector, session.raw, self._plan.visible, of_page)
