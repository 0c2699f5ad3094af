"""Hours worked."""

from connectors.contract import INSTANT, MAP, NUMBER, TEXT, Resource
from connectors.hris import enums
from connectors.hris.parts import REFERENCES

LABOR_TYPE = Resource("labor_type", {"code": TEXT})


TIME_ENTRIES = Resource(
    "time_entries",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "employee_id": TEXT,
        "remote_employee_id": TEXT,
        "start_time": INSTANT,
        "end_time": INSTANT,
        "hours_worked": NUMBER,
        "break_duration": NUMBER,
        "status": enums.TIME_ENTRY_STATUS,
        "labor_type": LABOR_TYPE,
        "location": REFERENCES,
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)
