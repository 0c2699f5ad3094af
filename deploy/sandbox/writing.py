"""Create, update and delete: checks rights, then the body, then writes the row and what follows from it."""

from __future__ import annotations

from typing import Any

import orjson

from deploy.sandbox.answers import Answer, json_answer
from deploy.sandbox.catalogue import RESOURCES
from deploy.sandbox.derive import blank, fill, settle
from deploy.sandbox.errors import ApiError, Issue, bad_request, forbidden, invalid, not_found
from deploy.sandbox.model import JsonObject, Resource, Use
from deploy.sandbox.rights import Area, Viewer
from deploy.sandbox.state import State
from deploy.sandbox.validation import check, check_first_role, check_people_events, check_person
from deploy.sandbox.views import view_of


def create(resource: Resource, viewer: Viewer, state: State, raw: bytes) -> Answer:
    """Creates a row and returns the answer."""
    _open_for_writing(resource, viewer, state)
    if not resource.about_people and not viewer.writes(resource.area, None):
        raise forbidden()
    body = _body(resource, raw, state)
    role = body.pop("jobRole", None) if resource.path == "people" else None
    given = {"secret": body.pop("secret")} if "secret" in body and _takes_secret(resource, state) else {}
    owner = body.get("personId")
    issues = check(resource, body, state.store, create=True, may_guarded=_may_guarded(resource, viewer, owner))
    if resource.path == "people":
        issues += check_first_role(role, state.store)
    if resource.path == "webhooks" and state.choices.webhook_events == "people_only":
        issues += check_people_events(body.get("events"))
    _refuse_any(issues)
    if not viewer.writes(resource.area, owner):
        raise forbidden()
    row = add(resource, body | given, state)
    if isinstance(role, dict):
        first = {**role, "personId": row["id"], "effectiveDate": row["employmentStartDate"]}
        add(RESOURCES["job-roles"], first, state)
    return state.reader.written(resource, viewer, row["id"], 201)


def update(resource: Resource, row_id: str, viewer: Viewer, state: State, raw: bytes) -> Answer:
    """Changes a row and returns the answer."""
    _open_for_writing(resource, viewer, state)
    old = _reachable(resource, row_id, viewer, state)
    body = _body(resource, raw, state)
    may_guarded = _may_guarded(resource, viewer, _person_of(resource, old))
    _refuse_any(check(resource, body, state.store, create=False, may_guarded=may_guarded))
    if "personId" in body and body["personId"] != old["personId"]:
        raise invalid(Issue("personId", "cannot be changed"))
    reviewed: JsonObject = {}
    if resource.area is Area.TIME_AWAY and body.get("requestStatus", old["requestStatus"]) != old["requestStatus"]:
        reviewed = {"reviewedBy": viewer.person_id, "reviewedAt": state.stamps.next()}
    change(resource, old, body | reviewed, state)
    return state.reader.written(resource, viewer, row_id, 200)


def delete(resource: Resource, row_id: str, viewer: Viewer, state: State) -> Answer:
    """Deletes a row and returns the answer."""
    _open_for_writing(resource, viewer, state)
    _reachable(resource, row_id, viewer, state)
    if resource.path == "people" and not viewer.manages(resource.area):
        raise forbidden()
    remove(resource, row_id, state)
    if state.choices.delete == "204":
        return Answer(status=204)
    return json_answer({"id": row_id, "deleted": True})


def add(resource: Resource, values: JsonObject, state: State) -> JsonObject:
    """Adds a row with checked values, and updates what follows from it. Returns the row."""
    stamp = state.stamps.next()
    row = blank(resource) | {"id": state.world.id("made", resource.path, stamp), "createdAt": stamp}
    row |= {"updatedAt": stamp} | values
    _fit(resource, row, None, state)
    row |= _said(resource, values)
    state.store.put(resource.path, row)
    settle(resource.path, None, row, state.store)
    state.changes.append((resource.path, "created", row))
    return row


