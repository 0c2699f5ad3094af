"""Converters from vendor values to the contract's types.

Null stays null. A value that cannot be read becomes null: a converter never raises and never guesses. An unknown enum
word becomes `unmapped_value`, with the vendor's word in `source_value`. A converter of several columns returns
`UNREADABLE` where one of them cannot be read, since the others alone would make a wrong value.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any

from connectors import ids
from connectors.contract import UNMAPPED, Plain, Type, Words


class Unreadable:
    """The result of a converter of several columns where one has a value that cannot be read. It is sent as null."""

    def __repr__(self) -> str:
        return "UNREADABLE"


UNREADABLE = Unreadable()

_EXACT = 2.0**53
"""From here on a decoded number no longer has the digits that it was written with."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
"""The form of the contract, which most vendors use. Some versions of Python read 24:00 as the next day."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,300}(?:\.\d{1,300})?", re.ASCII)
_LONGEST_WHOLE = 18
"""Digits of a whole number that surely fits 64 bits, which is what JSON libraries go by."""
_SEPARATORS = re.compile(r"[\s_-]+")


def text(value: Any) -> str | None:
    """Returns a value as text, or None.

    Numbers become their digits, as in the contract's ids. The empty text is no value.
    """
    if isinstance(value, str):
        return value or None
    if isinstance(value, float):
        return str(value) if abs(value) < _EXACT else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def number(value: Any) -> int | float | None:
    """Returns a number, also from its decimal text; None for anything else and for infinity."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return None
        value = float(value) if "." in value or len(value) > _LONGEST_WHOLE else int(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def boolean(value: Any) -> bool | None:
    """Returns a boolean, or None for anything else."""
    return value if isinstance(value, bool) else None


def instant(value: Any) -> str | None:
    """Returns a date or timestamp as RFC 3339 in UTC with milliseconds, or None. A date is its midnight.

    A timestamp without a zone is not an instant, so it becomes None.
    """
    if not isinstance(value, str):
        return None
    try:
        if _INSTANT.fullmatch(value):
            datetime.fromisoformat(value)
            return value
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
    """Returns the date of a date or timestamp as YYYY-MM-DD, in the timestamp's own zone, or None."""
    if not isinstance(value, str) or not _DATE.fullmatch(value[:10]):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value[:10]


def is_there(value: Any) -> bool:
    """Returns whether a vendor's column holds a value."""
    return not (value is None or value in ("", [], {}))


def latest(*values: Any) -> str | Unreadable | None:
    """Returns the latest of several instants. Missing ones are ignored."""
    found = [instant(value) for value in values if is_there(value)]
    if None in found:
        return UNREADABLE
    return max(filter(None, found), default=None)


def lost(value: Any, read: Callable[[Any], Any] = text) -> bool:
    """Returns whether a column holds a value that cannot be read."""
    return is_there(value) and read(value) is None


def full_name(*parts: Any) -> str | Unreadable | None:
    """Returns the parts of a name joined by spaces."""
    if any(map(lost, parts)):
        return UNREADABLE
    return " ".join(filter(None, map(text, parts))) or None


def anything(value: Any) -> Any:
    """Returns the value as it is."""
    return value


def constant(value: Any) -> Callable[[Any], Any]:
    """Returns a converter that gives the same value for every record, and null for a missing column."""
    return lambda found: None if found is None else value


def wrapper(value: str | None, source: Any) -> dict[str, Any]:
    """Returns the contract's enum object."""
    return {"value": value, "source_value": source}


def normal(word: str) -> str:
    """Returns a word in lower case, with spaces, dashes and underscores as one space.

    So one row of a table covers all spellings.
    """
    return _SEPARATORS.sub(" ", word.strip()).casefold()


def words(enum: Words, table: Mapping[str, str]) -> Callable[[Any], dict[str, Any] | None]:
    """Returns a converter to an enum. Raises `ValueError` for a table with words that the contract does not have."""
    strange = sorted(set(table.values()) - enum.words)
    if strange:
        raise ValueError(f"{enum.name} has no {', '.join(strange)}")
    normalised = {normal(theirs): ours for theirs, ours in table.items()}

    def convert(value: Any) -> dict[str, Any] | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return wrapper(UNMAPPED, value)
        ours = table.get(value) or normalised.get(normal(value), UNMAPPED)
        return wrapper(ours, value)

    return convert


def same_words(enum: Words) -> Callable[[Any], dict[str, Any] | None]:
    """Returns a converter for a vendor that uses the contract's own words, such as ISO codes."""
    return words(enum, {word: word for word in enum.words})


def identifier(kind: str) -> Callable[[Any], str | None]:
    """Returns a converter from a vendor's id to the unified id of a record of that kind."""

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
    """Returns the converter for a row that names none, by the type of the field; None where one must be named."""
    return _BY_TYPE.get(wanted) if isinstance(wanted, Plain) else None
