"""The content of `raw=true`: the vendor calls made for one answer, each with the rows that the answer is made of.

A call is shown only where the key and the token may read its resource, and of its rows only the columns that they may
read. Rows of other people are left out, so that a page of 25 people does not contain the whole company.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.columns import first_word
from connectors.connector import Connector
from connectors.paging import Malformed
from connectors.spec import Join, Row
from gateway.errors import VendorFailure
from gateway.policy.columns import VisibleColumns
from gateway.upstream.decoding import UNREADABLE_COLUMNS, without_columns
from gateway.upstream.vendor import RawCall

_OURS = frozenset({UNREADABLE_COLUMNS})
"""What the gateway's decoder adds to a row, and which is not a column of the vendor."""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of the vendor's lists belong to a page: by list, the column and the values that tell."""

    by_list: dict[str, list[tuple[str | None, set[Any]]]] = field(default_factory=dict)

    def add(self, path: str, column: str | None, values: Collection[Any]) -> None:
        """Adds the rows that have one of the values in a column; with no column, all rows of the list."""
        plain = {each for each in values if isinstance(each, str | int)}
        self.by_list.setdefault(first_word(path), []).append((column, plain))

    def rows(self, path: str, rows: Sequence[Row]) -> list[Row]:
        """Returns the rows of a list that belong to the page."""
        rules = self.by_list.get(first_word(path), ())
        return [row for row in rows if any(column is None or _value(row, column) in of for column, of in rules)]


def row_filter(key: tuple[Collection[str], str], rows: Sequence[Row], joins: Sequence[Join]) -> RowFilter:
    """Returns what belongs to a page of these rows: `key` is their own lists, and the column that they are known by.

    Of a join about other joined rows (what somebody was paid in a role) the page's own rows tell as well.
    """
    found = RowFilter()
    paths, column = key
    for path in paths:
        found.add(path, column, [row.get(column) for row in rows])
    for join in joins:
        values = [value for row in rows for value in (row.get(join.on), row.get(column))]
        for collection in join.all_collections():
            found.add(collection.path, join.key, values)
        if join.embed:
            found.add(join.embed.collection.path, None, ())
    return found


def show(
    connector: Connector, calls: Sequence[RawCall], visible: Callable[[str], VisibleColumns], belongs: RowFilter
) -> list[dict[str, Any]]:
    """Returns the calls in the contract's shape. Raises `VendorFailure` for a body that is nested too deeply."""
    try:
        found = [_shown(connector, call, visible(call.request.path), belongs) for call in calls]
    except RecursionError as error:
        raise VendorFailure("The provider's answer is nested too deeply to be handed on.") from error
    return [each for each in found if each is not None]


def _shown(connector: Connector, call: RawCall, seen: VisibleColumns, belongs: RowFilter) -> dict[str, Any] | None:
    if not seen:
        return None
    request = call.request
    query = "&".join(f"{name}={value}" for name, value in request.query)
    return {
        "method": request.method,
        "url": connector.base_url + request.path + (f"?{query}" if query else ""),
        "body": None,
        "response": _body(connector, call, seen, belongs),
    }


def _body(connector: Connector, call: RawCall, seen: VisibleColumns, belongs: RowFilter) -> Any:
    if call.request.path.strip("/").count("/"):
        return without_columns(seen.of(call.body), seen.never | _OURS) if isinstance(call.body, dict) else None
    try:
        rows = connector.paging.parse(call.body).rows
    except Malformed:
        return None
    wanted = belongs.rows(call.request.path, rows)
    hidden = seen.never | _OURS
    return connector.paging.with_rows(call.body, [without_columns(seen.of(row), hidden) for row in wanted])


def _value(row: Row, column: str) -> Any:
    value = row.get(column)
    return value if isinstance(value, str | int) else None
