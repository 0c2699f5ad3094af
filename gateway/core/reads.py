"""Composing the answer to a read: which lists it takes, which slice of them, and what has to be said with it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import orjson

from connectors import ids
from connectors.contract import Operation
from connectors.exchange import Request
from connectors.hris.filters import FILTERS
from connectors.spec import Collection, Endpoint, Join, Row
from gateway.core.ask import Asker, VendorRefusal, without
from gateway.core.cursor import Cursor, CursorSigner, mark, stale
from gateway.core.errors import BadRequest, Forbidden, NotFound, VendorFailure
from gateway.core.freshness import NO_DIRECTIVES
from gateway.core.mapping import REFUSED, Joined, Plan, Record, compile_table, index, reasons
from gateway.core.policy import Allowed
from gateway.core.query import Query
from gateway.core.sweeps import Reading, Sweep, Sweeps
from gateway.core.together import pair, together

_SAFE_KEY = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}")
_FEW = 3
"""Up to so many records, joined lists are asked for each record alone instead of whole."""
CHANGED = "the list has changed and the reading that it belongs to is no longer kept"


@dataclass(frozen=True, slots=True)
class Question:
    """A read that has been admitted: what is asked, and what of it may be shown."""

    operation: Operation
    endpoint: Endpoint
    query: Query
    allowed: Allowed
    plan: Plan
    key: str = ""

    @property
    def binding(self) -> str:
        """What a cursor of this question is bound to, besides the account."""
        return f"{self.operation.id}\n{self.query.canonical()}"


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer's body, when the oldest part of it was read, and until when it is fresh (seconds since the epoch)."""

    body: bytes
    made_at: float
    fresh_until: float


class Reads:
    """Answers admitted questions from sweeps and single records."""

    def __init__(self, asker: Asker, sweeps: Sweeps, signer: CursorSigner) -> None:
        self._asker = asker
        self._sweeps = sweeps
        self._signer = signer

    async def compose(self, question: Question, reading: Reading) -> Composed:
        work = _Work(self._asker, self._sweeps, self._signer, question, reading)
        return await (work.answer_list() if question.operation.kind == "list" else work.answer_get())


