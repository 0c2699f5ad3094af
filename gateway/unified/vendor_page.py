"""A page of a vendor's list, kept as the vendor's own JSON, whose rows are decoded only when they are needed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.exchange import Answer
from connectors.paging import Batch
from connectors.spec import Collection, Row
from gateway.cache.compression import pack, unpack
from gateway.unified.row_text import Columns, find_rows, read_columns
from gateway.upstream.decoding import LARGEST, UNREADABLE_COLUMNS, decode_rows, is_json, media_type, null_lost_columns
from gateway.upstream.vendor import VendorSession

SMALLEST = 32 << 10
"""Bytes of the smallest answer that is kept so. Smaller ones are decoded in half a millisecond."""


class VendorPage:
    """The rows of a page, compressed, and some of their columns. All rows have those that are `shown`."""

    __slots__ = ("_decoded", "columns", "packed", "shown")

    def __init__(self, text: bytes, columns: Columns, shown: tuple[str, ...]) -> None:
        self.packed = pack(text)
        self.columns = columns
        self.shown = shown
        self._decoded: Sequence[Mapping[str, Any]] | None = None

    @property
    def decoded(self) -> Sequence[Mapping[str, Any]]:
        """Returns all rows of the page, decoded."""
        if self._decoded is None:
            self._decoded = decode_rows(unpack(self.packed))
        return self._decoded


class PageRow(Mapping[str, Any]):
    """A row of a page. The columns that were read with the page cost nothing; any other one decodes it."""

    __slots__ = ("number", "page")

    def __init__(self, page: VendorPage, number: int) -> None:
        self.page = page
        self.number = number

    def get(self, column: str, instead: Any = None) -> Any:
        """Returns a value of the row, or `instead`."""
        known = self.page.columns.get(column)
        value = None if known is None else known[self.number]
        return self._row.get(column, instead) if value is None and column not in self.page.shown else value

    def __contains__(self, column: object) -> bool:
        return column in self.page.shown or column in self._row

    def __getitem__(self, column: str) -> Any:
        return self._row[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)

    def __repr__(self) -> str:
        return repr(self._row)

    @property
    def _row(self) -> Mapping[str, Any]:
        return self.page.decoded[self.number]


def readable_row(row: Row) -> Row:
    """Returns a row with null for what could not be read; a row of a page is one already."""
    return row if isinstance(row, PageRow) else null_lost_columns(row)


def read_page(session: VendorSession, collection: Collection, answer: Answer) -> Batch | None:
    """Returns the page in an answer, without decoding its rows; None where it has to be decoded.

    That is so for small pages and for lists whose rows are filtered here; where a caller wants the vendor's own answer;
    where rows have columns that must never leave it; and where something in it could not be read.
    """
    connector = session.connector
    if not SMALLEST <= len(answer.body) <= LARGEST or collection.sift is not None or session.record_raw:
        return None
    if not is_json(media_type(answer.headers)):
        return None
    paging = connector.paging
    found = find_rows(answer.body, paging.rows)
    if found is None:
        return None
    around, text = found
    columns = (paging.key, paging.created, paging.updated, *connector.lookups.get(collection.path, ()))
    shown = collection.changes.shows if collection.changes else ()
    wanted = tuple(dict.fromkeys(name for name in columns if name and name not in shown))
    unwanted = connector.never | {UNREADABLE_COLUMNS}
    known = read_columns(text, wanted, unwanted, required=shown)
    if not known and shown:
        shown = ()
        known = read_columns(text, tuple(dict.fromkeys(filter(None, columns))), unwanted)
    if not known:
        return None
    page = VendorPage(text, known, shown)
    rows = [PageRow(page, number) for number in range(len(known[paging.key]))]
    return Batch(rows, paging.parse(around).total)
