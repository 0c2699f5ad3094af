"""Job roles, which are history: a change begins a new one, except where the old one has only just begun."""

from collections.abc import Sequence
from datetime import date

from connectors.humaans.employments import current_role, newest
from connectors.humaans.lists import day as day_of
from connectors.humaans.writes import steps
from connectors.humaans.writes.steps import Row
from connectors.writes import Step, WrongValues

CARRIED = ("jobTitle", "department", "reportingTo")


def carried(roles: Sequence[Row], on: str) -> dict[str, object]:
    """Give what a role that begins then goes on with: title, department and manager of the one before."""
    base = newest([row for row in roles if "" < day_of(row.get("effectiveDate")) <= on])
    return {name: base[name] for name in CARRIED if base.get(name) is not None} if base else {}


def step(columns: Row, person: Row, roles: Sequence[Row], when: tuple[str | None, date]) -> Step | None:
    """Give the step to the wanted role, in force from a given day or from today; None if it is so already."""
    on, today = when
    begins = on or today.isoformat()
    now = current_role(person, roles, today) if on is None else None
    # Somebody who is yet to begin has a first role that is yet to begin.
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
