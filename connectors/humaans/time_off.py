"""Time off: the absences of Humaans' `/time-away`, its types as policies, and its yearly periods as balances.

A type ("Paid time off", "Sick leave") is what the contract calls a policy; what Humaans calls a policy is a yearly
allowance, which shows in the balances.
"""

from collections.abc import Mapping
from typing import Any

from connectors.convert import UNREADABLE, Unreadable, constant, day, identifier, is_there, lost, number, text, words
from connectors.hris import enums
from connectors.hris.time_off import TIME_OFF as TIME_OFF_RESOURCE
from connectors.hris.time_off import TIME_OFF_BALANCES, TIME_OFF_POLICIES, TIME_OFF_TYPES
from connectors.humaans import lists
from connectors.humaans.scopes import PRIVATE, PUBLIC
from connectors.spec import Absent, Field, Join, Nested, Row, Table

policy_id = identifier("time_off_policy")
employee_id = identifier("employee")

STATUSES = {"pending": "pending", "approved": "approved", "declined": "rejected"}

# Names are the company's own; plain words for a kind of absence are known, every other stays `unmapped_value`.
KINDS: Mapping[str, str] = {
    "paid time off": "paid",
    "pto": "paid",
    "annual leave": "annual_leave",
    "vacation": "vacation",
    "holiday": "holiday",
    "sick leave": "sick",
    "sick": "sick",
    "sickness": "sick",
    "maternity leave": "maternity_leave",
    "bereavement leave": "bereavement",
    "bereavement": "bereavement",
    "compassionate leave": "bereavement",
    "unpaid leave": "unpaid",
    "unpaid time off": "unpaid",
    "sabbatical": "sabbatical",
    "jury duty": "jury_duty",
    "jury service": "jury_duty",
    "training": "training",
    "time off in lieu": "in_lieu",
    "childcare leave": "child_care_leave",
}

of_type = words(enums.TIME_OFF_TYPE, KINDS)
DAYS = constant({"value": "days", "source_value": "days"})


def is_time_off(row: Row) -> bool:
    """Returns whether an entry is time off, and not for example "working from abroad".

    An entry without the mark counts as time off.
    """
    return row.get("isTimeOff") is not False


def local_midnight(value: Any) -> str | None:
    """Returns a date as the contract's date-time without a zone."""
    found = day(value)
    return f"{found}T00:00:00.000" if found else None


_MANY = 100_000


def half_day(period: Any) -> bool | None:
    """Returns whether a period is a half day; None where that is unknown."""
    return {"full": False, "am": True, "pm": True}.get(period) if isinstance(period, str) else None


def duration(days: Any) -> str | None:
    """Returns a number of days, which may include a half, as an ISO 8601 duration."""
    count = number(days)
    # A larger number is formatted with an exponent, which a duration cannot have.
    return None if count is None or not 0 <= count < _MANY else f"P{count:g}D"


def type_of(detail: Any, name: Any) -> dict[str, Any] | Unreadable | None:
    """Returns the type, whose name is in the nested object, or beside it in older answers."""
    if lost(name) or (is_there(detail) and (not isinstance(detail, dict) or lost(detail.get("name")))):
        return UNREADABLE
    return of_type((text(detail.get("name")) if isinstance(detail, dict) else None) or text(name))


def remaining(allowance: Any, carried: Any, used: Any, upcoming: Any) -> int | float | None:
    """Returns the balance of a period, computed from Humaans' figures as one published client does (2021)."""
    figures = [number(value) for value in (allowance, carried, used, upcoming)]
    if any(figure is None for figure in figures):
        return None
    total, brought, taken, booked = (figure or 0 for figure in figures)
    return total + brought - taken - booked


def entitled(allowance: Any, carried: Any) -> int | float | None:
    """Returns the allowance of a period with what was carried over."""
    first, second = number(allowance), number(carried)
    return None if first is None or second is None else first + second


POLICY = Table(
    TIME_OFF_POLICIES,
    {
        "id": Field("id", policy_id),
        "remote_id": "id",
        "name": "name",
        "description": Absent("Humaans keeps no description of a type of time away"),
        "type": Field("name", words(enums.TIME_OFF_POLICY_TYPE, KINDS)),
        "duration_unit": Field("id", DAYS),
        "reasons": Absent("Humaans keeps no reasons for time away"),
        "created_at": "createdAt",
        "updated_at": "updatedAt",
    },
)

TYPE = Table(
    TIME_OFF_TYPES,
    {
        "id": Field("id", policy_id),
        "remote_id": "id",
        "name": "name",
        "active": Absent("Humaans does not say whether a type is in use"),
    },
)

TYPE_OF_ENTRY = Join("type", (lists.TIME_AWAY_TYPES,), on="timeAwayTypeId", key="id", scope=PUBLIC)

ENTRY = Table(
    TIME_OFF_RESOURCE,
    {
        "id": Field("id", identifier("time_off")),
        "remote_id": "id",
        "employee_id": Field("personId", employee_id),
        "remote_employee_id": "personId",
        "approver_id": Field("reviewedBy", employee_id),
        "remote_approver_id": "reviewedBy",
        "status": Field("requestStatus", words(enums.TIME_OFF_STATUS, STATUSES)),
        "type": Field(("timeAwayType", "name"), type_of),
        "start_date": Field("startDate", local_midnight),
        "end_date": Field("endDate", local_midnight),
        "start_half_day": Field("startPeriod", half_day),
        "end_half_day": Field("endPeriod", half_day),
        "duration": Field("days", duration),
        "time_off_policy_id": Field("timeAwayTypeId", policy_id),
        "remote_time_off_policy_id": "timeAwayTypeId",
        "reason": Absent("Humaans keeps a note, which is `comment`, and no reasons"),
        "created_at": "createdAt",
        "updated_at": "updatedAt",
        "policy": Nested(POLICY, source=TYPE_OF_ENTRY.whole),
        "comment": Field("note", scope=PRIVATE),
    },
)

BALANCE = Table(
    TIME_OFF_BALANCES,
    {
        "id": Field("id", identifier("time_off_balance")),
        "remote_id": "id",
        "employee_id": Field("personId", employee_id),
        "remote_employee_id": "personId",
        "policy_id": Absent("Humaans counts a yearly allowance, not each type of time away"),
        "remote_policy_id": Absent("Humaans counts a yearly allowance, not each type of time away"),
        "policy": Absent("Humaans counts a yearly allowance, not each type of time away"),
        "current_balance": Field(("allowance", "ptoCarriedOver", "ptoUsed", "ptoUpcoming"), remaining),
        "initial_balance": Field(("allowance", "ptoCarriedOver"), entitled),
        "balance_unit": Field("personId", DAYS),
        "balance_start_date": "startDate",
        "balance_expiry_date": "endDate",
        "is_unlimited": Absent("Humaans does not say whether an allowance is unlimited"),
        "updated_at": "updatedAt",
    },
)
