"""The Humaans lists that reads are made of, with their queries, and the whole list to ask for where one is refused.

No filter of Humaans is certain to work: even one that a published client sends may be refused or ignored.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from connectors import convert
from connectors.changes import Changes
from connectors.humaans.scopes import PRIVATE
from connectors.spec import OWN_KEY, TODAY, Collection, Row, owned_by


def day(value: Any) -> str:
    """Returns a date as text that sorts. A missing date, or a text that is none, sorts first."""
    return convert.day(value) or ""


def age(row: Row) -> tuple[str, str, str]:
    """Returns the key that sorts rows by age. Of two that begin on one day, the one entered last is newer."""
    return day(row.get("effectiveDate")), str(row.get("createdAt")), str(row.get("id"))


def in_force(row: Row, on: str) -> bool:
    """Returns whether an effective-dated row is in force on a day.

    A row without an end may still begin later.
    """
    end = day(row.get("endDate"))
    return "" < day(row.get("effectiveDate")) <= on and (not end or on <= end)


def _in_force_today(row: Row, _: str, today: date) -> bool:
    return in_force(row, today.isoformat())


def _to_come(row: Row, _: str, today: date) -> bool:
    return day(row.get("effectiveDate")) > today.isoformat()


def turns(person: Row, until: date) -> bool:
    """Returns whether the status of a person may change by itself until the end of a day: they begin, or have left."""
    status, last = person.get("status"), until.isoformat()
    if status == "newHire":
        return "" < day(person.get("employmentStartDate")) <= last
    return status == "active" and "" < day(person.get("employmentEndDate")) <= last


def _of_one(whole: Collection) -> Collection:
    """Returns the part of a list that belongs to one person."""
    return Collection(whole.path, whole.resource, {"personId": OWN_KEY}, whole=whole, sift=owned_by("personId"))


# Comparisons of any column are Feathers'; nobody was seen comparing `updatedAt`. Whoever may not see everything sees
# people and their roles come and go with the day, so only a full reader may ask for changes.
SINCE, BEFORE = "updatedAt[$gte]", "updatedAt[$lt]"
PEOPLE_CHANGES = Changes(
    since=SINCE,
    before=BEFORE,
    scope=PRIVATE,
    shows=("status", "employmentStartDate", "employmentEndDate"),
    turns=turns,
    among="id[$in]",
    loose=frozenset({"directReports"}),  # Computed from the roles of others.
)
# The end of a row follows from the beginning of the next one.
FOLLOWED = Changes(since=SINCE, before=BEFORE, scope=PRIVATE, ripples=True)
ENTERED = Changes(since=SINCE, before=BEFORE, scope=PRIVATE)

# Without `status=all` Humaans lists active people only. A server that does not know `status` lists all people.
PEOPLE = Collection(
    "/people", "employees", {"status": "all"}, whole=Collection("/people", "employees"), changes=PEOPLE_CHANGES
)
PERSON = Collection("/people/{key}", "employees", single=True)

COMPANIES = Collection("/companies", "companies")
LOCATIONS = Collection("/locations", "locations")

ROLES = Collection("/job-roles", "employments")
ROLES_TO_COME = Collection(
    "/job-roles", "employments", {"effectiveDate[$gt]": TODAY}, whole=ROLES, sift=_to_come, carried=()
)
# What is in force on a later day begins by then: so it is in force today already, or among those to come.
ROLES_TODAY = Collection(
    "/job-roles",
    "employments",
    {"$asOf": TODAY},
    whole=ROLES,
    sift=_in_force_today,
    changes=FOLLOWED,
    carried=(ROLES_TO_COME,),
)
ROLES_OF_ONE = _of_one(ROLES)

COMPENSATIONS = Collection("/compensations", "employments")
COMPENSATIONS_OF_ONE = _of_one(COMPENSATIONS)
COMPENSATION_TYPES = Collection("/compensation-types", "companies")

CUSTOM_FIELDS = Collection("/custom-fields", "custom_fields")
CUSTOM_VALUES = Collection("/custom-values", "custom_fields", changes=ENTERED)
CUSTOM_VALUES_OF_ONE = _of_one(CUSTOM_VALUES)

BANK_ACCOUNTS = Collection("/bank-accounts", "bank_details")
BANK_ACCOUNTS_OF_ONE = _of_one(BANK_ACCOUNTS)

TIME_AWAY = Collection("/time-away", "time_off")
TIME_AWAY_OF_ONE = _of_one(TIME_AWAY)
TIME_AWAY_TYPES = Collection("/time-away-types", "time_off_policies")
TIME_AWAY_PERIODS_OF_ONE = _of_one(Collection("/time-away-periods", "time_off_balances"))

DOCUMENTS_OF_ONE = _of_one(Collection("/documents", "documents"))
DOCUMENT_TYPES = Collection("/document-types", "document_categories")

IDENTITY_DOCUMENTS_OF_ONE = _of_one(Collection("/identity-documents", "work_eligibility"))
IDENTITY_DOCUMENT_TYPES = Collection("/identity-document-types", "document_categories")

TIMESHEET_ENTRIES = Collection("/timesheet-entries", "time_entries", changes=ENTERED)

TASKS = Collection("/tasks", "tasks")
TASKS_OF_ONE = _of_one(TASKS)

# What Humaans changes by itself after a write to a list. More than is known: reading too much again is only slow.
CONSEQUENCES: Mapping[str, tuple[str, ...]] = {
    "/people": (
        "employments",
        "custom_fields",
        "bank_details",
        "time_off",
        "time_off_balances",
        "documents",
        "work_eligibility",
        "tasks",
    ),
    "/job-roles": ("employees",),
    "/time-away": ("time_off_balances",),
    "/identity-documents": ("documents",),
}
