"""Holds a unified value against its type in the contract, and names everything that does not fit.

The rules are those that StackOne's own strict client applies: every value may be null, an enum is an object of
`value` and `source_value`, a moment is RFC 3339 with a zone, and a field that the contract does not have is a fault.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.contract import ListOf, Plain, Resource, Type, Words

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
# The smallest part may have a fraction (ISO 8601-1, 5.5.2.3): half a day is P0.5D.
_DURATION = re.compile(
    r"P(?!$)(?!.*\.\d+[A-Z].)(\d+Y)?(\d+M)?(\d+W)?(\d+(\.\d+)?D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", re.ASCII
)


def faults(value: Any, wanted: Type, where: str = "") -> Iterator[str]:
    """Give every place where a value does not fit the type, with what is there."""
    match value, wanted:
        case None, _:
            return
        case _, Plain():
            if not _is_plain(value, wanted):
                yield f"{where}: {value!r:.60} is no {wanted.value}"
        case dict(), Words():
            yield from _enum_faults(value, wanted, where)
        case list(), ListOf():
            for number, item in enumerate(value):
                yield from faults(item, wanted.item, f"{where}[{number}]")
        case dict(), Resource():
            yield from _object_faults(value, wanted, where)
        case _:
            kind = "list" if isinstance(wanted, ListOf) else f"object of {wanted.name}"
            yield f"{where}: {value!r:.60} is no {kind}"


def _is_instant(value: Any) -> bool:
    try:
        return bool(_INSTANT.fullmatch(value)) and datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _is_plain(value: Any, wanted: Plain) -> bool:
    checks = {
        Plain.TEXT: isinstance(value, str),
        Plain.NUMBER: isinstance(value, int | float) and not isinstance(value, bool),
        Plain.BOOLEAN: isinstance(value, bool),
        Plain.INSTANT: _is_instant(value),
        Plain.DURATION: isinstance(value, str) and bool(_DURATION.fullmatch(value)),
        Plain.MAP: isinstance(value, dict),
    }
    return checks.get(wanted, True)


def _enum_faults(value: Mapping[str, Any], wanted: Words, where: str) -> Iterator[str]:
    if value.keys() != {"value", "source_value"}:
        yield f"{where}: an enum has value and source_value, not {', '.join(map(str, value)) or 'nothing'}"
    elif value["value"] is not None and value["value"] not in wanted.words:
        yield f"{where}: {wanted.name} has no {value['value']!r:.60}"


def _object_faults(value: Mapping[str, Any], wanted: Resource, where: str) -> Iterator[str]:
    for name, inner in value.items():
        path = f"{where}.{name}" if where else name
        if name in wanted.fields:
            yield from faults(inner, wanted.fields[name].type, path)
        else:
            yield f"{path}: {wanted.name} has no such field"
