"""Which fields a table maps, and which of them have a value in a record: the two sides of one question."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.spec import Absent, Nested, Table


def mapped(table: Table, prefix: str = "") -> Iterator[str]:
    """Returns the path of every field that is not declared absent, those within objects too."""
    for name, row in table.rows.items():
        if isinstance(row, Nested):
            yield from mapped(row.table, f"{prefix}{name}.")
        elif not isinstance(row, Absent):
            yield f"{prefix}{name}"


def filled(value: Any, prefix: str) -> Iterator[str]:
    """Returns the path of every value that is not null."""
    if isinstance(value, list):
        for item in value:
            yield from filled(item, prefix)
    elif value is not None:
        yield prefix
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield from filled(inner, f"{prefix}.{name}")
