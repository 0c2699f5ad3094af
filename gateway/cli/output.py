"""Rows as text in columns, or as JSON."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson


def as_json(value: object) -> str:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2).decode()


def as_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [list(heads), *([as_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def as_cell(value: object) -> str:
    """Returns a value as text for a terminal, without control characters: a name could move the cursor."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    text = ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)
    return "".join(character if character.isprintable() else "?" for character in text) or "-"


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError
