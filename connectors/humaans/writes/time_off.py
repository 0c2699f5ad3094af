"""Time off: requested, changed, approved or declined, and cancelled, which in Humaans is to delete it.

Humaans keeps days and halves of days. On the first of several days a half is the afternoon, on the last the morning;
a single day is half by its afternoon (`start_half_day`) or its morning (`end_half_day`).
"""

from typing import Any

from connectors.hris.requests import TIME_OFF as BODY
from connectors.humaans.scopes import PRIVATE_WRITE, PUBLIC
from connectors.humaans.time_off import is_time_off
from connectors.humaans.writes import steps
from connectors.humaans.writes.steps import FIXED, Row
from connectors.writes import (
    Flow,
    Missing,
    Order,
    Part,
    Rule,
    To,
    Unwritable,
    Write,
    Written,
    WrongValues,
    day,
    reference,
    spelt,
)

STATUSES = {"pending": "pending", "approved": "approved", "rejected": "declined"}
WHAT = "time off"

FIELDS: dict[str, Rule] = {
    "approver_id": Unwritable("Humaans itself notes who reviewed a request"),
    "status": To("time_away", "requestStatus", spelt(STATUSES), empties=False),
    "type": Unwritable("Humaans tells kinds of time off apart by time_off_policy_id"),
    "start_date": To("time_away", "startDate", day, empties=False),
    "end_date": To("time_away", "endDate", day, empties=False),
    "start_half_day": To("halves", "start", empties=False),
    "end_half_day": To("halves", "end", empties=False),
    "time_off_policy_id": To("time_away", "timeAwayTypeId", reference("time_off_policy"), empties=False),
    "reason": Unwritable("Humaans keeps a note, which is comment, and no reasons"),
    "comment": To("time_away", "note"),
}


def request(order: Order) -> Flow:
    """Creates a request for time off."""
    columns = {**order.of("time_away"), **_periods(order, {})}
    made = yield steps.create("/time-away", {**columns, "personId": order.employee}, "request the time off")
    return Written(made.id)


def change(order: Order) -> Flow:
    """Changes an entry, or approves or declines it."""
    found = yield from _read(order)
    columns = {**order.of("time_away"), **_periods(order, found)}
    if not columns:
        raise WrongValues("nothing is given that could be changed")
    yield steps.change(f"/time-away/{order.key}", columns, "change the time off", WHAT)
    return Written(order.key)


def cancel(order: Order) -> Flow:
    """Deletes an entry."""
    yield from _read(order)
    yield steps.remove(f"/time-away/{order.key}", "delete the time off")
    return Written(order.key)


def _read(order: Order) -> Any:
    reply = yield steps.read(f"/time-away/{order.key}", "read the time off", WHAT)
    steps.must_be_of(reply.record, order.employee, WHAT)
    if not is_time_off(reply.record):
        raise Missing(WHAT)
    return reply.record


def _periods(order: Order, old: Row) -> dict[str, str]:
    """Returns the columns for half days, from the given values and the old ones."""
    columns, halves = order.of("time_away"), order.of("halves")
    first, last = (columns.get(name) or old.get(name) for name in ("startDate", "endDate"))
    if isinstance(first, str) and isinstance(last, str) and last < first:
        raise WrongValues("end_date is before start_date")
    if not halves:
        return {}
    if first == last:
        return _single_day(halves, old)
    start = "pm" if halves.get("start", old.get("startPeriod", "full") != "full") else "full"
    end = "am" if halves.get("end", old.get("endPeriod", "full") != "full") else "full"
    return {"startPeriod": start, "endPeriod": end}


def _single_day(halves: Row, old: Row) -> dict[str, str]:
    if halves.get("start") and halves.get("end"):
        # A half day is read with both columns, and stays as it is when both are written back.
        if old.get("startPeriod") in {"am", "pm"} and old.get("startDate") == old.get("endDate"):
            return {}
        raise WrongValues(
            "start_half_day and end_half_day exclude each other on a single day: the first is its afternoon, "
            "the second its morning"
        )
    period = "pm" if halves.get("start") else "am" if halves.get("end") else "full"
    return {"startPeriod": period, "endPeriod": period}


def _parts(*calls: str) -> tuple[Part, ...]:
    return (Part("time_away", (PRIVATE_WRITE,), calls), Part("halves", (PRIVATE_WRITE,), ()))


WRITES = (
    Write(
        operation="create_employee_time_off_request",
        body=BODY,
        kind="time_off",
        parts=_parts("POST /time-away"),
        flow=request,
        fields=FIELDS,
        required={
            "start_date": ("time_away.startDate",),
            "end_date": ("time_away.endDate",),
            "time_off_policy_id": ("time_away.timeAwayTypeId",),
        },
        fixed=FIXED,
    ),
    Write(
        operation="update_employee_time_off_request",
        body=BODY,
        kind="time_off",
        parts=_parts("GET /time-away/{key}", "PATCH /time-away/{key}"),
        flow=change,
        fields=FIELDS,
        fixed=FIXED,
        # The entry is read first, to check whose it is.
        always=(PUBLIC,),
    ),
    Write(
        operation="cancel_employee_time_off_request",
        body=None,
        kind="time_off",
        parts=_parts("GET /time-away/{key}", "DELETE /time-away/{key}"),
        flow=cancel,
        always=(PUBLIC,),
    ),
)
