"""Checks the body of a request against its declaration: plain values, or one `BadRequest` with every fault.

An enum comes out as its word, and a date-time as the text it was. What a null means is up to the operation. An unknown
field is a fault, and so is a value of another type: nothing is dropped or guessed. A fault never repeats a value, which
may be a secret.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import orjson

from connectors.contract import (
    Integer,
    ListOf,
    MapOf,
    OneOf,
    Plain,
    Resource,
    Text,
    Type,
    Unsupported,
    Words,
)
from gateway.errors import BadRequest

MAX_TEXT_LENGTH = 4096
MAX_FAULTS = 50
MAX_LISTED_FIELDS = 20
MAX_DEPTH = 64
"""Objects and lists inside each other: many times what the contract has, and few enough for every encoder behind us."""
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
_KEY = Text(200)
_METHODS: Mapping[type, str] = {
    Plain: "_plain",
    Words: "_word",
    ListOf: "_items",
    Resource: "_object",
    Text: "_line",
    Integer: "_integer",
    OneOf: "_one_of",
    MapOf: "_map",
    Unsupported: "_unsupported",
}
# No text of a person's record needs these, and they break the lines of logs and terminals.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def parse_json(raw: bytes) -> dict[str, Any]:
    """Returns a JSON object. Raises `BadRequest` for anything else, and for one that is nested too deeply."""
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
    """Raises `BadRequest` for JSON that is nested deeper than `MAX_DEPTH`. It does not recurse itself."""
    level = [found]
    for _ in range(MAX_DEPTH):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [child for children in inner for child in children if isinstance(child, dict | list)]
        if not level:
            return
    raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.")


def check_body(found: Mapping[str, Any], wanted: Resource, path: str = "") -> dict[str, Any]:
    """Returns the fields that are there, with plain values. Raises `BadRequest` that names every fault by its path.

    `path` is where the object stands in the body, with a dot at its end.
    """
    reader = _Reader()
    body = reader.read_object(found, wanted, path)
    refuse(reader.faults)
    return body


def refuse(faults: Sequence[str]) -> None:
    """Raises `BadRequest` with these faults, if there are any. Each begins with the path of a field and a colon."""
    if faults:
        faults = faults[:MAX_FAULTS]
        raise BadRequest("The body is not valid: " + "; ".join(faults), errors=faults)


class _Reader:
    def __init__(self) -> None:
        self.faults: list[str] = []

    def read_object(self, found: Mapping[str, Any], wanted: Resource, prefix: str) -> dict[str, Any]:
        body = {}
        for name, value in found.items():
            # Half a surrogate pair, which some JSON readers let through, fits into no answer.
            path = prefix + name[:64].encode(errors="replace").decode()
            spec = wanted.fields.get(name)
            if spec is None:
                self._fault(path, f"there is no such field; {_known(name, wanted, prefix)}")
            elif value is None and not spec.nullable:
                self._fault(path, "must not be null")
            else:
                body[name] = None if value is None else self._read(value, spec.type, path)
        for name, spec in wanted.fields.items():
            if spec.required and found.get(name) is None:
                self._fault(prefix + name, "is missing")
        return body

    def _read(self, value: Any, wanted: Type, path: str) -> Any:
        read: Callable[[Any, Any, str], Any] = getattr(self, _METHODS[type(wanted)])
        return read(value, wanted, path)

    def _object(self, value: Any, wanted: Resource, path: str) -> Any:
        if not isinstance(value, dict):
            return self._fault(path, "must be an object")
        return self.read_object(value, wanted, f"{path}.")

    def _one_of(self, value: Any, wanted: OneOf, path: str) -> Any:
        known = isinstance(value, str) and value in wanted.values
        return value if known else self._fault(path, f"must be one of: {', '.join(wanted.values)}")

    def _unsupported(self, value: Any, wanted: Unsupported, path: str) -> Any:
        # StackOne's clients send empty values of fields that nobody has set.
        return None if value in (False, "", [], {}) else self._fault(path, wanted.reason)

    def _line(self, value: Any, wanted: Text, path: str) -> Any:
        text = value.strip() if isinstance(value, str) else None
        if text is None or not text.isprintable() or not wanted.min_length <= len(text) <= wanted.max_length:
            return self._fault(path, f"must be {wanted.min_length} to {wanted.max_length} printable characters")
        return text

    def _integer(self, value: Any, wanted: Integer, path: str) -> Any:
        # True is an int to Python, too. JSON has one kind of number: 60.0 is as whole as 60.
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not wanted.minimum <= value <= wanted.maximum or value != int(value):
            return self._fault(path, f"must be a whole number from {wanted.minimum} to {wanted.maximum}")
        return int(value)

    def _map(self, value: Any, wanted: MapOf, path: str) -> Any:
        if not isinstance(value, dict) or len(value) > wanted.max_items:
            return self._fault(path, f"must be an object with at most {wanted.max_items} keys")
        items = {}
        for key, item in value.items():
            if self._line(key, _KEY, f"a key of {path}") is not None:
                items[key] = None if item is None else self._line(item, wanted.item, f"{path}.{key[:64]}")
        return items

    def _word(self, value: Any, wanted: Words, path: str) -> Any:
        """Returns the word of `{"value": word}`. A `source_value`, the provider's own word, is ignored in writing."""
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
        if not wanted.min_items <= len(value) <= wanted.max_items:
            least = f"{wanted.min_items} to" if wanted.min_items else "at most"
            return self._fault(path, f"must have {least} {wanted.max_items} items")
        items = []
        for number, item in enumerate(value):
            where = f"{path}[{number}]"
            read = None if item is None else self._read(item, wanted.item, where)
            if read is None and not self._has_fault(where):
                self._fault(where, "must not be null")
            items.append(read)
        return items

    def _has_fault(self, path: str) -> bool:
        return bool(self.faults) and self.faults[-1].startswith(path)

    def _plain(self, value: Any, wanted: Plain, path: str) -> Any:
        match wanted:
            case Plain.TEXT:
                return self._text(value, path)
            case Plain.BOOLISH if isinstance(value, str) and value in {"true", "false"}:
                return value == "true"
            case Plain.INSTANT | Plain.LOCAL | Plain.DURATION:
                form, description = _FORMS[wanted]
                if isinstance(value, str) and form.fullmatch(value) and (wanted is Plain.DURATION or _is_date(value)):
                    return value
                return self._fault(path, f"must be {description}")
            case _:
                kinds, what = _KINDS[wanted]
                # True is an int to Python, too.
                fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
                return value if fits else self._fault(path, f"must be {what}")

    def _text(self, value: Any, path: str) -> Any:
        if not isinstance(value, str):
            return self._fault(path, "must be text")
        if len(value) > MAX_TEXT_LENGTH:
            return self._fault(path, f"must have at most {MAX_TEXT_LENGTH} characters")
        return self._fault(path, "must not have control characters") if _CONTROL.search(value) else value

    def _fault(self, path: str, why: str) -> Any:
        self.faults.append(f"{path}: {why}")
        return None


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _known(name: str, wanted: Resource, prefix: str) -> str:
    """Returns the field that was probably meant, or all fields where they are few."""
    fields = [each for each, spec in wanted.fields.items() if not isinstance(spec.type, Unsupported)]
    close = get_close_matches(name, fields, n=1, cutoff=0.7)
    if close:
        return f"there is {prefix}{close[0]}"
    return f"known: {', '.join(fields)}" if len(fields) <= MAX_LISTED_FIELDS else "see the documentation for all fields"


def with_defaults(body: Mapping[str, Any], wanted: Resource) -> dict[str, Any]:
    """Returns the checked body with every field of the declaration: what is missing or null has its default."""
    return {name: spec.default if body.get(name) is None else body[name] for name, spec in wanted.fields.items()}
