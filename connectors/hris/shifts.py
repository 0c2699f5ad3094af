"""Planned working times."""

from connectors.contract import BOOLEAN, INSTANT, TEXT, ListOf, Resource
from connectors.hris import enums

SHIFT_BREAK = Resource(
    "shift_break",
    {
        "id": TEXT,
        "start_time": INSTANT,
        "end_time": INSTANT,
        "duration": TEXT,
        "is_paid": BOOLEAN,
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)


SHIFTS = Resource(
    "shifts",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "employee_id": TEXT,
        "location_id": TEXT,
        "company_id": TEXT,
        "start_time": TEXT,
        "end_time": TEXT,
        "break_duration": TEXT,
        "status": enums.SHIFT_STATUS,
        "approval_status": enums.SHIFT_APPROVAL_STATUS,
        "breaks": ListOf(SHIFT_BREAK),
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)
