"""Employments: the job roles of a person, past, present and to come, each with the salary in force then."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from connectors.convert import identifier, instant, text, words
from connectors.hris import enums
from connectors.hris.employments import EMPLOYMENTS as RESOURCE
from connectors.humaans import lists
from connectors.humaans.groups import department_group
from connectors.humaans.lists import day, in_force
from connectors.humaans.scopes import PAY, PUBLIC
from connectors.spec import TODAY, Absent, Embed, Field, Join, Row, Table

ON_PERSON = Absent("Humaans keeps the contract type on the person, not on the role")


def newest(rows: Sequence[Row]) -> Row | None:
    return max(rows, key=lambda row: (day(row.get("effectiveDate")), str(row.get("createdAt"))), default=None)


def current_role(person: Row, matches: Sequence[Row], today: date) -> Row | None:
    """Choose the role in force; for somebody who has not begun, their first; for a leaver, their last."""
    now = today.isoformat()
    role = newest([row for row in matches if in_force(row, now)])
    if role is not None:
        return role
    if day(person.get("employmentStartDate")) > now:
        return min(matches, key=lambda row: day(row.get("effectiveDate")), default=None)
    end = day(person.get("employmentEndDate"))
    if person.get("status") == "offboarded" or (end and end < now):
        return newest([row for row in matches if "" < day(row.get("effectiveDate")) <= now])
    return None


def salary_of_role(role: Row, matches: Sequence[Row], today: date) -> Row | None:
    """Choose the salary in force on the last day of the role that is not in the future, or on its first day."""
    first, last = day(role.get("effectiveDate")), last_day(role.get("endDate"), role.get("leftOn"))
    on = max(first, min(last or today.isoformat(), today.isoformat()))
    salaries = [row for row in matches if (row.get("compensationType") or {}).get("baseType") == "salary"]
    return newest([row for row in salaries if in_force(row, on)])


def roles_of(person: Row, matches: Sequence[Row], today: date) -> Sequence[Row]:  # noqa: ARG001 - a Pick
    """Give all roles of a person, each with the day on which they left or will leave, which a role does not know."""
    left_on = person.get("employmentEndDate")
    return [{**row, "leftOn": left_on} for row in matches]


def last_day(end: Any, left_on: Any) -> str | None:
    """Give the end of a role: its own, or that of the whole employment if it is earlier."""
    return min(filter(None, (day(end), day(left_on))), default=None)


def end_of_role(end: Any, left_on: Any) -> str | None:
    return instant(last_day(end, left_on))


def active(effective: Any, end: Any, left_on: Any, today: date) -> bool:
    return in_force({"effectiveDate": effective, "endDate": last_day(end, left_on)}, today.isoformat())


def managers(reporting_to: Any) -> list[dict[str, Any]] | None:
    """Give the one manager whom a role names, by id; names and addresses are those of the employee it points to."""
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
)

ROLE_HISTORY = Join(
    "roles",
    (lists.ROLES,),
    on="id",
    key="personId",
    scope=PUBLIC,
    pick=roles_of,
    narrow=lists.ROLES_OF_ONE,
)

SALARY = Join(
    "salary",
    (lists.COMPENSATIONS,),
    on="personId",
    key="personId",
    scope=PAY,
    pick=salary_of_role,
    narrow=lists.COMPENSATIONS_OF_ONE,
    embed=Embed("compensationType", lists.COMPENSATION_TYPES, on="compensationTypeId", key="id"),
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
        "end_date": Field(("endDate", "leftOn"), end_of_role),
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
        "active": Field(("effectiveDate", "endDate", "leftOn", TODAY), active),
        "department": Field("department", department_group),
        "cost_center": Absent("Humaans keeps no cost centres"),
        "cost_centers": Absent("Humaans keeps no cost centres"),
        "division": Absent("Humaans keeps no divisions"),
        "job": Absent("Humaans keeps job titles, not jobs"),
        "manager": Field("reportingTo", managers),
    },
)
