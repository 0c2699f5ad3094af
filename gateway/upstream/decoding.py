"""Reading a vendor's JSON so that one value that cannot be read does not take the rest of an answer with it.

Decoding is strict first, which nearly always is all. Only where that fails is it done again leniently, value by value.
What cannot be read (text that is no Unicode, such as a lone surrogate, a number that is none, a value nested out of all
measure) becomes null, and the objects that it stands in name the columns that it was in, under `UNREADABLE_COLUMNS`:
nothing is altered, and nobody takes the null for the vendor's own. The names stay with a row wherever it is kept.
"""

import json
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import orjson

UNREADABLE_COLUMNS = "(unreadable)"
"""A column that names others; no vendor's column is called so."""
DEEPEST = 64
"""Levels within a value that are read. Rows of people have five or six."""
LARGEST = 4 << 20
"""Bytes of an answer that are read leniently: some pages of the largest rows seen, and a second's work."""
_ROOM = 16
"""Levels that what is made of a row may add around it; the encoder goes 254 levels deep."""
_BRACKETS_AND_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class _Unreadable:
    """Stands for a value that cannot be read, until its column is named."""


_UNREADABLE = _Unreadable()


def decode(body: bytes) -> Any:
    """Give what JSON says. Raises `ValueError` for what is broken or cut short."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if len(body) > LARGEST:
            raise
    try:
        found = _lenient(body)
    except RecursionError:
        found = _lenient(_cut(body))
    return mended(found)


def media_type(headers: Mapping[str, str]) -> str:
    """Give the media type that an answer states, without its parameters; empty where it states none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


def without_columns(value: Any, names: frozenset[str]) -> Any:
    """Give a decoded value without some columns, however deep they stand in it."""
    if isinstance(value, dict):
        return {name: without_columns(each, names) for name, each in value.items() if name not in names}
    if isinstance(value, list):
        return [without_columns(each, names) for each in value]
    return value


def mended(value: Any) -> Any:
    """Give a decoded value with null in place of what cannot be read, and the columns named that it was in."""
    found, _ = _mend(value, 0)
    return None if found is _UNREADABLE else found


def encode_rows(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Give rows as JSON. Raises `TypeError` for what is nested too deeply to be handed on."""
    wrapped: Any = rows
    for _ in range(_ROOM):
        wrapped = [wrapped]
    return orjson.dumps(wrapped)[_ROOM:-_ROOM]


def settled(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a row with null for each column of which some part could not be read: the rest would be another value."""
    names = unreadable_columns(row)
    return {**row, **dict.fromkeys(names)} if names else row


def unreadable_columns(row: Mapping[str, Any]) -> Sequence[str]:
    """Give the columns of a row that could not be read."""
    names = row.get(UNREADABLE_COLUMNS)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else ()


def _lenient(body: bytes) -> Any:
    # What is no UTF-8 becomes lone surrogates, which are found with those that were written as such.
    text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    try:
        return json.loads(
            text,
            strict=False,
            parse_float=_number,
            parse_int=_whole_number,
            parse_constant=lambda _: _UNREADABLE,
        )
    except ValueError:
        # The standard library's error carries the whole text.
        raise ValueError("broken or cut short") from None


def _number(digits: str) -> Any:
    value = float(digits)
    return value if isfinite(value) else _UNREADABLE


def _whole_number(digits: str) -> Any:
    """Give a whole number, beyond 64 bits the nearest double: as the strict decoder does."""
    value = int(digits) if len(digits) <= len("-18446744073709551615") else None
    return value if value is not None and -(1 << 63) <= value < 1 << 64 else _number(digits)


def _cut(body: bytes) -> bytes:
    """Give JSON with a number that is none in place of what is nested deeper than anybody reads."""
    parts, depth, kept, cut = [], 0, 0, 0
    for found in _BRACKETS_AND_TEXTS.finditer(body):
        byte = found[0]
        if byte in b"[{":
            depth += 1
            if depth == 2 * DEEPEST:
                parts.append(body[kept : found.start()])
                cut = depth
        elif byte in b"]}":
            if depth == cut:
                parts.append(b"NaN")
                kept, cut = found.end(), 0
            depth -= 1
    return b"".join((*parts, body[kept:])) if not cut else b""


def _mend(value: Any, depth: int) -> tuple[Any, bool]:
    """Give a value as it can be handed on, and whether something in it could not be read."""
    if isinstance(value, str):
        return (value, False) if value.isascii() or _is_text(value) else (_UNREADABLE, True)
    if isinstance(value, dict | list):
        if depth == DEEPEST:
            return _UNREADABLE, True
        return _mend_object(value, depth + 1) if isinstance(value, dict) else _mend_list(value, depth + 1)
    return value, value is _UNREADABLE


def _mend_object(value: Mapping[str, Any], depth: int) -> tuple[Any, bool]:
    found: dict[str, Any] = {}
    names: list[str] = []
    lost = False
    for name, each in value.items():
        if not _is_text(name):
            lost = True
            continue
        inner, bad = _mend(each, depth)
        found[name] = None if inner is _UNREADABLE else inner
        if bad:
            names.append(name)
    if names:
        found[UNREADABLE_COLUMNS] = names
    return found, bool(names) or lost


def _mend_list(value: Sequence[Any], depth: int) -> tuple[Any, bool]:
    pairs = [_mend(each, depth) for each in value]
    return [None if inner is _UNREADABLE else inner for inner, _ in pairs], any(bad for _, bad in pairs)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