def change(resource: Resource, old: JsonObject, values: JsonObject, state: State) -> None:
    """Changes the values of a row, and updates what follows from it. `updatedAt` always changes."""
    row = old | {"updatedAt": state.stamps.next()} | values
    _fit(resource, row, old, state)
    row |= _said(resource, values)
    state.store.put(resource.path, row)
    settle(resource.path, old, row, state.store)
    state.changes.append((resource.path, "updated", row))


def remove(resource: Resource, row_id: str, state: State) -> None:
    """Deletes a row, and updates what follows from it."""
    old = state.store.find(resource.path, row_id)
    if old is None:
        raise not_found(f"No record found for id '{row_id}'")
    state.store.remove(resource.path, row_id)
    settle(resource.path, old, None, state.store)
    state.changes.append((resource.path, "deleted", old))


def _fit(resource: Resource, row: JsonObject, old: JsonObject | None, state: State) -> None:
    """Refuse what does not fit together, and fill in what follows."""
    store = state.store
    if resource.path == "people":
        _refuse_any(check_person(row, store.today, store))
        if row["email"] and any(
            each["email"] == row["email"] and each["id"] != row["id"] for each in store.rows("people")
        ):
            raise ApiError(409, "A person with that email exists", (Issue("email", "is taken"),))
    if resource.path == "job-roles":
        others = [each for each in store.roles_of(row["personId"]) if old is None or each["id"] != old["id"]]
        if any(each["effectiveDate"] == row["effectiveDate"] for each in others):
            raise invalid(Issue("effectiveDate", "has a job role already"))
    if "startDate" in row and row.get("endDate") is not None and row["endDate"] < row["startDate"]:
        raise invalid(Issue("endDate", "is before startDate"))
    fill(resource, row, store, state.choices)


def _takes_secret(resource: Resource, state: State) -> bool:
    return resource.path == "webhooks" and state.choices.webhook_secret == "given"


def _said(resource: Resource, values: JsonObject) -> JsonObject:
    """Computed fields that were given all the same, which only the sandbox's own paths can do: they stand."""
    return {
        name: value
        for name, value in values.items()
        if name in resource.by_name and resource.by_name[name].use is Use.COMPUTED
    }


def _open_for_writing(resource: Resource, viewer: Viewer, state: State) -> None:
    if not viewer.may_write(resource.area):
        raise (not_found("Page not found") if state.choices.endpoint_without_right == "not_found" else forbidden())


def _reachable(resource: Resource, row_id: str, viewer: Viewer, state: State) -> JsonObject:
    """The row to be written: 404 if it cannot be seen either, 403 if it can only be seen."""
    row = state.store.find(resource.path, row_id)
    if row is None:
        raise not_found(f"No record found for id '{row_id}'")
    if viewer.writes(resource.area, _person_of(resource, row)):
        return row
    seen = viewer.may_open(resource.area, state.choices) and view_of(resource, row, viewer, state.store, state.choices)
    if seen or state.choices.invisible_person == "forbidden":
        raise forbidden()
    raise not_found(f"No record found for id '{row_id}'")


def _person_of(resource: Resource, row: JsonObject) -> str | None:
    person: str | None = row["id"] if resource.path == "people" else row.get("personId")
    return person


def _may_guarded(resource: Resource, viewer: Viewer, person_id: str | None) -> bool:
    """Guarded fields are for those who manage all, and for managers on the rows of their reports."""
    if viewer.manages(resource.area):
        return True
    return person_id != viewer.person_id and viewer.writes(resource.area, person_id)


def _body(resource: Resource, raw: bytes, state: State) -> JsonObject:
    try:
        body: Any = orjson.loads(raw)
    except ValueError as error:
        raise bad_request("The body is not JSON") from error
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object")
    if resource.path == "locations" and state.choices.location_label == "name" and "name" in body:
        body["label"] = body.pop("name")
    return body


def _refuse_any(issues: tuple[Issue, ...]) -> None:
    if issues:
        raise invalid(*issues)
