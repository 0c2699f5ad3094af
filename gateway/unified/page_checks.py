"""Checks that pages which were read one after the other make up the list. Pure functions.

The list may have changed between two pages. Pages that are accepted here repeat no row, and miss no row that was there
all the time. Decision 25 explains why, and on which assumptions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.paging import Batch
from connectors.spec import Row

SKEW = timedelta(minutes=5)
"""The largest difference assumed between our clock and a vendor's, as in Kerberos (RFC 4120)."""


@dataclass(frozen=True, slots=True)
class PagePass:
    """One reading of all pages.

    `names` identify its rows. `flaw` says why the pages are not the list; it is empty where they are.
    """

    rows: list[Row]
    names: frozenset[Any]
    flaw: str


def arrange(batches: Sequence[Batch], overlap: int, key: str) -> PagePass:
    """Joins pages, each of which begins with the last `overlap` rows of the page before.

    The result has no flaw if all pages state the same total, their overlaps are equal, and there are that many
    different rows.
    """
    total = batches[0].total
    rows: list[Row] = []
    flaw = ""
    for number, batch in enumerate(batches):
        again = overlap if number else 0
        ours, theirs = rows[len(rows) - again :], batch.rows[:again]
        if batch.total != total:
            flaw = flaw or f"it counted {total} rows and then {batch.total}"
        if [name_of(row, key) for row in ours] != [name_of(row, key) for row in theirs]:
            flaw = flaw or f"page {number + 1} does not begin where page {number} ends"
        rows += batch.rows[again:]
    names = _names(rows, key, alone=len(batches) == 1)
    if len(rows) != total or len(names) != total:
        flaw = flaw or f"its pages held {len(names)} different rows, {len(rows)} in all, of {total}"
    return PagePass(rows, names, flaw)


def name_of(row: Row, key: str) -> Any:
    """Returns what identifies a row: its key, or its whole content where it has none."""
    value = row.get(key)
    return value if isinstance(value, str | int) and value != "" else (repr(row),)


def _names(rows: Sequence[Row], key: str, *, alone: bool) -> frozenset[Any]:
    """Returns the names of rows. On a single page, equal rows without a key are two: one page repeats nothing."""
    names = [name_of(row, key) for row in rows]
    if alone:
        names = [(number, name) if isinstance(name, tuple) else name for number, name in enumerate(names)]
    return frozenset(names)


def are_older(rows: Sequence[Row], columns: Sequence[str], moment: datetime) -> bool:
    """Returns whether all rows state, in each of these columns, a time well before a moment."""
    latest = moment - SKEW
    found = (moment_of(row.get(column)) for row in rows for column in columns)
    return bool(columns) and all(each is not None and each < latest for each in found)


def moment_of(stamp: Any) -> datetime | None:
    """Returns the moment that a vendor's stamp states, or None for what is no stamp."""
    try:
        found = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
