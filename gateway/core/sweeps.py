"""Vendor lists, fetched whole and kept for a while.

A sweep is one complete reading of a list. It is kept in blocks, so that a caller's small pages are slices of what
was fetched once; a walk holds on to its sweep by id, so that all its pages come from the same reading.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any

import orjson

from connectors.exchange import Request
from connectors.paging import Batch, Malformed
from connectors.spec import OWN_KEY, TODAY, Collection, Row
from gateway.core.ask import Asker, Conversation, VendorRefusal, encode, malformed, without
from gateway.core.errors import VendorFailure
from gateway.core.freshness import Directives
from gateway.core.shelf import Shelf, pack, unpack
from gateway.core.together import together

BLOCK = 250
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Sweep:
    """A complete reading of a list, made at `made_at` (seconds since the epoch).

    `rows` is set while the sweep is in hand, else its blocks are read from the shelf. `refused` marks a list that
    the vendor does not give to this token.
    """

    id: str
    made_at: float
    total: int
    refused: bool = False
    rows: Sequence[Row] | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long sweeps are kept: fresh seconds for each resource, and how long a walk may hold on to one."""

    fresh: Mapping[str, int]
    default_fresh: int
    held: int

    def seconds(self, resource: str) -> int:
        return self.fresh.get(resource, self.default_fresh)


@dataclass(frozen=True, slots=True)
class Reading:
    """One request's way to lists: its conversation, its account's shelf, and what of the shelf it may use."""

    talk: Conversation
    shelf: Shelf
    directives: Directives
    today: date
    now: float
    new_id: str


class Sweeps:
    """Opens lists: from the shelf while fresh, else from the vendor. `side_by_side` pages are fetched at once."""

    def __init__(self, asker: Asker, keeping: Keeping, side_by_side: int) -> None:
        self._asker = asker
        self._keeping = keeping
        self._side_by_side = side_by_side

    def seconds(self, collection: Collection) -> int:
        """Give how long a reading of this list counts as fresh."""
        return self._keeping.seconds(collection.resource)

    async def open(
        self, reading: Reading, collection: Collection, own_key: str = "", *, optional: bool = False
    ) -> Sweep:
        """Give a sweep that is fresh enough for the request. Raises what asking raises.

        An `optional` list that the vendor refuses (403, 404) is a `refused` sweep, and that is remembered too.
        """
        query = filled(collection, reading.today, own_key)
        digest = sha256(repr((collection.path, query)).encode()).hexdigest()[:24]
        pointer = reading.shelf.key("list", f"{reading.talk.linked.account.revision}:{digest}")
        seconds = self.seconds(collection)
        if reading.directives.may_read:
            [kept] = await reading.shelf.read_current([pointer])
            found = _sweep(kept)
            age = reading.now - found.made_at if found else 0
            if found and age < seconds and reading.directives.accepts(age) and (optional or not found.refused):
                return found
        elif not reading.directives.no_store:
            await reading.shelf.note_generation()
        sweep_id = sha256(f"{reading.new_id}{digest}".encode()).hexdigest()[:16]
        try:
            rows = await self._fetch(reading.talk, collection.path, query)
            sweep = Sweep(sweep_id, reading.now, len(rows), rows=rows)
        except VendorRefusal as refusal:
            if refusal.status == 401 or not optional:
                raise
            sweep = Sweep(sweep_id, reading.now, 0, refused=True, rows=())
        if not reading.directives.no_store:
            await self._keep(reading.shelf, pointer, sweep, seconds)
        return sweep

    async def reopen(self, shelf: Shelf, sweep_id: str) -> Sweep | None:
        """Give the sweep that a walk holds on to, or None when it is no longer kept."""
        [kept] = await shelf.read([shelf.key("sweep", sweep_id)])
        return _sweep(kept)

    async def rows(self, shelf: Shelf, sweep: Sweep, start: int, stop: int | None = None) -> Sequence[Row] | None:
        """Give rows `start` to `stop` (or the end) of a sweep, or None when some of them are no longer kept."""
        stop = sweep.total if stop is None else min(stop, sweep.total)
        if sweep.rows is not None:
            return sweep.rows[start:stop]
        if start >= stop:
            return ()
        first = start // BLOCK
        numbers = range(first, (stop - 1) // BLOCK + 1)
        blocks = await shelf.read([shelf.key("rows", f"{sweep.id}:{number}") for number in numbers])
        rows: list[Row] = []
        for block in blocks:
            if block is None:
                return None
            rows += orjson.loads(unpack(block))
        return rows[start - first * BLOCK : stop - first * BLOCK]

    async def _keep(self, shelf: Shelf, pointer: str, sweep: Sweep, seconds: int) -> None:
        rows = sweep.rows or ()
        if seconds <= 0:
            return
        head = orjson.dumps(replace(sweep, rows=None))
        values = {shelf.key("sweep", sweep.id): head}
        for number, start in enumerate(range(0, len(rows), BLOCK)):
            values[shelf.key("rows", f"{sweep.id}:{number}")] = pack(encode(rows[start : start + BLOCK]))
        if await shelf.write(values, seconds + self._keeping.held):
            await shelf.write_current({pointer: head}, seconds)

    async def _fetch(self, talk: Conversation, path: str, query: tuple[tuple[str, str], ...]) -> list[dict[str, Any]]:
        """Fetch all pages; begin again when the list changes its length meanwhile, since offsets then slip."""
        paging = talk.connector.paging
        gate = asyncio.Semaphore(self._side_by_side)

        async def page(where: tuple[tuple[str, str], ...]) -> Batch:
            async with gate:
                body = await self._asker.ask(talk, Request("GET", path, query + where))
            try:
                return paging.parse(body)
            except Malformed as error:
                raise malformed(talk, path, error) from error

        for _ in range(_ATTEMPTS):
            first = await page(paging.first())
            try:
                rest = paging.rest(first)
            except Malformed as error:
                raise malformed(talk, path, error) from error
            batches = [first, *await together(page(where) for where in rest)]
            rows = [row for batch in batches for row in batch.rows]
            if len(rows) == first.total and all(batch.total == first.total for batch in batches):
                never = talk.connector.never
                return without(rows, never) if any(never & row.keys() for row in rows) else rows
        raise VendorFailure(f"{talk.connector.name} changed {path} while it was read, {_ATTEMPTS} times; try again.")


def filled(collection: Collection, today: date, own_key: str) -> tuple[tuple[str, str], ...]:
    """Give a collection's query with its placeholders filled."""
    values = {TODAY: today.isoformat(), OWN_KEY: own_key}
    return tuple((name, values.get(value, value)) for name, value in collection.pairs())


def _sweep(kept: bytes | None) -> Sweep | None:
    return None if kept is None else Sweep(**orjson.loads(kept))
