"""Makes the blocks of a snapshot from rows that were just read, and the columns by which rows are looked up."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.spec import Row
from gateway.cache.compression import pack
from gateway.unified.block_cache import Value
from gateway.unified.vendor_page import PageRow, VendorPage
from gateway.upstream.decoding import readable_rows

BLOCK = 250
"""Rows in a block that is made here. A page of the vendor is a block as it is."""


@dataclass(frozen=True, slots=True)
class Block:
    """A compressed JSON array of rows. Those of the list are the `count` rows from number `first` on."""

    packed: bytes
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Held:
    """A list in blocks, and columns of it by name."""

    blocks: Sequence[Block]
    columns: Mapping[str, Sequence[Value]]


async def make_blocks(rows: Sequence[Row], names: Sequence[str]) -> Held:
    """Returns rows in blocks, with the named columns. Between two blocks other requests run."""
    blocks: list[Block] = []
    columns: dict[str, list[Value]] = {name: [] for name in names}
    for page, group in groupby(rows, key=_page_of):
        some = list(group)
        numbers = [row.number for row in some if isinstance(row, PageRow)]
        if page is not None and numbers == list(range(numbers[0], numbers[0] + len(some))):
            blocks.append(Block(page.packed, numbers[0], len(some)))
            for name in names:
                columns[name] += column_of_page(page, name)[numbers[0] : numbers[0] + len(some)]
            await asyncio.sleep(0)
            continue
        for start in range(0, len(some), BLOCK):
            text, readable = readable_rows(some[start : start + BLOCK])
            blocks.append(Block(pack(text), 0, len(readable)))
            for name in names:
                columns[name] += column_of(readable, name)
            await asyncio.sleep(0)
    return Held(blocks, columns)


def column_of(rows: Sequence[Row], name: str) -> list[Value]:
    """Returns a column of rows. What is neither a text nor a number is no value."""
    return [_value(row.get(name)) for row in rows]


def column_of_page(page: VendorPage, name: str) -> list[Value]:
    """Returns a column of all rows of a page."""
    return list(page.columns[name]) if name in page.columns else column_of(page.decoded, name)


def _value(value: Any) -> Value:
    return value if isinstance(value, str | int | float) else None


def _page_of(row: Row) -> VendorPage | None:
    return row.page if isinstance(row, PageRow) else None
