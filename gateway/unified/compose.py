"""Composing the answer to a read: which lists it takes, which slice of them, and what has to be said with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeAlias
from urllib.parse import quote

from connectors import ids
from connectors.columns import own_lists
from connectors.contract import Operation
from connectors.convert import text
from connectors.exchange import Request
from connectors.spec import Collection, Endpoint, Join, Row, any_row
from gateway.cache.freshness import Times
from gateway.concurrency import pair
from gateway.contract.query import Query
from gateway.errors import BadRequest, GatewayError, NotFound, NotImplementedHere, VendorFailure
from gateway.policy.columns import Visible
from gateway.policy.policy import Allowed
from gateway.unified.collections import Collections, CollectionSnapshot, ReadContext
from gateway.unified.cursor import Cursor, CursorSigner, mark
from gateway.unified.filters import Conditions, compile_conditions, must_be_answerable
from gateway.unified.joins import joins_for, make_record
from gateway.unified.list_fetcher import SAFE_KEY
from gateway.unified.lists import Listing, Lists, Walk
from gateway.unified.mapping import Joined, Plan, Record, Refusal, compile_table
from gateway.unified.raw import row_filter, show
from gateway.unified.withheld import reasons, refused_lines, refused_paths, unreadable
from gateway.upstream.decoding import encode_rows, mended, settled
from gateway.upstream.vendor import VendorClient, VendorRefusal, encode, without


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """A read that has been admitted: what is asked, and what of it may be shown.

    `visible` tells what of the records at a vendor's path `raw` may show.
    """

    operation: Operation
    endpoint: Endpoint
    query: Query
    allowed: Allowed
    plan: Plan
    visible: Callable[[str], Visible]
    binding: str
    name: str
    resources: frozenset[str]
    key: str = ""
    employee: str = ""


def make_read_plan(
    operation: Operation, endpoint: Endpoint, query: Query, allowed: Allowed, visible: Callable[[str], Visible]
) -> ReadPlan:
    """Make a question with what a cursor of it is bound to, and the name that its answer is kept under.

    Both leave out the account, the record and the employee that are asked about. `resources` are those whose lists
    the answer may be made of: a change in one of them outdates it.
    """
    plan = compile_table(endpoint.table, allowed.fields, frozenset(allowed.withheld))
    binding = f"{operation.id}\n{query.canonical()}"
    parts = (binding, query.position(), allowed.fingerprint())
    name = sha256("\0".join(parts).encode()).hexdigest()
    joins = joins_for(endpoint, plan, compile_conditions(endpoint.table, query.filters).plan)
    read = [*endpoint.collections(), *(each for join in joins for each in join.all_collections())]
    resources = frozenset(collection.resource for collection in read)
    if operation.of_employee:
        resources |= {"employees"}  # Somebody without such records is told from nobody.
    return ReadPlan(operation, endpoint, query, allowed, plan, visible, binding, name, resources)


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer's body and the times of it; `failed` is the failure that an older reading stands in for.

    `withheld` are the paths of the fields that it leaves out.
    """

    body: bytes
    times: Times
    withheld: tuple[str, ...]
    used: frozenset[str]
    failed: GatewayError | None = None


Unreadable: TypeAlias = Callable[[str, str, int], None]
"""Hears the provider, the resource and the number of values that were there and could not be read."""


@dataclass(frozen=True, slots=True)
class _Tools:
    asker: VendorClient
    sweeps: Collections
    signer: CursorSigner
    unreadable: Unreadable


class Composer:
    """Answers admitted questions from sweeps and single records."""

    def __init__(self, asker: VendorClient, sweeps: Collections, signer: CursorSigner, unreadable: Unreadable) -> None:
        self._tools = _Tools(asker, sweeps, signer, unreadable)

    async def compose(self, question: ReadPlan, reading: ReadContext) -> Composed:
        work = _Work(self._tools, question, reading)
        return await (work.answer_list() if question.operation.kind == "list" else work.answer_get())


