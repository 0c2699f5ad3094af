"""Job roles. They are history: a change begins a new role, except where the old one has only just begun."""

from collections.abc import Sequence
from datetime import date

from connectors.humaans.employments import current_role, newest
from connectors.humaans.lists import day as day_of
from connectors.humaans.writes import steps
from connectors.humaans.writes.steps import Row
from connectors.writes import Step, WrongValues

CARRIED = ("jobTitle", "department", "reportingTo")


def carried(roles: Sequence[Row], on: str) -> dict[str, object]:
    """Returns what a new role takes over from the one before: title, department and manager."""
    base = newest([row for row in roles if "" < day_of(row.get("effectiveDate")) <= on])
    return {name: base[name] for name in CARRIED if base.get(name) is not None} if base else {}


def step(columns: Row, person: Row, roles: Sequence[Row], when: tuple[str | None, date]) -> Step | None:
    """Returns the step to the wanted role, in force from a given day or from today.

    Returns None if the role is so already.
    """
    on, today = when
    begins = on or today.isoformat()
    now = current_role(person, roles, today) if on is None else None
    # A person who has not begun has a first role that has not begun either.
    begun = now if now is not None and day_of(now.get("effectiveDate")) >= begins else None
    same_day = begun or next((row for row in roles if day_of(row.get("effectiveDate")) == begins), None)
    base = same_day or newest([row for row in roles if "" < day_of(row.get("effectiveDate")) <= begins])
    if base is not None and all(base.get(name) == value for name, value in columns.items()):
        return None
    if same_day is not None:
        return steps.change(f"/job-roles/{same_day.get('id')}", columns, "change the job role")
    whole = {**carried(roles, begins), **columns}
    if not whole.get("jobTitle"):
        raise WrongValues("job_title is missing: there is no job role yet to go on with")
    whole = {**whole, "personId": person.get("id"), "effectiveDate": begins}
    return steps.create("/job-roles", whole, "begin a new job role")
