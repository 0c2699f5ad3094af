"""Decoding a vendor's JSON so that one value that cannot be read does not spoil the rest of an answer.

Decoding is strict first, which is nearly always enough. Only where that fails is it done again leniently, value by
value. What cannot be read (text that is not Unicode, such as a lone surrogate; NaN; a value nested too deeply) becomes
null, and the object around it names the column under `UNREADABLE_COLUMNS`: so nobody takes the null for the vendor's
own. The names stay with a row wherever it is stored.
"""

import json
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import orjson

UNREADABLE_COLUMNS = "(unreadable)"
"""The column that names them. No vendor has a column of this name."""
DEEPEST = 64
"""Levels of nesting that are read. Rows of people have five or six."""
LARGEST = 4 << 20
"""Bytes of the largest answer that is read leniently: several pages of the largest rows seen, and a second of CPU."""
_ROOM = 16
"""Levels that an answer may add around a row. The encoder goes 254 levels deep."""
_BRACKETS_AND_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class _Unreadable:
    """A placeholder for a value that cannot be read, until its column is named."""


_UNREADABLE = _Unreadable()


def decode(body: bytes) -> Any:
    """Returns the decoded JSON. Raises `ValueError` where it is broken or cut short."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if len(body) > LARGEST:
            raise
    try:
        found = _lenient(body)
    except RecursionError:
        found = _lenient(_cut(body))
    return null_unreadable(found)


def media_type(headers: Mapping[str, str]) -> str:
    """Returns the media type of an answer without its parameters; empty where it states none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Returns whether a media type is JSON."""
    return kind == "application/json" or kind.endswith("+json")


def without_columns(value: Any, names: frozenset[str]) -> Any:
    """Returns a decoded value without the named columns, at any depth."""
    if isinstance(value, dict):
        return {name: without_columns(each, names) for name, each in value.items() if name not in names}
    if isinstance(value, list):
        return [without_columns(each, names) for each in value]
    return value


def null_unreadable(value: Any) -> Any:
    """Returns a decoded value with null in place of what cannot be read, and the columns named that it was in."""
    found, _ = _null(value, 0)
    return None if found is _UNREADABLE else found


def readable_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[bytes, list[Mapping[str, Any]]]:
    """Returns rows as JSON and as they are to be used: null where a value cannot be read, or cannot be handed on."""
    readable = [null_lost_columns(row) for row in rows]
    try:
        return encode_rows(readable), readable
    except TypeError:
        readable = [null_lost_columns(null_unreadable(row)) for row in readable]
        return encode_rows(readable), readable


def decode_rows(text: bytes) -> Sequence[Mapping[str, Any]]:
    """Returns the rows of a JSON array, as they are to be used. Raises `ValueError` where it is broken."""
    # Within an object, as the vendor sends them: the depth that is read counts from there.
    return readable_rows(decode(b'{"":' + text + b"}")[""])[1]


def encode_rows(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Returns rows as JSON. Raises `TypeError` for what is nested too deeply to be handed on."""
    wrapped: Any = rows
    for _ in range(_ROOM):
        wrapped = [wrapped]
    return orjson.dumps(wrapped)[_ROOM:-_ROOM]


def null_lost_columns(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns a row with null for each column of which a part could not be read: the rest would be another value."""
    names = unreadable_columns(row)
    return {**row, **dict.fromkeys(names)} if names else row


def unreadable_columns(row: Mapping[str, Any]) -> Sequence[str]:
    """Returns the columns of a row that could not be read."""
    names = row.get(UNREADABLE_COLUMNS)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else ()


def _lenient(body: bytes) -> Any:
    # Bytes that are not UTF-8 become lone surrogates, and are found together with those that the vendor wrote.
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
        # The original error carries the whole text, which must not reach a log.
        raise ValueError("broken or cut short") from None


def _number(digits: str) -> Any:
    value = float(digits)
    return value if isfinite(value) else _UNREADABLE


def _whole_number(digits: str) -> Any:
    """Returns an integer, or beyond 64 bits the nearest double, as the strict decoder does."""
    value = int(digits) if len(digits) <= len("-18446744073709551615") else None
    return value if value is not None and -(1 << 63) <= value < 1 << 64 else _number(digits)


def _cut(body: bytes) -> bytes:
    """Returns JSON with NaN, which reads as unreadable, in place of what is nested too deeply."""
    parts, depth, done, cut = [], 0, 0, 0
    for found in _BRACKETS_AND_TEXTS.finditer(body):
        byte = found[0]
        if byte in b"[{":
            depth += 1
            if depth == 2 * DEEPEST:
                parts.append(body[done : found.start()])
                cut = depth
        elif byte in b"]}":
            if depth == cut:
                parts.append(b"NaN")
                done, cut = found.end(), 0
            depth -= 1
    return b"".join((*parts, body[done:])) if not cut else b""


def _null(value: Any, depth: int) -> tuple[Any, bool]:
    """Returns a value that can be handed on, and whether something in it could not be read."""
    if isinstance(value, str):
        return (value, False) if value.isascii() or _is_text(value) else (_UNREADABLE, True)
    if isinstance(value, dict | list):
        if depth == DEEPEST:
            return _UNREADABLE, True
        return _null_in_object(value, depth + 1) if isinstance(value, dict) else _null_in_list(value, depth + 1)
    return value, value is _UNREADABLE


def _null_in_object(value: Mapping[str, Any], depth: int) -> tuple[Any, bool]:
    found: dict[str, Any] = {}
    names: list[str] = []
    lost = False
    for name, each in value.items():
        if not _is_text(name):
            lost = True
            continue
        inner, bad = _null(each, depth)
        found[name] = None if inner is _UNREADABLE else inner
        if bad:
            names.append(name)
    if names:
        found[UNREADABLE_COLUMNS] = names
    return found, bool(names) or lost


def _null_in_list(value: Sequence[Any], depth: int) -> tuple[Any, bool]:
    pairs = [_null(each, depth) for each in value]
    return [None if inner is _UNREADABLE else inner for inner, _ in pairs], any(bad for _, bad in pairs)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
