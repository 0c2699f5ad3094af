"""Employees: a person with a first job role and optional pay. Later changes go to the record that has the field."""

from collections.abc import Generator
from typing import Any

from connectors.hris.requests import CREATE_EMPLOYEE, UPDATE_EMPLOYEE
from connectors.humaans.lists import day as day_of
from connectors.humaans.scopes import PRIVATE_WRITE, PUBLIC
from connectors.humaans.writes import custom_fields, pay, people, roles, steps
from connectors.humaans.writes.steps import FIXED
from connectors.writes import (
    Flow,
    Order,
    Part,
    Reply,
    Step,
    To,
    Unwritable,
    Within,
    Write,
    Written,
    WrongValues,
    day,
)

ROLE = Part(
    "role",
    (PRIVATE_WRITE, PUBLIC),
    ("GET /people/{key}", "GET /job-roles?personId={key}", "POST /job-roles", "PATCH /job-roles/{key}"),
)
# The day from which pay is in force depends on whether the person has begun.
LATER_PAY = Part("pay", (*pay.NEEDS, PUBLIC), ("GET /people/{key}", *pay.LATER.calls))
FIRST_ROLE = Part("role", (PRIVATE_WRITE,), ())
# A role decides what a person may do in Humaans, which a client that may write employees must not change.
PERSON_FIXED = FIXED | {"jobRole", "role", "calendarFeedToken"}
WHEN = Part("when", (), ())


def hire(order: Order) -> Flow:
    """Creates an employee, with a salary and custom fields where they are given."""
    person, role = order.of("person"), order.of("role")
    place = yield from people.place_of_work(order)
    begins = person["employmentStartDate"]
    salary = None
    if order.of("pay"):
        salaries = yield from pay.read_salaries("")
        salary = salaries.step(order.of("pay"), "", begins, begins)
    values = yield from custom_fields.changes(order)
    made = yield steps.create("/people", {**person, **place, "jobRole": role}, "create the employee")
    if salary is not None:
        yield steps.with_columns(salary, personId=made.id)
    for value in values:
        yield custom_fields.step(made.id, value)
    return Written(made.id)


def change(order: Order) -> Flow:
    """Changes an employee."""
    person = {**order.of("person"), **(yield from people.place_of_work(order))}
    history = yield from _history(order)
    values = yield from custom_fields.changes(order)
    if not (person or order.of("role") or order.of("pay") or order.of("custom")):
        raise WrongValues("nothing is given that could be changed")
    if person:
        yield steps.change(f"/people/{order.key}", person, "change the employee", "employee")
    for each in history:  # noqa: UP028 - a list cannot be sent the replies
        yield each
    for value in values:
        yield custom_fields.step(order.key, value)
    return Written(order.key)


def _history(order: Order) -> Generator[Step, Reply, list[Step]]:
    """Returns the steps to the wanted role and pay, in force from the given day, or from today."""
    role, salary, on = order.of("role"), order.of("pay"), order.of("when").get("effectiveDate")
    if not role and not salary:
        if on:
            raise WrongValues(
                "employment.effective_date says since when, and there is neither a role nor pay to change"
            )
        return []
    found = yield steps.read(f"/people/{order.key}", "read the employee", "employee")
    known = yield from _roles(order, role)
    wanted = [roles.step(role, found.record, known, (on, order.today))] if role else []
    if salary:
        begins = on or max(order.today.isoformat(), day_of(found.record.get("employmentStartDate")))
        salaries = yield from pay.read_salaries(order.key)
        wanted.append(salaries.step(salary, order.key, begins, begins))
    return [step for step in wanted if step is not None]


def _roles(order: Order, wanted: dict[str, Any]) -> Generator[Step, Reply, list[dict[str, Any]]]:
    if not wanted:
        return []
    return (yield from steps.listed("/job-roles", "read the job roles", personId=order.key))


_EMPLOYMENT = {**people.EMPLOYMENT_OF_PERSON, **pay.FIELDS}
_BEGINS_WITH_PERSON = Unwritable("the first job role and its pay begin on the start_date")

WRITES = (
    Write(
        operation="create_employee",
        body=CREATE_EMPLOYEE,
        kind="employee",
        parts=(people.NEW_PERSON, people.PLACE, people.NAMED_PLACE, FIRST_ROLE, pay.FIRST, custom_fields.FIRST),
        flow=hire,
        fields={
            **people.FIELDS,
            "employment": Within({**_EMPLOYMENT, "effective_date": _BEGINS_WITH_PERSON}),
            "employments": Unwritable("give the one that begins with the employee in employment"),
            "cost_centers": Unwritable("Humaans keeps no cost centres"),
        },
        required={
            "first_name": ("person.firstName",),
            "last_name": ("person.lastName",),
            "work_email (or personal_email, of who is yet to begin)": ("person.email", "person.personalEmail"),
            "start_date": ("person.employmentStartDate",),
            "job_title": ("role.jobTitle",),
            "work_location (an id or name, or for remote work city and country)": (
                "place.locationId",
                "place.remoteCity",
                "place.remoteCountryCode",
                "named_place.name",
            ),
        },
        fixed=PERSON_FIXED,
    ),
    Write(
        operation="update_employee",
        body=UPDATE_EMPLOYEE,
        kind="employee",
        parts=(people.PERSON, people.PLACE, people.NAMED_PLACE, ROLE, LATER_PAY, custom_fields.LATER, WHEN),
        flow=change,
        fields={
            **people.FIELDS,
            "employment": Within({**_EMPLOYMENT, "effective_date": To("when", "effectiveDate", day, empties=False)}),
        },
        fixed=PERSON_FIXED,
    ),
)
