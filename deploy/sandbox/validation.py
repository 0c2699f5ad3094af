"""Checks bodies before they are written. Collects all issues and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

from deploy.sandbox.company.places import COUNTRIES
from deploy.sandbox.errors import Issue
from deploy.sandbox.model import Field, JsonObject, Kind, Resource, Use
from deploy.sandbox.store import Store

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_MONEY = re.compile(r"-?\d+(\.\d+)?")

REMOTE = "remote"


def check(resource: Resource, body: JsonObject, store: Store, *, create: bool, may_guarded: bool) -> tuple[Issue, ...]:
    """Returns all issues of a body in the order of its keys, those of missing fields last."""
    issues = [
        issue
        for name, value in body.items()
        if (issue := _of_key(resource.by_name.get(name), name, value, store, may_guarded=may_guarded))
    ]
    if create:
        issues += missing(resource, body)
    return tuple(issues)


def check_person(person: JsonObject, today: str, store: Store) -> tuple[Issue, ...]:
    """Returns the issues of a person, new or changed, whose fields do not fit together."""
    return tuple(_of_person(person, today, store))


def check_first_role(role: object, store: Store) -> tuple[Issue, ...]:
    """Returns the issues of the `jobRole` in a new person."""
    if not isinstance(role, dict):
        return (Issue("jobRole", "must be an object with jobTitle"),)
    issues = []
    if not isinstance(role.get("jobTitle"), str) or not role["jobTitle"]:
        issues.append(Issue("jobRole.jobTitle", "is required"))
    if role.get("reportingTo") is not None and store.find("people", role["reportingTo"]) is None:
        issues.append(Issue("jobRole.reportingTo", "is not the id of a person"))
    if role.get("department") is not None and not isinstance(role["department"], str):
        issues.append(Issue("jobRole.department", f"must be {Kind.TEXT.value}"))
    if unknown := role.keys() - {"jobTitle", "department", "reportingTo", "note"}:
        issues.append(Issue(f"jobRole.{min(unknown)}", "is not a known field"))
    return tuple(issues)


def check_people_events(events: object) -> tuple[Issue, ...]:
    """Returns the issues of the events of an endpoint, where only those of people are known."""
    names = events if isinstance(events, list) else []
    unknown = [name for name in names if not str(name).startswith("person.")]
    return (Issue("events", f"has no {unknown[0]}"),) if unknown else ()


def _of_key(field: Field | None, name: str, value: object, store: Store, *, may_guarded: bool) -> Issue | None:
    if field is None or field.hidden:
        return Issue(name, "is not a known field")
    if field.use is Use.COMPUTED:
        return Issue(name, "is read only")
    if field.guarded and not may_guarded:
        return Issue(name, "may not be changed with your role", forbidden=True)
    reason = _of_value(field, value, store)
    return None if reason is None else Issue(name, reason)


def _of_value(field: Field, value: object, store: Store) -> str | None:
    if value is None or (value == "" and field.use is Use.REQUIRED):
        return "is required" if field.use is Use.REQUIRED else None
    if not _FITS[field.kind](value):
        return f"must be {field.kind.value}"
    if field.values and value not in field.values:
        return f"must be one of {', '.join(field.values)}"
    if field.refers is not None and store.find(field.refers, str(value)) is None:
        return f"is not an id of {field.refers}"
    return None


def missing(resource: Resource, body: JsonObject) -> tuple[Issue, ...]:
    """Returns an issue for each required field that a body does not have."""
    return tuple(
        Issue(field.name, "is required")
        for field in resource.fields
        if field.use is Use.REQUIRED and field.name not in body
    )


def _of_person(person: JsonObject, today: str, store: Store) -> Iterator[Issue]:
    if not person.get("email") and not (person.get("personalEmail") and person["employmentStartDate"] > today):
        yield Issue("email", "is required, but for a new hire with a personal email")
    if person["locationId"] == REMOTE:
        if not person.get("remoteCity"):
            yield Issue("remoteCity", "is required with a remote location")
        if person.get("remoteCountryCode") not in COUNTRIES:
            yield Issue("remoteCountryCode", "must be a known country code with a remote location")
    elif store.find("locations", person["locationId"]) is None:
        yield Issue("locationId", "is neither an id of locations nor remote")
    end = person.get("employmentEndDate")
    if end is not None and end < person["employmentStartDate"]:
        yield Issue("employmentEndDate", "is before employmentStartDate")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


_FITS: dict[Kind, Callable[[object], bool]] = {
    Kind.ID: _is_text,
    Kind.TEXT: _is_text,
    Kind.DATE: _is_date,
    Kind.STAMP: _is_text,
    Kind.TIME: lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None,
    Kind.BOOL: lambda value: isinstance(value, bool),
    Kind.NUMBER: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    Kind.MONEY: lambda value: isinstance(value, str) and _MONEY.fullmatch(value) is not None,
    Kind.TEXTS: _is_texts,
    Kind.OBJECT: lambda value: isinstance(value, dict),
    Kind.OBJECTS: lambda value: isinstance(value, list) and all(isinstance(each, dict) for each in value),
    Kind.TEXT_OR_TEXTS: lambda value: isinstance(value, str) or _is_texts(value),
}