class _Work:
    """One composition. `_plan` is the question's, without what is read from lists that the vendor refuses."""

    def __init__(self, tools: _Tools, question: ReadPlan, reading: ReadContext) -> None:
        self._asker = tools.asker
        self._signer = tools.signer
        self._count_unreadable = tools.unreadable
        self._plan = question.plan
        self._refused: Mapping[str, Refusal] = {}
        self._question = question
        self._reading = reading
        self._endpoint = question.endpoint
        self._lists = Lists(tools.sweeps, reading)
        self._begin = tools.sweeps.begin
        self._now = tools.asker.clock.now().timestamp()
        self._bound_to = f"{reading.session.linked.account.id}\n{question.employee}\n{question.binding}"

    async def answer_list(self) -> Composed:
        query = self._question.query
        conditions = compile_conditions(self._endpoint.table, query.filters)
        joins = joins_for(self._endpoint, self._question.plan, conditions.plan)
        whole = bool(query.filters or self._endpoint.only or self._employee)
        try:
            sweep, rows, start, joined = await self._read_lists(joins, whole=whole)
        except NotImplementedHere:
            if self._question.operation.of_employee:
                await self._must_exist(())  # Of nobody the vendor may have no list either.
            raise
        must_be_answerable(conditions, joined, self._reading.session.connector.name)
        self._leave_out(joined)
        if self._question.operation.of_employee:
            await self._must_exist(rows)
        records, stop = self._page(rows, joined, conditions, (start, query.skipped if whole else 0))
        cursor = None
        if stop >= 0:
            last = mark(str(records[-1].row.get(self._endpoint.key)))
            place = Cursor(sweep.id, stop, sweep.total, last, self._signer.moment(self._now))
            cursor = self._signer.write(place, self._bound_to)
        data = [self._plan.unify(record) for record in records]
        return self._finish({"next": cursor, "data": data}, records, data)

    async def _read_lists(
        self, joins: Sequence[Join], *, whole: bool
    ) -> tuple[CollectionSnapshot, Sequence[Row], int, Mapping[Join, Joined]]:
        listing, narrowed = await self._best_listing()
        if narrowed or any(listing.source in join.collections for join in joins):
            found = await self._slice(listing, whole=whole)
            joined = await self._lists.join(joins, found[1] if narrowed else None, self._question.plan.deep)
        else:
            found, joined = await pair(self._slice(listing, whole=whole), self._lists.join(joins, None))
        return *found, await self._lists.complete(joined, found[1], few=narrowed)

    async def answer_get(self) -> Composed:
        row = await (self._found() if self._endpoint.record is None else self._fetched())
        if row is None or not self._belongs(row):
            raise self._missing
        joins = joins_for(self._endpoint, self._question.plan)
        joined = await self._lists.join(joins, [row], self._question.plan.deep)
        joined = await self._lists.complete(joined, [row], few=True)
        self._leave_out(joined)
        record = self._record(row, joined)
        data = self._plan.unify(record)
        return self._finish({"data": data}, [record], [data])

    # --- single records -----------------------------------------------------------------------------------

    @property
    def _missing(self) -> NotFound:
        what = (self._endpoint.kind or self._endpoint.table.resource.name).replace("_", " ")
        return NotFound(f"There is no such {what}, or this account's token may not see it.")

    def _decoded(self, kind: str, given: str) -> str:
        """Give the vendor's id; raises `NotFound` for what can be none."""
        remote_id = ids.decode(kind, given) if kind else given
        if remote_id is None or (kind and not SAFE_KEY.fullmatch(remote_id)):
            raise self._missing
        return remote_id

    async def _fetched(self) -> Row | None:
        remote_id = self._decoded(self._endpoint.kind, self._question.key)
        self._check_employee()
        listing = self._endpoint.listing
        if isinstance(listing, Collection) and not self._extra():
            row = await self._lists.find(listing, self._endpoint.key, remote_id)
            if row is not None:
                return row
        times = self._begin(self._reading, self._resource)
        row = await self._ask_for(self._endpoint, remote_id, self._extra())
        if row is None or text(row.get(self._endpoint.key)) != remote_id:
            return None
        self._lists.note(self._resource, times)
        return row

    @property
    def _resource(self) -> str:
        """Name what rules the freshness of a single record."""
        return self._endpoint.collections()[0].resource

    async def _found(self) -> Row | None:
        """Find a record in its list, for which the vendor has no address of its own."""
        remote_id = self._decoded(self._endpoint.kind, self._question.key)
        self._check_employee()
        listing, _ = self._listing()
        _, rows = await self._lists.rows(listing, await self._lists.open(listing), 0)
        return next((row for row in rows if row.get(self._endpoint.key) == remote_id), None)

    async def _ask_for(self, endpoint: Endpoint, remote_id: str, extra: tuple[tuple[str, str], ...] = ()) -> Row | None:
        """Give a record as the vendor has it by itself, or None where it has none, or none for this token."""
        session, record = self._reading.session, endpoint.record
        if record is None:
            return None
        path = record.replace("{key}", quote(remote_id, safe=""))
        try:
            row = await self._asker.ask(session, Request("GET", path, extra))
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            return None
        given = text(row.get(endpoint.key)) if isinstance(row, dict) else None
        # An error of the vendor's may have an id of its own.
        if given is None or (given != remote_id and session.connector.is_fault(row)):
            raise VendorFailure(f"{session.connector.name} answered {record} with something that is no record.")
        return _readable(without([row], session.connector.never)[0])

    # --- the records of one employee ----------------------------------------------------------------------

    @property
    def _employee(self) -> str:
        """The vendor's id of the employee in the path, or nothing."""
        return self._decoded("employee", self._question.employee) if self._question.operation.of_employee else ""

    def _check_employee(self) -> None:
        """Raise for an employee's id that can be none, before anything is asked."""
        _ = self._employee

    def _belongs(self, row: Row) -> bool:
        only, of_employee = self._endpoint.only, self._endpoint.of_employee
        if only is not None and not only(row):
            return False
        if not self._question.operation.of_employee or of_employee is None or not of_employee.owner:
            return True
        return row.get(of_employee.owner) == self._employee

    async def _must_exist(self, rows: Sequence[Row]) -> None:
        """Tell an employee without such records from one that is not there."""
        of_employee = self._endpoint.of_employee
        if of_employee and of_employee.owner and any(map(self._belongs, rows)):
            return
        employees = next(
            (each for each in self._reading.session.connector.endpoints if each.kind == "employee"), self._endpoint
        )
        if await self._ask_for(employees, self._employee) is None:
            raise NotFound("There is no such employee, or this account's token may not see them.")

    # --- lists --------------------------------------------------------------------------------------------

    def _extra(self) -> tuple[tuple[str, str], ...]:
        """Give the caller's `proxy` parameters; raises `BadRequest` for those that belong to paging."""
        reserved = self._reading.session.connector.paging.reserved
        taken = sorted({name for name, _ in self._question.query.proxy if name.partition("[")[0] in reserved})
        if taken:
            raise BadRequest(f"proxy cannot set {', '.join(taken)}: paging upstream is the gateway's, use page_size")
        return self._question.query.proxy

    def _listing(self) -> tuple[Listing, bool]:
        """Give the list to read, and whether the vendor narrows it for us."""
        endpoint, filters = self._endpoint, self._question.query.filters
        source, own_key = endpoint.listing, ""
        if self._question.operation.of_employee and endpoint.of_employee is not None:
            source, own_key = endpoint.of_employee.listing, self._employee
        pushed = {theirs: filters[ours] for ours, theirs in endpoint.filters.items() if ours in filters}
        extra: dict[str, tuple[str, ...]] = {}
        for name, value in self._extra():
            extra[name] = (*extra.get(name, ()), value)
        if source is None:  # pragma: no cover - `Endpoint.answers` has seen to it
            raise self._missing
        if isinstance(source, Collection) and (pushed or extra):
            source = _narrowed(source, pushed, extra)
        return Listing(source, own_key), bool(pushed or own_key)

    async def _best_listing(self) -> tuple[Listing, bool]:
        """Give the list to read, and whether the vendor narrows it: not where the whole list is kept already."""
        listing, narrowed = self._listing()
        whole, of_employee = self._endpoint.listing, self._endpoint.of_employee
        if not narrowed or self._extra() or not isinstance(whole, Collection):
            return listing, narrowed
        if self._question.operation.of_employee and not (of_employee and of_employee.owner):
            return listing, narrowed
        return (Listing(whole), False) if await self._lists.peek(whole) else (listing, narrowed)

    async def _slice(self, listing: Listing, *, whole: bool) -> tuple[CollectionSnapshot, Sequence[Row], int]:
        """Give the rows to make the page from and the number of the first: of a list that is sifted, all of them.

        Else one row more than the page, to know whether it is the last.
        """
        query = self._question.query
        walk = None
        if query.cursor is None:
            sweep, start = await self._lists.open(listing), 0 if whole else query.skipped
        else:
            walk = Walk(self._signer.read(query.cursor, self._bound_to, self._now), self._endpoint.key)
            sweep, start = await self._lists.resume(listing, walk), walk.place.position
        stop = None if whole else start + query.page_size + 1
        sweep, rows = await self._lists.rows(listing, sweep, start, stop, walk=walk)
        return sweep, rows, start

    def _page(
        self, rows: Sequence[Row], joined: Mapping[Join, Joined], conditions: Conditions, place: tuple[int, int]
    ) -> tuple[list[Record], int]:
        """Give a page of the records that are wanted, and the row to go on at, or -1 at the end.

        The place is the number of the first row, and how many wanted records to pass over first.
        """
        records: list[Record] = []
        start, before = place
        stop = start
        for number, row in enumerate(rows):
            if not self._belongs(row):
                continue
            record = self._record(row, joined)
            if not conditions.met_by(record):
                continue
            if before:
                before -= 1
                continue
            if len(records) == self._question.query.page_size:
                return records, stop
            records.append(record)
            stop = start + number + 1
        return records, -1

    # --- the answer ---------------------------------------------------------------------------------------

    def _record(self, row: Row, joined: Mapping[Join, Joined]) -> Record:
        return make_record(self._endpoint, row, joined, self._reading.today)

    def _leave_out(self, joined: Mapping[Join, Joined]) -> None:
        """Take from the plan what would be read from lists that the vendor refuses."""
        question, completion = self._question, self._endpoint.completion
        self._refused = refused_paths(question.plan, joined)
        refusals = (joined[join].refusal for join in completion.joins if join in joined) if completion else ()
        refusal = next(filter(None, refusals), None)
        if completion and refusal:
            # Without what the row lacks they would be other values.
            wanted = [name for name in question.plan.rules if name in completion.fields]
            self._refused = {**dict.fromkeys(wanted, refusal), **self._refused}
        if self._refused:
            fields = [name for name in question.plan.rules if name not in self._refused]
            hidden = frozenset((*question.allowed.withheld, *self._refused))
            self._plan = compile_table(self._endpoint.table, fields, hidden)

    def _finish(self, body: dict[str, Any], records: Sequence[Record], data: Sequence[Mapping[str, Any]]) -> Composed:
        question = self._question
        if question.query.raw:
            body["raw"] = self._raw(records)
        lost = [frozenset(unreadable(self._plan, record, values)) for record, values in zip(records, data, strict=True)]
        count = sum(map(len, lost))
        if count:
            connector = self._reading.session.connector.key
            self._count_unreadable(connector, self._endpoint.table.resource.name, count)
        if question.query.reasons:
            closed = {
                path: [{"reason": "withheld_by_scope", "needs": why.needs, "granted_by": why.granter}]
                for path, why in question.allowed.withheld.items()
            }
            refused = refused_lines(self._reading.session.connector, self._refused)
            body["withheld"] = {**closed, **refused, **reasons(self._plan, records, data, lost)}
        withheld = (*question.allowed.withheld, *self._refused)
        return Composed(encode(body), self._lists.times, withheld, frozenset(self._lists.used), self._lists.failed)

    def _raw(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """Show the calls that were made, with the rows that belong to these records."""
        session, endpoint = self._reading.session, self._endpoint
        of_page = row_filter(
            (own_lists(endpoint), endpoint.key),
            [each.row for each in records],
            joins_for(endpoint, self._question.plan),
        )
        return show(session.connector, session.raw, self._question.visible, of_page)


def _readable(row: dict[str, Any]) -> Row:
    """Give a record with null for what cannot be read of it, or handed on."""
    try:
        encode_rows([row])
    except TypeError:
        row = mended(row)
    return settled(row)


def _narrowed(source: Collection, pushed: Mapping[str, str], extra: Mapping[str, tuple[str, ...]]) -> Collection:
    """Give a list narrowed by the filters that the vendor is trusted to know, and by the caller's own parameters.

    A vendor that refuses ours is asked without them, for they are applied here in any case; the caller's stay.
    """
    if extra:
        whole = source.whole and replace(source.whole, query={**source.whole.query, **extra}, sift=any_row)
        source = replace(source, query={**source.query, **extra}, whole=whole, sift=source.sift or any_row)
    if pushed:
        source = replace(source, query={**source.query, **pushed}, whole=source, sift=source.sift or any_row)
    return source
