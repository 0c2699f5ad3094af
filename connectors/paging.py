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

    def rest(self, first: Batch) -> Sequence[Query]:
        """Give the queries of all further pages, which may be sent side by side; raises `Malformed`."""

    def parse(self, body: Any) -> Batch:
        """Read a decoded body; raises `Malformed`."""

    def with_rows(self, body: Any, rows: Sequence[Any]) -> Any:
        """Returns a decoded list, which `parse` reads, with other rows in it; beside them only its counts stay."""

    @property
    def reserved(self) -> frozenset[str]:
        """Give the query parameters that belong to paging and that a caller may not set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPaging:
    """Pages by limit and offset, with the total in each answer.

    A vendor may clamp the limit: the stride is what the first page really held, not what was asked.
    """

    limit: str
    offset: str
    size: int
    rows: str = "data"
    total: str = "total"

    @property
    def reserved(self) -> frozenset[str]:
        return frozenset({self.limit, self.offset})

    def first(self) -> Query:
        return ((self.limit, str(self.size)), (self.offset, "0"))

    def rest(self, first: Batch) -> Sequence[Query]:
        stride = len(first.rows)
        if stride == 0 and first.total:
            raise Malformed(f"{self.rows!r} is empty though {self.total!r} is not 0")
        if first.total > stride * MOST_PAGES:
            raise Malformed(f"{self.total!r} would take more than {MOST_PAGES} pages")
        if stride == 0:
            return ()
        return tuple(
            ((self.limit, str(self.size)), (self.offset, str(offset))) for offset in range(stride, first.total, stride)
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
