"""Custom fields of a person: a new value is created, and an existing one is changed."""

from collections.abc import Generator, Mapping, Sequence
from datetime import date
from typing import Any

from connectors import ids
from connectors.humaans.custom_fields import newest_values
from connectors.humaans.scopes import PRIVATE, PRIVATE_WRITE
from connectors.humaans.writes import steps
from connectors.writes import Order, Part, Reply, Step, To, Unfit, WrongValues, named

NEEDS = (PRIVATE_WRITE, PRIVATE)
FIRST = Part("custom", NEEDS, ("GET /custom-fields", "POST /custom-values"))
LATER = Part(
    "custom",
    NEEDS,
    ("GET /custom-fields", "GET /custom-values?personId={key}", "POST /custom-values", "PATCH /custom-values/{key}"),
)


def _values(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns each field, by its id or name, with its value as Humaans stores it: text, or a list of texts."""
    found = []
    for number, item in enumerate(given):
        if item.get("value_id") or item.get("remote_value_id"):
            raise Unfit(f"[{number}] names a value: leave it out, the value is found by its field")
        given_ids = {ids.decode("custom_field", each) for each in (item.get("id"), item.get("remote_id")) if each}
        if None in given_ids or len(given_ids) > 1 or not (given_ids or item.get("name")):
            raise Unfit(f"[{number}] must name its field, by id, remote_id or name")
        field_id = given_ids.pop() if given_ids else None
        found.append({"field": field_id, "name": item.get("name"), "value": _value(item.get("value"), number)})
    return found


def _value(value: Any, number: int) -> str | list[str]:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    if isinstance(value, str):
        return value
    raise Unfit(f"[{number}].value must be text, a number, or a list of texts: Humaans keeps nothing else")


TARGET = To("custom", "values", _values, empties=False)


def changes(order: Order) -> Generator[Step, Reply, list[tuple[str, Step | None, Any]]]:
    """Resolves names and finds the existing values.

    Returns for each field its id, the step of a change or None for a new value, and the value.
    """
    wanted: list[dict[str, Any]] = order.of("custom").get("values", [])
    if not wanted:
        return []
    fields = yield from steps.listed("/custom-fields", "read the custom fields")
    chosen = [(_field(item, fields), item["value"]) for item in wanted]
    if not order.key:
        return [(field_id, None, value) for field_id, value in chosen]
    rows = yield from steps.listed("/custom-values", "read the custom values", personId=order.key)
    known = {row.get("customFieldId"): row for row in newest_values({"id": order.key}, rows, date.min)}
    found: list[tuple[str, Step | None, Any]] = []
    for field_id, value in chosen:
        row = known.get(field_id)
        if row is None:
            found.append((field_id, None, value))
        elif row.get("value") != value:
            change = steps.change(f"/custom-values/{row.get('id')}", {"value": value}, _does(field_id))
            found.append((field_id, change, value))
    return found


def step(person_id: str, change: tuple[str, Step | None, Any]) -> Step:
    """Returns the step of a change, for an employee who exists."""
    field_id, known, value = change
    columns = {"personId": person_id, "customFieldId": field_id, "value": value}
    return known or steps.create("/custom-values", columns, _does(field_id))


def _does(field_id: str) -> str:
    return f"set the custom field {field_id}"


def _field(item: Mapping[str, Any], fields: Sequence[Mapping[str, Any]]) -> str:
    matches = [row for row in fields if row.get("id") == item["field"]]
    if item["field"] is None:
        matches = named(fields, item["name"], "name")
    if len(matches) != 1:
        which = "there is no such custom field" if not matches else "several custom fields have this name: give the id"
        raise WrongValues(f"custom_fields: {str(item['name'] or item['field'])[:60]!r}: {which}")
    return str(matches[0]["id"])
