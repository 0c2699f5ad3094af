"""Holding the body of a write against the contract: JSON in, a plain value out, or one `BadRequest` with every fault.

An enum comes out as its word, and a moment as the text it was; what a null means is for the write to say. A name that
the contract does not have is a fault, as is a value of another type: nothing is dropped or guessed.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import orjson

from connectors.contract import ListOf, Plain, Resource, Type, Words
from gateway.errors import BadRequest

LONGEST_TEXT = 4096
MOST_ITEMS = 100
MOST_FAULTS = 50
MOST_LEVELS = 64
"""Objects and lists within each other: many times what the contract has, and what every encoder behind us bears."""
_TIME = r"T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_ZONE = r"(Z|[+-]\d{2}:?\d{2})"
_FORMS: Mapping[Plain, tuple[re.Pattern[str], str]] = {
    Plain.INSTANT: (
        re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}{_TIME}{_ZONE}", re.ASCII),
        "a date-time with a zone, such as 2026-01-31T00:00:00.000Z",
    ),
    Plain.LOCAL: (
        re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}({_TIME}{_ZONE}?)?", re.ASCII),
        "a date or date-time, such as 2026-01-31T00:00:00.000",
    ),
    Plain.DURATION: (
        re.compile(r"P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", re.ASCII),
        "an ISO 8601 duration, such as P1D",
    ),
}
_KINDS: Mapping[Plain, tuple[tuple[type, ...], str]] = {
    Plain.NUMBER: ((int, float), "a number"),
    Plain.BOOLEAN: ((bool,), "true or false"),
    Plain.BOOLISH: ((bool,), "true or false"),
    Plain.MAP: ((dict,), "an object"),
    Plain.ANY: ((object, bool), "anything"),
}
# What no text of a person's record can want: it breaks lines of logs and terminals.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def parse_json(raw: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises `BadRequest` for what is none, or is nested too deeply to be handed on."""
    if not raw.strip():
        raise BadRequest("The body is missing: it must be a JSON object.")
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest("The body is not JSON in UTF-8.") from error
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object.")
    check_levels(found)
    return found


def check_levels(found: dict[str, Any] | list[Any]) -> None:
    """Raise `BadRequest` for JSON that is nested deeper than `MOST_LEVELS`. It does not recurse itself."""
    level = [found]
    for _ in range(MOST_LEVELS):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [child for children in inner for child in children if isinstance(child, dict | list)]
        if not level:
            return
    raise BadRequest(f"The body is nested deeper than {MOST_LEVELS} levels.")


def check_body(found: Mapping[str, Any], wanted: Resource) -> dict[str, Any]:
    """Give the fields with plain values. Raises `BadRequest` that names every fault by its path."""
    reader = _Reader()
    body = reader.read_object(found, wanted, "")
    if reader.faults:
        faults = reader.faults[:MOST_FAULTS]
        raise BadRequest("The body is not valid: " + "; ".join(faults), errors=faults)
    return body


class _Reader:
    def __init__(self) -> None:
        self.faults: list[str] = []

    def read_object(self, found: Mapping[str, Any], wanted: Resource, prefix: str) -> dict[str, Any]:
        body = {}
        for name, value in found.items():
            path = prefix + name[:64]
            if name not in wanted.fields:
                close = get_close_matches(name, wanted.fields, n=1, cutoff=0.7)
                self._fault(path, "there is no such field" + (f"; there is {prefix}{close[0]}" if close else ""))
            else:
                body[name] = None if value is None else self._read(value, wanted.fields[name].type, path)
        return body

    def _read(self, value: Any, wanted: Type, path: str) -> Any:
        match wanted:
            case Words():
                return self._word(value, wanted, path)
            case ListOf():
                return self._items(value, wanted, path)
            case Resource():
                if isinstance(value, dict):
                    return self.read_object(value, wanted, f"{path}.")
                return self._fault(path, "must be an object")
            case Plain():
                return self._plain(value, wanted, path)

    def _word(self, value: Any, wanted: Words, path: str) -> Any:
        """Read `{"value": word}`. What the provider once had (`source_value`) is of no matter in writing."""
        if not isinstance(value, dict) or "value" not in value:
            return self._fault(path, 'must be an object such as {"value": …}')
        strange = sorted(value.keys() - {"value", "source_value"})
        if strange:
            return self._fault(path, f"has value and source_value, and no {strange[0][:64]}")
        word = value["value"]
        if word is None:
            return None
        if not isinstance(word, str) or (wanted.words and word not in wanted.words):
            few = f": {', '.join(sorted(wanted.words))}" if 0 < len(wanted.words) <= 30 else ""
            return self._fault(f"{path}.value", f"must be a word of {wanted.name}{few}")
        return self._text(word, f"{path}.value")

    def _items(self, value: Any, wanted: ListOf, path: str) -> Any:
        if not isinstance(value, list):
            return self._fault(path, "must be a list")
        if len(value) > MOST_ITEMS:
            return self._fault(path, f"must have at most {MOST_ITEMS} items")
        items = []
        for number, item in enumerate(value):
            where = f"{path}[{number}]"
            read = None if item is None else self._read(item, wanted.item, where)
            if read is None and not self._blamed(where):
                self._fault(where, "must not be null")
            items.append(read)
        return items

    def _blamed(self, path: str) -> bool:
        return bool(self.faults) and self.faults[-1].startswith(path)

    def _plain(self, value: Any, wanted: Plain, path: str) -> Any:
        match wanted:
            case Plain.TEXT:
                return self._text(value, path)
            case Plain.BOOLISH if isinstance(value, str) and value in {"true", "false"}:
                return value == "true"
            case Plain.INSTANT | Plain.LOCAL | Plain.DURATION:
                form, such = _FORMS[wanted]
                if isinstance(value, str) and form.fullmatch(value) and (wanted is Plain.DURATION or _is_day(value)):
                    return value
                return self._fault(path, f"must be {such}")
            case _:
                kinds, what = _KINDS[wanted]
                # True is an int to Python.
                fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
                return value if fits else self._fault(path, f"must be {what}")

    def _text(self, value: Any, path: str) -> Any:
        if not isinstance(value, str):
            return self._fault(path, "must be text")
        if len(value) > LONGEST_TEXT:
            return self._fault(path, f"must have at most {LONGEST_TEXT} characters")
        return self._fault(path, "must not have control characters") if _CONTROL.search(value) else value

    def _fault(self, path: str, why: str) -> Any:
        self.faults.append(f"{path}: {why}")
        return None


def _is_day(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
