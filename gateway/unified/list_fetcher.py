"""Fetches all rows of a vendor's list, page by page, and checks that the pages make up the list."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connectors.exchange import Request
from connectors.paging import Batch, Malformed, Paging
from connectors.spec import Collection, Row
from gateway.concurrency import together
from gateway.errors import VendorFailure
from gateway.unified.list_request import ListRequest
from gateway.unified.page_checks import PagePass, are_older, arrange
from gateway.unified.vendor_page import read_page
from gateway.upstream.vendor import VendorClient, VendorRefusal, VendorSession, malformed, without

_ATTEMPTS = 3
"""Readings with a flaw before the list is given up."""
SAFE_KEY = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}")
"""The form of a vendor's id. It is one segment of a path, so that it cannot lead to another path."""


class ListFetcher:
    """Fetches lists. Asks for up to `concurrency` pages of a list at once."""

    def __init__(self, client: VendorClient, concurrency: int) -> None:
        self._client = client
        self._clock = client.clock
        self._concurrency = concurrency

    async def rows(self, session: VendorSession, request: ListRequest) -> list[Row]:
        """Returns all rows of a list. Raises `VendorFailure`, and `VendorRefusal` where the vendor refuses the list.

        A list that stands for a single record has one row, or none where the vendor refuses that record (403, 404).
        """
        if not request.collection.single:
            return await self._pages(session, request)
        if not SAFE_KEY.fullmatch(request.own_key):
            return []
        try:
            row = await self._client.get(session, Request("GET", request.path, request.query))
        except VendorRefusal as refusal:
            if refusal.status == 401:
                raise
            return []  # Missing, or not for this token: vendors answer both in the same way.
        if not isinstance(row, dict):
            raise VendorFailure(f"{session.connector.name} answered {request.collection.path} with what is no record.")
        return (
            list(without([row], session.connector.never))
            if row.get(session.connector.paging.key) == request.own_key
            else []
        )

    async def _pages(self, session: VendorSession, request: ListRequest) -> list[Row]:
        """Returns the rows of all pages. Raises `VendorFailure` after three readings with a flaw.

        If rows may have been added during a reading, it counts only when the next reading finds the same rows: an added
        row shifts the pages, so that a row that was there all the time can be missed.
        """
        tries, before = 0, None
        while True:
            found, sure = await self._pass(session, request)
            flaw = found.flaw
            if not flaw and (sure or found.names == before):
                return found.rows
            if not flaw and before is not None:
                flaw = f"read again, {len(found.names ^ before)} of its rows had come or gone"
            tries += bool(flaw)
            before = None if found.flaw else found.names
            if tries == _ATTEMPTS:
                path = request.collection.path
                raise VendorFailure(
                    f"{session.connector.name} changed {path} while it was read, {_ATTEMPTS} times; try again. "
                    f"The last time {flaw}."
                )

    async def _pass(self, session: VendorSession, request: ListRequest) -> tuple[PagePass, bool]:
        """Reads all pages once. Returns the reading, and whether it is certain that no row was added meanwhile."""
        paging, path = session.connector.paging, request.collection.path
        columns = _stamps(paging, request.collection)
        limit, began = asyncio.Semaphore(self._concurrency), self._clock.now()

        async def page(where: tuple[tuple[str, str], ...]) -> Batch:
            asked = Request("GET", path, request.query + where)
            async with limit:
                answer = await self._client.ask(session, asked)
            try:
                batch = read_page(session, request.collection, answer)
                if batch is not None:
                    return batch
                batch = paging.parse(self._client.decoded(session, asked, answer))
            except Malformed as error:
                raise malformed(session, path, error) from error
            never = session.connector.never
            return replace(batch, rows=without(batch.rows, never)) if _has_any(batch.rows, never) else batch

        first = await page(paging.first())
        # Pages overlap by one row: if the row that ends a page also begins the next one, no row was lost between them.
        overlap = 1 if len(first.rows) > 1 else 0
        try:
            rest = paging.rest(first, overlap)
            if len(rest) > len(paging.rest(first, 0)) and are_older(first.rows, columns, began):
                # The overlap would cost one more page, and the dates of the rows show that none was added.
                rest, overlap = paging.rest(first, 0), 0
        except Malformed as error:
            raise malformed(session, path, error) from error
        batches = [first, *await together(page(where) for where in rest)]
        found = arrange(batches, overlap, paging.key)
        return found, not rest or await _all_older(batches, columns, began)


async def _all_older(batches: Sequence[Batch], columns: Sequence[str], moment: datetime) -> bool:
    """Returns whether the rows of all pages are older than a moment. Other requests run between two pages."""
    for batch in batches:
        if not are_older(batch.rows, columns, moment):
            return False
        await asyncio.sleep(0)
    return True


def _has_any(rows: Sequence[Row], columns: frozenset[str]) -> bool:
    return any(columns & row.keys() for row in rows)


def _stamps(paging: Paging, collection: Collection) -> tuple[str, ...]:
    """Returns the columns that say when a row came into the list; empty where they cannot tell.

    A change of a row can bring it into a narrowed list, so there the time of the last change counts too.
    """
    columns = (paging.created, paging.updated) if collection.narrows else (paging.created,)
    return columns if all(columns) else ()
