"""Query strings in Feathers' grammar: `$limit`, `$skip`, `$asOf`, equality, some operators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl

from deploy.sandbox.choices import Choices
from deploy.sandbox.errors import bad_request
from deploy.sandbox.model import Field, JsonObject, Kind, Resource

DEFAULT_LIMIT = 100
MAX_LIMIT = 250

_OPERATORS = frozenset({"$in", "$nin", "$gt", "$gte", "$lt", "$lte"})
_NAME = re.compile(r"(?P<field>[^\[\]]+)(?:\[(?P<operator>\$\w+)\])?(?:\[\d*\])?")
_LISTS = frozenset({Kind.TEXTS, Kind.OBJECTS, Kind.OBJECT, Kind.TEXT_OR_TEXTS})
_STATUSES = ("active", "newHire", "offboarded", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition that the rows of a list must meet."""

    field: Field
    operator: str
    values: tuple[str, ...]

    def holds(self, row: JsonObject) -> bool:
        """Returns whether a row meets the condition."""
        value = row.get(self.field.name)
        if isinstance(value, list):
            words = {each.get("name") if isinstance(each, dict) else each for each in value}
            return words.isdisjoint(self.values) == (self.operator == "$nin")
        text = _text(value)
        if self.operator in {"$in", "$nin"}:
            return (text in self.values) == (self.operator == "$in")
        return value is not None and _compare(self.operator, text, self.values[-1], self.field.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The query of a list."""

    conditions: tuple[Condition, ...] = ()
    status: str | None = None
    as_of: str | None = None
    limit: int = DEFAULT_LIMIT
    skip: int = 0


def parse(resource: Resource, raw: bytes, choices: Choices) -> Query:
    """Returns the query of a list. Raises a 400 that names the first thing that is wrong with it."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for key, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
        match = _NAME.fullmatch(key)
        if match is None:
            raise bad_request(f"Invalid query parameter {key}")
        grouped.setdefault((match["field"], match["operator"] or "$in"), []).append(value)
    limit = _number("$limit", grouped.pop(("$limit", "$in"), None), DEFAULT_LIMIT)
    if limit > MAX_LIMIT and choices.limit_above_max == "reject":
        raise bad_request(f"$limit must not be above {MAX_LIMIT}")
    skip = _number("$skip", grouped.pop(("$skip", "$in"), None), 0)
    as_of = _as_of(grouped.pop(("$asOf", "$in"), None), choices) if resource.effective else None
    status = _status(grouped.pop(("status", "$in"), ["active"])) if resource.path == "people" else None
    return Query(
        conditions=_conditions(resource, grouped, choices),
        status=status,
        as_of=as_of,
        limit=min(limit, MAX_LIMIT),
        skip=skip,
    )


def _conditions(
    resource: Resource, grouped: dict[tuple[str, str], list[str]], choices: Choices
) -> tuple[Condition, ...]:
    conditions = []
    for (name, operator), values in grouped.items():
        field = _field(resource, name, choices)
        if name == "updatedAt" and choices.updated_filter != "honoured":
            if choices.updated_filter == "refused":
                raise bad_request(f"Invalid query parameter {name}[{operator}]")
            continue
        if field is not None and operator in _OPERATORS:
            _check(field, values)
            conditions.append(Condition(field=field, operator=operator, values=tuple(values)))
        elif choices.unknown_filter == "reject":
            what = name if field is None else f"{name}[{operator}]"
            raise bad_request(f"Invalid query parameter {what}")
    return tuple(conditions)


def _field(resource: Resource, name: str, choices: Choices) -> Field | None:
    if resource.path == "locations":
        if name == "label" and choices.location_label == "name":
            return None
        name = "label" if name == choices.location_label else name
    field = resource.by_name.get(name)
    if field is not None and field.kind in _LISTS and name != "teams":
        return None
    return field


def _check(field: Field, values: list[str]) -> None:
    if field.kind is Kind.DATE:
        for value in values:
            if value and not _is_date(value):
                raise bad_request(f"{field.name} must be a date, not {value}")


def _as_of(values: list[str] | None, choices: Choices) -> str | None:
    if values is None or choices.as_of == "ignored":
        return None
    if not _is_date(values[-1]):
        raise bad_request(f"$asOf must be a date, not {values[-1]}")
    return values[-1]


def _status(values: list[str]) -> str:
    if values[-1] not in _STATUSES:
        raise bad_request(f"status must be one of {', '.join(_STATUSES)}")
    return values[-1]


def _number(name: str, values: list[str] | None, default: int) -> int:
    if values is None:
        return default
    if not re.fullmatch(r"\d{1,9}", values[-1]):
        raise bad_request(f"{name} must be a whole number, not {values[-1]}")
    return int(values[-1])


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _text(value: object) -> str:
    """Returns a value as it is written in a query. The empty text stands for a missing value."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _compare(operator: str, left: str, right: str, kind: Kind) -> bool:
    sign = _sign(left, right, numeric=kind in {Kind.NUMBER, Kind.MONEY})
    if sign is None:
        return False
    return {"$gt": sign > 0, "$gte": sign >= 0, "$lt": sign < 0, "$lte": sign <= 0}[operator]


def _sign(left: str, right: str, *, numeric: bool) -> int | None:
    """Returns -1, 0 or 1 for less, equal or more; None where a value is not a number and should be."""
    if not numeric:
        return (left > right) - (left < right)
    try:
        difference = float(left) - float(right)
    except ValueError:
        return None
    return (difference > 0) - (difference < 0)
