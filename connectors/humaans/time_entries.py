"""Time entries: the timesheet entries of Humaans, in the time zone of the person."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.convert import identifier, number, text
from connectors.hris.time_entries import TIME_ENTRIES as RESOURCE
from connectors.humaans import lists
from connectors.humaans.scopes import PUBLIC
from connectors.spec import Absent, Field, Join, Table

PERSON = Join("person", (lists.PEOPLE,), on="personId", key="id", scope=PUBLIC)


def moment(day: Any, time: Any, zone: Any) -> str | None:
    """Returns the instant of a local time of day; None without a known zone."""
    if not (isinstance(day, str) and isinstance(time, str) and time and text(zone)):
        return None
    try:
        local = datetime.fromisoformat(f"{day}T{time}")
        if local.tzinfo is not None:
            return None
        local = local.replace(tzinfo=ZoneInfo(str(zone)))
        return local.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    except (ValueError, OverflowError, OSError, KeyError):
        return None


def hours(duration: Any) -> float | None:
    """Returns a duration in hours, rounded to four decimals."""
    if not isinstance(duration, dict):
        return None
    parts = (duration.get("hours"), duration.get("minutes"))
    whole, minutes = (number(part) if isinstance(part, int | float) else None for part in parts)
    return None if whole is None or minutes is None else number(round(whole + minutes / 60, 4))


ENTRY = Table(
    RESOURCE,
    {
        "id": Field("id", identifier("time_entry")),
        "remote_id": "id",
        "unified_custom_fields": Absent("no custom unified fields are configured for this project"),
        "employee_id": Field("personId", identifier("employee")),
        "remote_employee_id": "personId",
        "start_time": Field(("date", "startTime", PERSON["timezone"]), moment),
        "end_time": Field(("date", "endTime", PERSON["timezone"]), moment),
        "hours_worked": Field("duration", hours),
        "break_duration": Absent("Humaans keeps no breaks; each stretch of work is an entry"),
        "status": Absent("Humaans approves whole timesheets, not entries"),
        "labor_type": Absent("Humaans keeps no kinds of work"),
        "location": Absent("Humaans keeps no place of an entry"),
        "created_at": "createdAt",
        "updated_at": "updatedAt",
    },
)
