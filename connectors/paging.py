"""The ways vendors page, as frozen values with pure methods."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Query: TypeAlias = tuple[tuple[str, str], ...]

MOST_PAGES = 10_000
"""Pages of one list, at most: what a vendor says of its length must not cost us our memory."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of a vendor list: its rows, and how many rows the list has in all."""

    rows: list[dict[str, Any]]
    total: int


class Malformed(ValueError):
    """The vendor's answer does not have the promised shape; the text says what is wrong and quotes nothing."""


class Paging(Protocol):
    """A way vendors page, as pure functions over queries and decoded bodies."""

    def first(self) -> Query:
        """Give the query of the first page."""

    def rest(self, first: Batch, overlap: int) -> Sequence[Query]:
        """Give the queries of all further pages, which may be sent side by side; raises `Malformed`.

        Each begins with the last `overlap` rows of the page before it.
        """

    def parse(self, body: Any) -> Batch:
        """Read a decoded body; raises `Malformed`."""

    def with_rows(self, body: Any, rows: Sequence[Any]) -> Any:
        """Returns a decoded list, which `parse` reads, with other rows in it; beside them only its counts stay."""

    @property
    def reserved(self) -> frozenset[str]:
        """Give the query parameters that belong to paging and that a caller may not set."""

    @property
    def key(self) -> str:
        """Name the column that tells the rows of a list apart."""

    @property
    def created(self) -> str:
        """Name the column that says when a row was made; empty where the vendor does not say."""

    @property
    def updated(self) -> str:
        """Name the column that says when a row was last changed; empty where the vendor does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPaging:
    """Pages by limit and offset, with the total in each answer.

    A vendor may clamp the limit: the stride goes by what the first page really held, not by what was asked. A vendor
    gives no `id` twice, not even after a record is deleted; `key` names that column, `created` and `updated` those
    that say when a record was made and last changed.
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
        return frozenset({self.limit, self.offset})

    def first(self) -> Query:
        return ((self.limit, str(self.size)), (self.offset, "0"))

    def rest(self, first: Batch, overlap: int) -> Sequence[Query]:
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
        if not isinstance(body, dict):
            raise Malformed("the list is not a JSON object")
        rows, total = body.get(self.rows), body.get(self.total)
        if not isinstance(rows, list):
            raise Malformed(f"{self.rows!r} is not a list")
        # To leave such a row out would be to say that somebody has gone.
        strange = sum(not isinstance(row, dict) for row in rows)
        if strange:
            raise Malformed(f"{strange} of {len(rows)} rows in {self.rows!r} are not objects")
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            raise Malformed(f"{self.total!r} is not a count")
        return Batch(rows, total)

    def with_rows(self, body: Any, rows: Sequence[Any]) -> Any:
        return {**{name: value for name, value in body.items() if isinstance(value, int)}, self.rows: list(rows)}
