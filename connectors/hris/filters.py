"""What each `filter[…]` of a list compares with: the unified field, and how."""

from collections.abc import Mapping

from connectors.contract import Filter

FILTERS: Mapping[str, Filter] = {
    "updated_after": Filter("updated_at", "after"),
    "email": Filter("work_email", "equals"),
    "employee_number": Filter("employee_number", "equals"),
}
