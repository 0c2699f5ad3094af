"""Whether pages that were read one after the other, while the list may have changed, are the list: pure judgments.

A page is true of its own moment only. What is accepted here repeats nobody and misses nobody who was there
throughout; decision 25 says why, and on what it rests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.paging import Batch
from connectors.spec import Row

SKEW = timedelta(minutes=5)
"""By so much at most our clock and a vendor's are taken to differ: what Kerberos allows (RFC 4120)."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One reading of all pages, each of which begins with the last `overlap` rows of the one before.

    `names` are what tells rows apart, each once, and `flaw` says why the pages are not the list; empty if they may be.
    """

    rows: list[Row]
    names: frozenset[Any]
    flaw: str


def arrange(batches: Sequence[Batch], overlap: int, key: str) -> Pass:
    """Put pages together. They add up if all tell the same total, join, and hold so many different rows."""
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
    return Pass(rows, names, flaw)


def name_of(row: Row, key: str) -> Any:
    """Give what tells a row from others: its key, or all that it says where it has none."""
    value = row.get(key)
    return value if isinstance(value, str | int) and value != "" else (repr(row),)


def _names(rows: Sequence[Row], key: str, *, alone: bool) -> frozenset[Any]:
    """Name rows. Two of one page that have no key and say the same are two: nothing could have slipped there."""
    names = [name_of(row, key) for row in rows]
    if alone:
        names = [(number, name) if isinstance(name, tuple) else name for number, name in enumerate(names)]
    return frozenset(names)


def stood(rows: Sequence[Row], columns: Sequence[str], moment: datetime) -> bool:
    """Tell whether all rows say, in each of these columns, that they were in the list well before a moment."""
    latest = moment - SKEW
    return bool(columns) and all(_before(row.get(column), latest) for row in rows for column in columns)


def _before(stamp: Any, latest: datetime) -> bool:
    try:
        found = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        return False
    return (found if found.tzinfo else found.replace(tzinfo=UTC)) < latest
