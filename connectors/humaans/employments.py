"""Employments: the job roles of a person, past, present and to come, each with the salary in force then."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from connectors import convert
from connectors.convert import UNREADABLE, Unreadable, identifier, instant, lost, text, words
from connectors.hris import enums
from connectors.hris.employments import EMPLOYMENTS as RESOURCE
from connectors.humaans import lists
from connectors.humaans.groups import department_group
from connectors.humaans.lists import age, day, in_force
from connectors.humaans.scopes import PAY, PUBLIC
from connectors.spec import TODAY, Absent, Completion, Embed, Field, Further, Join, Row, Table, all_matches

ON_PERSON = Absent("Humaans keeps the contract type on the person, not on the role")


def newest(rows: Sequence[Row]) -> Row | None:
    """Returns the newest row, or None."""
    return max(rows, key=age, default=None)


def current_role(person: Row, matches: Sequence[Row], today: date) -> Row | None:
    """Returns the role in force; of a person who has not begun, the first role; of a leaver, the last."""
    now = today.isoformat()
    role = newest([row for row in matches if in_force(row, now)])
    if role is not None:
        return role
    if day(person.get("employmentStartDate")) > now:
        return min([row for row in matches if day(row.get("effectiveDate")) > now], key=age, default=None)
    if _gone(person, now):
        return newest([row for row in matches if "" < day(row.get("effectiveDate")) <= now])
    return None


def _gone(person: Row, now: str) -> bool:
    end = day(person.get("employmentEndDate"))
    return person.get("status") == "offboarded" or bool(end and end < now)


def ended_role_wanted(person: Row, matches: Sequence[Row], today: date) -> bool:
    """Returns whether the role to show may be one that has ended.

    Such a role is neither in the list of today's roles nor in that of later ones.
    """
    now = today.isoformat()
    begins_later = day(person.get("employmentStartDate")) > now
    return _gone(person, now) and not begins_later and not any(in_force(row, now) for row in matches)


def salary_of_role(role: Row, matches: Sequence[Row], today: date) -> Row | None:
    """Returns the salary in force on the last day of the role up to today, or on its first day if that is later."""
    first = day(role.get("effectiveDate"))
    last = last_day(role.get("endDate"), role.get("leftOn"), role.get("followedOn"), first)
    on = max(first, min(last or today.isoformat(), today.isoformat()))
    salaries = [row for row in matches if (row.get("compensationType") or {}).get("baseType") == "salary"]
    return newest([row for row in salaries if in_force(row, on)])


def roles_of(person: Row, matches: Sequence[Row], today: date) -> Sequence[Row]:  # noqa: ARG001 - a Pick
    """Returns all roles of a person, the newest first, each with columns that it does not have by itself.

    `leftOn` is the day on which the person left or will leave, `followedOn` the day on which their next role begins.
    """
    left_on, followed_on = person.get("employmentEndDate"), None
    found = []
    for row in sorted(matches, key=age, reverse=True):
        found.append({**row, "leftOn": left_on, "followedOn": followed_on})
        followed_on = row.get("effectiveDate") if day(row.get("effectiveDate")) else None
    return found


def among_others(role: Row, picks: Sequence[Any]) -> Row:
    """Returns a single role, completed with the columns that `roles_of` adds."""
    person, roles = picks
    others = [row for row in roles or () if row.get("id") != role.get("id")]
    whole = roles_of(person or {}, [role, *others], date.max)
    return next(row for row in whole if row.get("id") == role.get("id"))


def last_day(end: Any, left_on: Any, followed_on: Any = None, effective: Any = None) -> str | None:
    """Returns the last day of a role: its own end, or that of the whole employment if it is earlier.

    A role without an end is taken to end on the day before the next one begins, but not before its own first day.
    """
    own = day(end) or _day_before(followed_on, effective)
    return min(filter(None, (own, day(left_on))), default=None)


def _day_before(followed_on: Any, effective: Any) -> str:
    try:
        found = (date.fromisoformat(day(followed_on)) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return ""
    return max(found, day(effective))


def end_of_role(end: Any, left_on: Any, followed_on: Any = None, effective: Any = None) -> str | Unreadable | None:
    """Returns the end of a role as an instant."""
    if any(lost(each, convert.day) for each in (end, left_on, followed_on, effective)):
        return UNREADABLE
    return instant(last_day(end, left_on, followed_on, effective))


def active(effective: Any, end: Any, left_on: Any, today: date, followed_on: Any = None) -> bool | Unreadable:
    """Returns whether a role is in force today."""
    if any(lost(each, convert.day) for each in (effective, end, left_on, followed_on)):
        return UNREADABLE
    now = today.isoformat()
    # Of two roles that begin on one day, the one that was entered last is in force.
    followed = not day(end) and "" < day(followed_on) <= now
    return not followed and in_force({"effectiveDate": effective, "endDate": last_day(end, left_on)}, now)


def managers(reporting_to: Any) -> list[dict[str, Any]] | None:
    """Returns the one manager of a role, by id. The name and address are those of the employee with that id."""
    remote_id = text(reporting_to)
    if remote_id is None:
        return None
    found = {"id": identifier("employee")(remote_id), "remote_id": remote_id}
    return [{**found, "name": None, "email": None, "role": None}]


CURRENT_ROLE = Join(
    "role",
    (lists.ROLES_TODAY, lists.ROLES_TO_COME),
    on="id",
    key="personId",
    scope=PUBLIC,
    pick=current_role,
    narrow=lists.ROLES_OF_ONE,
    further=Further(lists.ROLES, ended_role_wanted),
)

ROLE_HISTORY = Join(
    "roles",
    (lists.ROLES,),
    on="id",
    key="personId",
    scope=PUBLIC,
    pick=roles_of,
    narrow=lists.ROLES_OF_ONE,
    lends={"leftOn": "employmentEndDate"},
)

HOLDER = Join("person", (lists.PEOPLE,), on="personId", key="id", scope=PUBLIC, narrow=lists.PERSON)
OTHER_ROLES = Join(
    "other_roles",
    (lists.ROLES,),
    on="personId",
    key="personId",
    scope=PUBLIC,
    pick=all_matches,
    narrow=lists.ROLES_OF_ONE,
)
# The row of a role does not say when the person left, nor when the next role began.
AMONG_OTHERS = Completion(
    joins=(HOLDER, OTHER_ROLES),
    complete=among_others,
    fields=frozenset({"end_date", "active", "pay_rate", "pay_period", "pay_currency"}),
)

SALARY = Join(
    "salary",
    (lists.COMPENSATIONS,),
    on="personId",
    key="personId",
    scope=PAY,
    pick=salary_of_role,
    narrow=lists.COMPENSATIONS_OF_ONE,
    embed=Embed("compensationType", lists.COMPENSATION_TYPES, on="compensationTypeId", key="id", reads=("baseType",)),
)

# `annual` is the only period seen in published examples; the others are the plain words of the same kind.
PAY_PERIODS = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "annual": "year",
    "annually": "year",
    "yearly": "year",
}

EMPLOYMENT = Table(
    RESOURCE,
    {
        "id": Field("id", identifier("employment")),
        "remote_id": "id",
        "unified_custom_fields": Absent("no custom unified fields are configured for this project"),
        "job_title": "jobTitle",
        "pay_rate": Field(SALARY["amount"], scope=PAY),
        "pay_period": Field(SALARY["period"], words(enums.PAY_PERIOD, PAY_PERIODS), scope=PAY),
        "pay_frequency": Absent("Humaans states what period an amount is for, not how often it is paid"),
        "pay_currency": Field(SALARY["currency"], scope=PAY),
        "effective_date": "effectiveDate",
        "end_date": Field(("endDate", "leftOn", "followedOn", "effectiveDate"), end_of_role),
        "grade": Absent("Humaans keeps no grades"),
        "employment_type": ON_PERSON,
        "employment_contract_type": ON_PERSON,
        "type": ON_PERSON,
        "contract_type": ON_PERSON,
        "work_time": Absent("Humaans keeps working days, not hours"),
        "payroll_code": Absent("Humaans keeps no payroll code"),
        "employee_id": Field("personId", identifier("employee")),
        "remote_employee_id": "personId",
        "fte": Absent("Humaans keeps no full-time equivalent"),
        "created_at": "createdAt",
        "updated_at": "updatedAt",
        "start_date": "effectiveDate",
        "active": Field(("effectiveDate", "endDate", "leftOn", TODAY, "followedOn"), active),
        "department": Field("department", department_group),
        "cost_center": Absent("Humaans keeps no cost centres"),
        "cost_centers": Absent("Humaans keeps no cost centres"),
        "division": Absent("Humaans keeps no divisions"),
        "job": Absent("Humaans keeps job titles, not jobs"),
        "manager": Field("reportingTo", managers),
    },
)
