"""How much of a row a viewer sees, and its bytes."""

from __future__ import annotations

from enum import Enum

import orjson

from deploy.sandbox.choices import Choices
from deploy.sandbox.model import JsonObject, Resource
from deploy.sandbox.rights import PRIVATE, Area, Viewer
from deploy.sandbox.store import Row, Store
from deploy.sandbox.tables.people import OWN_ROW_ONLY


class View(Enum):
    OWN = "the caller's own person"
    FULL = "all that a row has"
    PUBLIC = "without the private fields"
    MASKED = "that somebody is away, not why"


_TIME_OFF_DETAILS = ("timeAwayTypeId", "timeAwayType", "type", "note", "reviewNote")
_NOTES = ("note", "reviewNote")


def view_of(resource: Resource, row: JsonObject, viewer: Viewer, store: Store, choices: Choices) -> View | None:
    """Returns what a viewer sees of a row, or None for nothing. The caller has checked that the area is open."""
    private = PRIVATE in viewer.scopes
    if resource.area is Area.PEOPLE:
        return _of_person(row, viewer, choices, private=private)
    person_id = row.get("personId")
    if resource.area in {Area.JOB_ROLES, Area.TIME_AWAY}:
        return _of_shared(resource.area, row, viewer, store, choices)
    if resource.about_people and person_id is not None and not viewer.reads(resource.area, person_id):
        return None
    return View.FULL


def _of_person(row: JsonObject, viewer: Viewer, choices: Choices, *, private: bool) -> View | None:
    if private and viewer.reads(Area.PEOPLE, row["id"]):
        return View.OWN if row["id"] == viewer.person_id else View.FULL
    if row["status"] == "active" or choices.public_token_people == "all":
        return View.PUBLIC
    return None


def _of_shared(area: Area, row: JsonObject, viewer: Viewer, store: Store, choices: Choices) -> View | None:
    """Rows of others that everybody sees something of."""
    if PRIVATE in viewer.scopes and viewer.reads(area, row["personId"]):
        return View.FULL
    if not store.is_active(row["personId"]) and choices.public_token_people != "all":
        return None
    if area is Area.TIME_AWAY:
        return View.MASKED if row["requestStatus"] == "approved" else None
    return View.PUBLIC if choices.job_roles_with_public_read == "allowed" else None


def hides(view: View, resource: Resource, field_name: str) -> bool:
    """Returns whether a view leaves a field out."""
    if view is View.PUBLIC:
        return field_name in resource.private
    return view is View.MASKED and field_name in {*_TIME_OFF_DETAILS, "name"}


def dated(resource: Resource, row: JsonObject, store: Store, choices: Choices) -> JsonObject:
    """Returns the row with the end date that the choices select. Only job roles have one that differs."""
    if resource.area is not Area.JOB_ROLES:
        return row
    end = row["endDate"] if choices.role_ends == "set" else None
    if end is None and choices.leaver_role == "ended":
        person = store.find("people", row["personId"])
        if person is not None and person["status"] == "offboarded":
            end = person["employmentEndDate"]
    return row if end == row["endDate"] else row | {"endDate": end}


class Encoder:
    """Encodes rows, and stores the bytes on the row for each view."""

    def __init__(self, store: Store, choices: Choices) -> None:
        self._store = store
        self._choices = choices
        # What of the choices shows in a row: part of the key under which its bytes are kept.
        self._shape = (
            choices.field_without_right,
            choices.inline_job_role,
            choices.location_label,
            choices.masked_time_away,
            choices.webhook_secret,
        )

    def encode(self, resource: Resource, row: Row, view: View) -> bytes:
        """Returns the bytes of a row in a view."""
        data = dated(resource, row.data, self._store, self._choices)
        key = (view, self._shape, data.get("endDate"))
        known = row.encoded.get(key)
        if known is None:
            known = row.encoded[key] = orjson.dumps(self._shown(resource, data, view))
        return known

    def _shown(self, resource: Resource, data: JsonObject, view: View) -> JsonObject:
        dropped = set(resource.hidden)
        if view is not View.OWN:
            dropped.add(OWN_ROW_ONLY)
        shown = {name: value for name, value in data.items() if name not in dropped}
        if view is View.PUBLIC:
            shown = self._without(shown, resource.private)
        if view is View.MASKED:
            shown = self._masked(shown)
        if resource.path == "webhooks" and self._choices.webhook_secret == "given":
            del shown["secret"]
        if resource.area is Area.PEOPLE and self._choices.inline_job_role == "on":
            shown["jobRole"] = self._inline_role(data["id"])
        if resource.path == "locations" and self._choices.location_label == "name":
            shown = {("name" if name == "label" else name): value for name, value in shown.items()}
        return shown

    def _without(self, row: JsonObject, names: frozenset[str]) -> JsonObject:
        if self._choices.field_without_right == "null":
            return {name: None if name in names else value for name, value in row.items()}
        return {name: value for name, value in row.items() if name not in names}

    def _masked(self, row: JsonObject) -> JsonObject:
        away = row["isTimeOff"]
        details = _TIME_OFF_DETAILS if away else _NOTES
        if self._choices.masked_time_away == "nulls":
            return row | dict.fromkeys(details) | ({"name": None} if away else {})
        kept = {name: value for name, value in row.items() if name not in details}
        if away and self._choices.masked_time_away == "keys_missing":
            del kept["name"]
            return kept
        return kept | {"name": "Time off"} if away else kept

    def _inline_role(self, person_id: str) -> JsonObject | None:
        role = self._store.current_role(person_id)
        names = ("jobTitle", "department", "reportingTo", "effectiveDate")
        return None if role is None else {name: role[name] for name in names}
