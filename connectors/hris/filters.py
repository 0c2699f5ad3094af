"""What each `filter[…]` of a list compares with: unified fields, and how."""

from collections.abc import Mapping

from connectors.contract import Filter

UPDATED_AFTER = Filter(("updated_at",), "after")

# By resource, the filters besides `updated_after`.
FILTERS: Mapping[str, Mapping[str, Filter]] = {
    "employees": {
        "email": Filter(("work_email",), "equals"),
        "employee_number": Filter(("employee_number",), "equals"),
    },
    # Absences that touch the time asked for, also those that began before it or end after it.
    "time_off": {
        "policy_ids": Filter(("time_off_policy_id", "remote_time_off_policy_id"), "any of"),
        "start_date": Filter(("end_date",), "from day"),
        "end_date": Filter(("start_date",), "to day"),
    },
    "time_off_balances": {"policy_ids": Filter(("policy_id", "remote_policy_id"), "any of")},
    "time_off_policies": {"type": Filter(("type",), "equals")},
    "time_entries": {
        "employee_id": Filter(("employee_id", "remote_employee_id"), "equals"),
        "start_time": Filter(("start_time",), "from"),
        "end_time": Filter(("end_time",), "to"),
    },
    "tasks": {"created_after": Filter(("created_at",), "after")},
}


def filter_of(resource: str, name: str) -> Filter | None:
    """Returns a filter of a resource, or None for one that no connector can answer."""
    return UPDATED_AFTER if name == "updated_after" else FILTERS.get(resource, {}).get(name)
