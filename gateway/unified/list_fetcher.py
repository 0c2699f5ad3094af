"""Fetching the rows of a list from a vendor, page by page, until they are the list without a doubt."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from connectors.exchange import Request
from connectors.paging import Batch, Malformed, Paging
from connectors.spec import OWN_KEY, TODAY, Collection, Row
from gateway.concurrency import together
from gateway.errors import VendorFailure
from gateway.unified.page_checks import Pass, arrange, stood
from gateway.upstream.vendor import VendorClient, VendorRefusal, VendorSession, malformed, without

_ATTEMPTS = 3
SAFE_KEY = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}")
"""What may be a vendor's id: one segment of a path, and no way out of it."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list as it is asked for: its name on the shelf, its query, and whether a refusal is an answer."""

    collection: Collection
    query: tuple[tuple[str, str], ...]
    pointer: str
    digest: str
    optional: bool
    path: str
    own_key: str
    today: date

    @property
    def unaccepted(self) -> str:
        """Name the fact that the vendor refuses such a query, whatever its values."""
        return f"refuses {self.collection.path} {' '.join(sorted({name for name, _ in self.query}))}"


class ListFetcher:
    """Fetches lists. `side_by_side` pages are asked for at once."""

    def __init__(self, asker: VendorClient, side_by_side: int) -> None:
        self._asker = asker
        self._clock = asker.clock
        self._side_by_side = side_by_side

    async def rows(self, session: VendorSession, wanted: ListRequest) -> list[Row]:
        if not wanted.collection.single:
            return await self._pages(session, wanted)
        if not SAFE_KEY.fullmatch(wanted.own_key):
            return []
        try:
            row = await self._asker.ask(session, Request("GET", wanted.path, wanted.query))
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            return []  # Not there, or not for this token: vendors do not tell them apart.
        if not isinstance(row, dict):
            raise VendorFailure(f"{session.connector.name} answered {wanted.collection.path} with what is no record.")
        return (
            list(without([row], session.connector.never))
            if row.get(session.connector.paging.key) == wanted.own_key
            else []
        )

    async def _pages(self, session: VendorSession, wanted: ListRequest) -> list[Row]:
        """Fetch all pages until they are the list without a doubt. Raises `VendorFailure` after three tries.

        Where rows may have come while the list was read, it is only whole if the next reading finds the same ones.
        """
        tries, before = 0, None
        while True:
            found, sure = await self._pass(session, wanted)
            flaw = found.flaw
            if not flaw and (sure or found.names == before):
                return found.rows
            if not flaw and before is not None:
                flaw = f"read again, {len(found.names ^ before)} of its rows had come or gone"
            tries += bool(flaw)
            before = None if found.flaw else found.names
            if tries == _ATTEMPTS:
                path = wanted.collection.path
                raise VendorFailure(
                    f"{session.connector.name} changed {path} while it was read, {_ATTEMPTS} times; try again. "
                    f"The last time {flaw}."
                )

    async def _pass(self, session: VendorSession, wanted: ListRequest) -> tuple[Pass, bool]:
        """Read all pages once. Tell, too, whether none of the rows can have come meanwhile."""
        paging, path = session.connector.paging, wanted.collection.path
        columns = _stamps(paging, wanted.collection)
        gate, began = asyncio.Semaphore(self._side_by_side), self._clock.now()

        async def page(where: tuple[tuple[str, str], ...]) -> Batch:
            async with gate:
                body = await self._asker.ask(session, Request("GET", path, wanted.query + where))
            try:
                batch = paging.parse(body)
            except Malformed as error:
                raise malformed(session, path, error) from error
            never = session.connector.never
            return replace(batch, rows=without(batch.rows, never)) if _has_any(batch.rows, never) else batch

        first = await page(paging.first())
        overlap = 1 if len(first.rows) > 1 else 0
        try:
            rest = paging.rest(first, overlap)
            if len(rest) > len(paging.rest(first, 0)) and stood(first.rows, columns, began):
                # The overlap would cost a page more, and what the rows say of themselves will do.
                rest, overlap = paging.rest(first, 0), 0
        except Malformed as error:
            raise malformed(session, path, error) from error
        batches = [first, *await together(page(where) for where in rest)]
        found = arrange(batches, overlap, paging.key)
        return found, not rest or stood(found.rows, columns, began)


def filled(collection: Collection, today: date, own_key: str) -> tuple[tuple[str, str], ...]:
    """Give a collection's query with its placeholders filled."""
    values = {TODAY: today.isoformat(), OWN_KEY: own_key}
    return tuple((name, values.get(value, value)) for name, value in collection.pairs())


def _has_any(rows: Sequence[Row], columns: frozenset[str]) -> bool:
    return any(columns & row.keys() for row in rows)


def _stamps(paging: Paging, collection: Collection) -> tuple[str, ...]:
    """Name the columns that say when a row came into a list: into a narrowed one it may come by a change."""
    wanted = (paging.created, paging.updated) if collection.narrows else (paging.created,)
    return wanted if all(wanted) else ()


def sifted(rows: Sequence[Row], wanted: ListRequest) -> Sequence[Row]:
    """Leave out the rows that do not belong to a list, which a vendor that ignores its query gives too."""
    sift = wanted.collection.sift
    return rows if sift is None else [row for row in rows if sift(row, wanted.own_key, wanted.today)]
