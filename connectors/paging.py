"""How vendors page, as frozen values with pure methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Query: TypeAlias = tuple[tuple[str, str], ...]

MOST_PAGES = 10_000
"""Pages of one list, at most. A wrong total must not fill the memory with queries."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of a vendor list: its rows, and how many rows the list has in all."""

    rows: Sequence[Mapping[str, Any]]
    total: int


class Malformed(ValueError):
    """The vendor's answer does not have the documented shape. The text says what is wrong and quotes nothing."""


class Paging(Protocol):
    """One way to page, as pure functions over queries and decoded bodies."""

    def first(self) -> Query:
        """Returns the query of the first page."""

    def count(self) -> Query:
        """Returns the query of a page that is asked for the total alone, with as few rows as the vendor allows."""

    def rest(self, first: Batch, overlap: int) -> Sequence[Query]:
        """Returns the queries of all further pages, which may be sent at the same time. Raises `Malformed`.

        Each page begins with the last `overlap` rows of the page before it.
        """

    def parse(self, body: Any) -> Batch:
        """Returns the page in a decoded body. Raises `Malformed`."""

    def with_rows(self, body: Any, rows: Sequence[Any]) -> Any:
        """Returns a decoded list with other rows in it. Besides the rows only its numbers stay."""

    @property
    def size(self) -> int:
        """Returns the most rows that a page may have."""

    @property
    def reserved(self) -> frozenset[str]:
        """Returns the query parameters that belong to paging and that a caller may not set."""

    @property
    def rows(self) -> str:
        """Returns the name in an answer of the array that holds its rows."""

    @property
    def key(self) -> str:
        """Returns the column that identifies the rows of a list."""

    @property
    def created(self) -> str:
        """Returns the column with the time when a row was created; empty where the vendor does not say."""

    @property
    def updated(self) -> str:
        """Returns the column with the time when a row was last changed; empty where the vendor does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPaging:
    """Pages by limit and offset, with the total in each answer.

    A vendor may lower the limit, so the offsets are computed from the length of the first page and not from `size`.
    `key` names the column of ids, which are never used twice, not even after a record is deleted. `created` and
    `updated` name the columns that say when a record was created and last changed.
    """

    limit: str
    offset: str
    size: int
    rows: str = "data"
    total: str = "total"
    key: str = "id"
    created: str = ""
    updated: str = ""

    @property
    def reserved(self) -> frozenset[str]:
        """Returns the two parameters of paging."""
        return frozenset({self.limit, self.offset})

    def first(self) -> Query:
        """Returns the query of the first page."""
        return ((self.limit, str(self.size)), (self.offset, "0"))

    def count(self) -> Query:
        """Returns the query of a page with one row: a vendor may take a limit of 0 for none."""
        return ((self.limit, "1"), (self.offset, "0"))

    def rest(self, first: Batch, overlap: int) -> Sequence[Query]:
        """Returns the queries of all further pages. Raises `Malformed`."""
        held = len(first.rows)
        if held == 0 and first.total:
            raise Malformed(f"{self.rows!r} is empty though {self.total!r} is not 0")
        if held >= first.total:
            return ()
        stride = held - overlap
        if first.total > stride * MOST_PAGES:
            raise Malformed(f"{self.total!r} would take more than {MOST_PAGES} pages")
        return tuple(
            ((self.limit, str(self.size)), (self.offset, str(offset)))
            for offset in range(stride, first.total - overlap, stride)
        )

    def parse(self, body: Any) -> Batch:
        """Returns the page in a decoded body. Raises `Malformed`."""
        if not isinstance(body, dict):
            raise Malformed("the list is not a JSON object")
        rows, total = body.get(self.rows), body.get(self.total)
        if not isinstance(rows, list):
            raise Malformed(f"{self.rows!r} is not a list")
        # Leaving such a row out would look as if its record had been deleted.
        strange = sum(not isinstance(row, dict) for row in rows)
        if strange:
            raise Malformed(f"{strange} of {len(rows)} rows in {self.rows!r} are not objects")
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            raise Malformed(f"{self.total!r} is not a count")
        return Batch(rows, total)

    def with_rows(self, body: Any, rows: Sequence[Any]) -> Any:
        """Returns a decoded list with other rows in it."""
        return {**{name: value for name, value in body.items() if isinstance(value, int)}, self.rows: list(rows)}
