"""What the server computes: fields that follow from other fields, and rows that follow from other rows."""

from __future__ import annotations

from collections.abc import Callable

from deploy.sandbox.choices import Choices
from deploy.sandbox.company.people import follow, status_on
from deploy.sandbox.company.places import COUNTRIES
from deploy.sandbox.company.roles import chain
from deploy.sandbox.company.time import count_days, duration
from deploy.sandbox.company.world import COMPANY_ID
from deploy.sandbox.ids import stable_token
from deploy.sandbox.model import JsonObject, Kind, Resource
from deploy.sandbox.store import Store

# Keys of a person that are absent, not null, when there is nothing to say.
_ABSENT_AT_FIRST = {"shortBirthday", "formattedPhoneNumber", "formattedPersonalPhoneNumber"}
_EMPTY_LISTS = {"teams", "workingDays", "directReports", "foodAllergies", "events", "domains"}
_WEEK = [{"day": day} for day in ("monday", "tuesday", "wednesday", "thursday", "friday")]


def blank(resource: Resource) -> JsonObject:
    """Returns a row with every key that such a row has."""
    row: JsonObject = {}
    for field in resource.fields:
        if field.name in _EMPTY_LISTS:
            row[field.name] = []
        elif not field.hidden and field.name not in _ABSENT_AT_FIRST:
            row[field.name] = False if field.kind is Kind.BOOL else None
    if "companyId" in resource.by_name:
        row["companyId"] = COMPANY_ID
    return row


def fill(resource: Resource, row: JsonObject, store: Store, choices: Choices) -> None:
    """Sets the fields that follow from others."""
    filler = _FILLERS.get(resource.path)
    if filler is not None:
        filler(row, store, choices)


def _person(row: JsonObject, store: Store, _: Choices) -> None:
    row["status"] = status_on(store.today, row["employmentStartDate"], row["employmentEndDate"])
    row["firstWorkingDay"] = row["firstWorkingDay"] or row["employmentStartDate"]
    row["workingDays"] = row["workingDays"] or _WEEK
    row["role"] = row["role"] or "user"
    row["country"] = COUNTRIES.get(row["countryCode"] or "", row["country"])
    if row["locationId"] == "remote":
        row["remoteCountry"] = COUNTRIES.get(row["remoteCountryCode"] or "")
        row["timezone"] = row["remoteTimezone"] or row["timezone"]
    elif location := store.find("locations", row["locationId"]):
        row |= dict.fromkeys(name for name in row if name.startswith("remote"))
        row["timezone"] = location["timezone"]
    follow(row)


def _time_away(row: JsonObject, store: Store, choices: Choices) -> None:
    kind = store.find("time-away-types", row["timeAwayTypeId"]) or {
        "id": None,
        "name": None,
        "isTimeOff": True,
    }
    person = store.find("people", row["personId"]) or {}
    row |= {
        "timeAwayType": {"id": kind["id"], "name": kind["name"]},
        "name": kind["name"],
        "isTimeOff": kind["isTimeOff"],
        "startPeriod": row["startPeriod"] or "full",
        "endPeriod": row["endPeriod"] or "full",
        "requestStatus": row["requestStatus"] or choices.time_away_pending,
        "workingDays": row["workingDays"] or person.get("workingDays", _WEEK),
        "publicHolidayCalendarId": person.get("publicHolidayCalendarId"),
    }
    row |= count_days(row)


def _timesheet_entry(row: JsonObject, _: Store, __: Choices) -> None:
    for name in ("startTime", "endTime"):
        if row[name] is not None and row[name].count(":") == 1:
            row[name] += ":00"
    row["duration"] = duration(row["startTime"], row["endTime"])


def _submission(row: JsonObject, _: Store, __: Choices) -> None:
    row["status"] = row["status"] or "pending"
    row["submittedAt"] = row["submittedAt"] or row["createdAt"]


def _equipment(row: JsonObject, store: Store, _: Choices) -> None:
    kind = store.find("equipment-types", row["equipmentTypeId"])
    name = store.find("equipment-names", row["equipmentNameId"])
    row |= {"type": kind and kind["name"], "name": name and name["name"]}


def _allocation(row: JsonObject, store: Store, _: Choices) -> None:
    policy = store.find("time-away-policies", row["timeAwayPolicyId"])
    row["type"] = row["type"] or "specific"
    row["timeAwayPolicy"] = policy and {"id": policy["id"], "name": policy["name"]}


def _webhook(row: JsonObject, _: Store, __: Choices) -> None:
    row["secret"] = row["secret"] or stable_token("webhook-secret", row["id"])
    row["status"] = row["status"] or "active"


_FILLERS: dict[str, Callable[[JsonObject, Store, Choices], None]] = {
    "people": _person,
    "time-away": _time_away,
    "time-away-allocations": _allocation,
    "timesheet-entries": _timesheet_entry,
    "timesheet-submissions": _submission,
    "equipment": _equipment,
    "webhooks": _webhook,
}


def settle(path: str, before: JsonObject | None, after: JsonObject | None, store: Store) -> None:
    """Updates the rows that depend on the one that was written."""
    row = after or before or {}
    match path:
        case "job-roles":
            _put_chain("job-roles", store.roles_of(row["personId"]), store)
            changed = {side["reportingTo"] for side in (before, after) if side is not None}
            _count_reports(changed | _managers_of(row["personId"], store), store)
        case "compensations":
            _put_chain("compensations", _same_pay(row, store), store)
        case "people":
            if after is None:
                _forget_manager(row["id"], store)
            _count_reports(
                {person["id"] for person in store.rows("people") if row["id"] in person["directReports"]}
                | _managers_of(row["id"], store),
                store,
            )
    # A change of pay or of a role does not touch the person's own updatedAt.


def _put_chain(path: str, rows: list[JsonObject], store: Store) -> None:
    known = {row["id"]: row["endDate"] for row in rows}
    for row in chain([dict(row) for row in rows]):
        if row["endDate"] != known[row["id"]]:
            store.put(path, row)


def _same_pay(row: JsonObject, store: Store) -> list[JsonObject]:
    """The rows that follow each other: one person's regular pay of one type. One-offs stand alone."""
    return [
        each
        for each in store.rows("compensations")
        if each["personId"] == row["personId"]
        and each["compensationTypeId"] == row["compensationTypeId"]
        and each["period"] is not None
    ]


def _managers_of(person_id: str, store: Store) -> set[str | None]:
    return {role["reportingTo"] for role in store.roles_of(person_id)}


def _count_reports(managers: set[str | None], store: Store) -> None:
    """Compute `directReports` again: active people whose current role reports there, in known order."""
    found: dict[str, list[str]] = {manager: [] for manager in managers if manager is not None}
    for person in store.rows("people"):
        role = store.current_role(person["id"]) if person["status"] == "active" else None
        if role is not None and role["reportingTo"] in found:
            found[role["reportingTo"]].append(person["id"])
    for manager, reports in found.items():
        row = store.find("people", manager)
        if row is not None and set(row["directReports"]) != set(reports):
            kept = [each for each in row["directReports"] if each in reports]
            added = [each for each in reports if each not in kept]
            store.put("people", row | {"directReports": kept + added})


def _forget_manager(person_id: str, store: Store) -> None:
    for role in [role for role in store.rows("job-roles") if role["reportingTo"] == person_id]:
        store.put("job-roles", role | {"reportingTo": None})
