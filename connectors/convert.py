"""Converters from vendor values to the contract's types.

Null stays null, and so does what cannot be read: a converter never raises and never guesses. An unknown enum
word becomes `unmapped_value` with the vendor's word kept in `source_value`. A converter of several columns gives
`UNREADABLE` where one of them cannot be read: what the others say alone would be another value.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any

from connectors import ids
from connectors.contract import UNMAPPED, Plain, Type, Words


class Unreadable:
    """What a converter of several columns gives where a value is there that it cannot read; sent as null."""

    def __repr__(self) -> str:
        return "UNREADABLE"


UNREADABLE = Unreadable()

_EXACT = 2.0**53
"""From here on a decoded number no longer has the digits that it was written with."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,300}(?:\.\d{1,300})?", re.ASCII)
_LONGEST_WHOLE = 18
"""Digits of a whole number that surely fits 64 bits, which is what JSON libraries go by."""
_SEPARATORS = re.compile(r"[\s_-]+")


def text(value: Any) -> str | None:
    """Numbers become their digits, as the contract's ids and numbers-as-text want; the empty text is no value."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, float):
        return str(value) if abs(value) < _EXACT else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def number(value: Any) -> int | float | None:
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return None
        value = float(value) if "." in value or len(value) > _LONGEST_WHOLE else int(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def instant(value: Any) -> str | None:
    """Give a date or timestamp as RFC 3339 in UTC with milliseconds; a date is its midnight.

    A timestamp without zone is not an instant, and so null.
    """
    if not isinstance(value, str):
        return None
    try:
        if _DATE.fullmatch(value):
            date.fromisoformat(value)
            return f"{value}T00:00:00.000Z"
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return None
        return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    except (ValueError, OverflowError):
        return None


def day(value: Any) -> str | None:
    """Give the date that a date or a timestamp names, in the timestamp's own zone, as YYYY-MM-DD."""
    if not isinstance(value, str) or not _DATE.fullmatch(value[:10]):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value[:10]


def is_there(value: Any) -> bool:
    """Tell whether a vendor's column holds anything."""
    return not (value is None or value in ("", [], {}))


def latest(*values: Any) -> str | Unreadable | None:
    """Give the last of several instants, leaving out those that are missing."""
    found = [instant(value) for value in values if is_there(value)]
    if None in found:
        return UNREADABLE
    return max(filter(None, found), default=None)


def lost(value: Any, read: Callable[[Any], Any] = text) -> bool:
    """Tell whether a column holds something, and nothing that can be read so."""
    return is_there(value) and read(value) is None


def full_name(*parts: Any) -> str | Unreadable | None:
    if any(map(lost, parts)):
        return UNREADABLE
    return " ".join(filter(None, map(text, parts))) or None


def anything(value: Any) -> Any:
    return value


def constant(value: Any) -> Callable[[Any], Any]:
    """Make a converter that gives the same value for every record; of a missing column it is null."""
    return lambda found: None if found is None else value


def wrapper(value: str | None, source: Any) -> dict[str, Any]:
    """Make the contract's enum object."""
    return {"value": value, "source_value": source}


def normal(word: str) -> str:
    """Fold case, and spaces, dashes and underscores into one space, so that one table row serves all spellings."""
    return _SEPARATORS.sub(" ", word.strip()).casefold()


def words(enum: Words, table: Mapping[str, str]) -> Callable[[Any], dict[str, Any] | None]:
    """Make a converter to an enum. Raises `ValueError` for a table that speaks words the contract does not have."""
    strange = sorted(set(table.values()) - enum.words)
    if strange:
        raise ValueError(f"{enum.name} has no {', '.join(strange)}")
    normalised = {normal(theirs): ours for theirs, ours in table.items()}

    def convert(value: Any) -> dict[str, Any] | None:
        if value is None or value == "":
            return None
        ours = normalised.get(normal(value), UNMAPPED) if isinstance(value, str) else UNMAPPED
        return wrapper(ours, value)

    return convert


def same_words(enum: Words) -> Callable[[Any], dict[str, Any] | None]:
    """Make a converter for a vendor that uses the contract's own words, such as ISO codes."""
    return words(enum, {word: word for word in enum.words})


def identifier(kind: str) -> Callable[[Any], str | None]:
    """Make a converter from a vendor's id to the unified id of that kind of record."""

    def convert(value: Any) -> str | None:
        remote_id = text(value)
        return None if remote_id is None else ids.encode(kind, remote_id)

    return convert


_BY_TYPE: Mapping[Plain, Callable[[Any], Any]] = {
    Plain.TEXT: text,
    Plain.NUMBER: number,
    Plain.BOOLEAN: boolean,
    Plain.INSTANT: instant,
    Plain.DURATION: text,
    Plain.ANY: anything,
    Plain.MAP: anything,
    Plain.BOOLISH: boolean,
    Plain.LOCAL: text,
}


def default(wanted: Type) -> Callable[[Any], Any] | None:
    """Give the converter for a row that names none, by the field's type; None where one must be named."""
    return _BY_TYPE.get(wanted) if isinstance(wanted, Plain) else None