class _Work:
    """One composition. Remembers which readings it used, for the answer's age."""

    def __init__(
        self, asker: Asker, sweeps: Sweeps, signer: CursorSigner, question: Question, reading: Reading
    ) -> None:
        self._asker = asker
        self._sweeps = sweeps
        self._signer = signer
        self._question = question
        self._reading = reading
        self._made_at = reading.now
        self._fresh_until = float("inf")
        self._bound_to = f"{reading.talk.linked.account.id}\n{question.binding}"

    async def answer_list(self) -> Composed:
        query, endpoint = self._question.query, self._question.endpoint
        filters = compile_table(endpoint.table, [FILTERS[name].field for name in query.filters], frozenset(), "filter.")
        joins = list(dict.fromkeys([*self._question.plan.joins, *filters.joins]))
        listing, narrowed = self._listing()
        if narrowed:
            sweep, start = await self._begin(listing)
            sweep, rows = await self._rows(sweep, listing, start)
            joined = await self._join(joins, rows if len(rows) <= _FEW else None)
        else:
            (sweep, start), joined = await pair(self._begin(listing), self._join(joins, None))
            # One row more than the page, to know whether the page is the last.
            stop = None if query.filters else start + query.page_size + 1
            sweep, rows = await self._rows(sweep, listing, start, stop)
        records, stop = self._page(rows, joined, filters, start)
        last = records[-1].row.get(endpoint.key) if records else None
        cursor = None
        if stop >= 0:
            place = Cursor(sweep.id, stop, sweep.total, mark(str(last)), int(self._reading.now))
            cursor = self._signer.write(place, self._bound_to)
        data = [self._question.plan.unify(record) for record in records]
        return self._finish({"next": cursor, "data": data}, records, data)

    async def answer_get(self) -> Composed:
        endpoint, talk = self._question.endpoint, self._reading.talk
        remote_id = ids.decode(endpoint.kind, self._question.key)
        missing = NotFound(f"There is no such {endpoint.kind}, or this account's token may not see it.")
        if remote_id is None or not _SAFE_KEY.fullmatch(remote_id):
            raise missing
        path = endpoint.record.replace("{key}", quote(remote_id, safe=""))
        try:
            row = await self._asker.ask(talk, Request("GET", path, self._extra()))
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            raise missing from refusal
        if not isinstance(row, dict):
            raise VendorFailure(f"{talk.connector.name} answered {endpoint.record} with something that is no record.")
        if row.get(endpoint.key) != remote_id:
            raise missing
        [row] = without([row], talk.connector.never)
        self._note(self._reading.now, self._sweeps.seconds(endpoint.listing))
        joined = await self._join(self._question.plan.joins, [row])
        record = self._record(row, joined)
        data = self._question.plan.unify(record)
        return self._finish({"data": data}, [record], [data])

    # --- lists --------------------------------------------------------------------------------------------

    def _extra(self) -> tuple[tuple[str, str], ...]:
        """Give the caller's `proxy` parameters; raises `BadRequest` for those that belong to paging."""
        reserved = self._reading.talk.connector.paging.reserved
        taken = sorted({name for name, _ in self._question.query.proxy if name.partition("[")[0] in reserved})
        if taken:
            raise BadRequest(f"proxy cannot set {', '.join(taken)}: paging upstream is the gateway's, use page_size")
        return self._question.query.proxy

    def _listing(self) -> tuple[Collection, bool]:
        """Give the list to read, and whether the vendor narrows it by a filter of the caller."""
        endpoint = self._question.endpoint
        pushed = {
            theirs: self._question.query.filters[ours]
            for ours, theirs in endpoint.filters.items()
            if ours in self._question.query.filters
        }
        extra: dict[str, tuple[str, ...]] = {}
        for name, value in self._extra():
            extra[name] = (*extra.get(name, ()), value)
        if not pushed and not extra:
            return endpoint.listing, False
        return replace(endpoint.listing, query={**endpoint.listing.query, **pushed, **extra}), bool(pushed)

    async def _begin(self, listing: Collection) -> tuple[Sweep, int]:
        """Give the sweep to read and the row to begin at: of a filtered list the first, whatever the page."""
        query = self._question.query
        if query.cursor is None:
            return await self._open(listing), 0 if query.filters else query.skipped
        place = self._signer.read(query.cursor, self._bound_to, self._reading.now)
        sweep_kept = await self._sweeps.reopen(self._reading.shelf, place.sweep)
        if sweep_kept is not None:
            before = await self._sweeps.rows(self._reading.shelf, sweep_kept, place.position - 1, place.position)
            if before is not None:
                self._note(sweep_kept.made_at, self._sweeps.seconds(listing))
                return sweep_kept, place.position
        return await self._resume(listing, place), place.position

    async def _resume(self, listing: Collection, place: Cursor) -> Sweep:
        """Go on with a walk whose sweep is gone, if the list still stands as the walk has left it."""
        sweep, before = await self._rows(await self._open(listing), listing, place.position - 1, place.position)
        key = self._question.endpoint.key
        if sweep.total != place.total or not before or mark(str(before[0].get(key))) != place.last:
            raise stale(CHANGED)
        return sweep

    async def _open(self, listing: Collection, reading: Reading | None = None) -> Sweep:
        try:
            sweep = await self._sweeps.open(reading or self._reading, listing)
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            name = self._reading.talk.connector.name
            raise Forbidden(
                f"{name} refuses {listing.path} to this account's token though its scopes cover it: "
                "the role of the person who made the token may not see it.",
                provider_errors=[refusal.provider],
            ) from refusal
        self._note(sweep.made_at, self._sweeps.seconds(listing))
        return sweep

    async def _rows(
        self, sweep: Sweep, listing: Collection, start: int, stop: int | None = None
    ) -> tuple[Sweep, Sequence[Row]]:
        """Give rows of the list, to the end without a `stop`, and the sweep that they are of.

        That is another sweep where rows were evicted while their head was not; a walk goes on only if it is as long.
        """
        rows = await self._sweeps.rows(self._reading.shelf, sweep, start, stop)
        if rows is not None:
            return sweep, rows
        fresh = await self._open(listing, self._anew)
        if self._question.query.cursor is not None and fresh.total != sweep.total:
            raise stale(CHANGED)
        return fresh, await self._sweeps.rows(self._reading.shelf, fresh, start, stop) or ()

    @property
    def _anew(self) -> Reading:
        return replace(self._reading, directives=replace(NO_DIRECTIVES, no_cache=True))

    def _page(
        self, rows: Sequence[Row], joined: Mapping[Join, Joined], filters: Plan, start: int
    ) -> tuple[list[Record], int]:
        """Give a page of the records that pass the filters, and the row to go on at, or -1 at the end."""
        query = self._question.query
        wanted = [(FILTERS[name], value) for name, value in query.filters.items()]
        before = query.skipped if query.filters else 0
        records: list[Record] = []
        stop = start
        for number, row in enumerate(rows):
            record = self._record(row, joined)
            values = filters.unify(record)
            if not all(_passes(each.test, values[each.field], value) for each, value in wanted):
                continue
            if before:
                before -= 1
                continue
            if len(records) == query.page_size:
                return records, stop
            records.append(record)
            stop = start + number + 1
        return records, -1

    # --- joins --------------------------------------------------------------------------------------------

    async def _join(self, joins: Sequence[Join], only: Sequence[Row] | None) -> Mapping[Join, Joined]:
        """Read the joined lists: whole, or for a few records alone where the join can be narrowed."""
        found = await together(self._joined(join, only) for join in joins)
        return dict(zip(joins, found, strict=True))

    async def _joined(self, join: Join, only: Sequence[Row] | None) -> Joined:
        wanted: list[tuple[Collection, str]] = [(collection, "") for collection in join.collections]
        if only is not None and join.narrow is not None:
            keys = dict.fromkeys(row.get(join.on) for row in only)
            wanted = [(join.narrow, key) for key in keys if isinstance(key, str) and key]
        if join.embed is not None:
            wanted.append((join.embed.collection, ""))
        lists = await together(self._whole(collection, key) for collection, key in wanted)
        embedded = lists.pop() if join.embed is not None else ()
        if any(rows is None for rows in lists):
            return REFUSED
        return index(join, [row for rows in lists for row in rows or ()], embedded or ())

    async def _whole(self, collection: Collection, key: str) -> Sequence[Row] | None:
        """Give all rows of a joined list, or None where the vendor refuses it."""
        sweep = await self._sweeps.open(self._reading, collection, key, optional=True)
        rows = await self._sweeps.rows(self._reading.shelf, sweep, 0)
        if rows is None:
            sweep = await self._sweeps.open(self._anew, collection, key, optional=True)
            rows = sweep.rows or ()
        self._note(sweep.made_at, self._sweeps.seconds(collection))
        return None if sweep.refused else rows

    # --- the answer ---------------------------------------------------------------------------------------

    def _record(self, row: Row, joined: Mapping[Join, Joined]) -> Record:
        return Record(row, joined, self._reading.today)

    def _note(self, made_at: float, fresh_seconds: int) -> None:
        self._made_at = min(self._made_at, made_at)
        self._fresh_until = min(self._fresh_until, made_at + fresh_seconds)

    def _finish(self, body: dict[str, Any], records: Sequence[Record], data: Sequence[Mapping[str, Any]]) -> Composed:
        question = self._question
        if question.query.raw:
            body["raw"] = self._reading.talk.raw
        if question.query.reasons:
            closed = {
                path: [{"reason": "withheld_by_scope", "needs": why.needs, "granted_by": why.granter}]
                for path, why in question.allowed.withheld.items()
            }
            body["withheld"] = {**closed, **reasons(question.plan, records, data)}
        return Composed(orjson.dumps(body), self._made_at, self._fresh_until)


def _passes(test: str, value: Any, wanted: str) -> bool:
    if not isinstance(value, str):
        return False
    return value > wanted if test == "after" else value == wanted
