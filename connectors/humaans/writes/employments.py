"""Employments: a new job role, or a correction of one, each with its pay."""

from typing import Any

from connectors.hris.requests import CREATE_EMPLOYMENT, UPDATE_EMPLOYMENT
from connectors.humaans.lists import day as day_of
from connectors.humaans.scopes import PRIVATE_WRITE, PUBLIC
from connectors.humaans.writes import pay, roles, steps
from connectors.humaans.writes.steps import FIXED
from connectors.writes import Flow, Order, Part, Rule, To, Unwritable, Write, Written, WrongValues, day

WHAT = "employment"
ON_PERSON = Unwritable("Humaans keeps the contract type on the person: change it with the employee")

FIELDS: dict[str, Rule] = {
    "unified_custom_fields": Unwritable("no custom unified fields are configured for this project"),
    "job_title": To("role", "jobTitle", empties=False),
    **pay.FIELDS,
    "effective_date": To("role", "effectiveDate", day, empties=False),
    "end_date": Unwritable("Humaans ends a job role where the next one begins; who leaves has a termination_date"),
    "grade": Unwritable("Humaans keeps no grades"),
    "employment_type": ON_PERSON,
    "employment_contract_type": ON_PERSON,
    "type": ON_PERSON,
    "contract_type": ON_PERSON,
    "work_time": Unwritable("Humaans keeps working days, not hours"),
    "payroll_code": Unwritable("Humaans keeps no payroll code"),
}
ROLES = "GET /job-roles?personId={key}"


def add(order: Order) -> Flow:
    """Creates a job role, with its pay where it is given."""
    columns = order.of("role")
    known = yield from steps.listed("/job-roles", "read the job roles", personId=order.employee)
    begins = columns["effectiveDate"]
    salary = yield from _salary(order, order.employee, begins, begins)
    whole = {**roles.carried(known, begins), **columns, "personId": order.employee}
    made = yield steps.create("/job-roles", whole, "begin a new job role")
    if salary is not None:
        yield salary
    return Written(made.id)


def change(order: Order) -> Flow:
    """Corrects a job role and its pay."""
    columns = order.of("role")
    path = f"/job-roles/{order.key}"
    old = yield steps.read(path, "read the job role", WHAT)
    steps.must_be_of(old.record, order.employee, WHAT)
    if not columns and not order.of("pay"):
        raise WrongValues("nothing is given that could be changed")
    first = columns.get("effectiveDate") or day_of(old.record.get("effectiveDate"))
    # The salary of a role is the one in force on its last day, or today.
    end = day_of(old.record.get("endDate"))
    last = max(first, min(end or order.today.isoformat(), order.today.isoformat()))
    salary = yield from _salary(order, order.employee, last, first)
    if columns:
        yield steps.change(path, columns, "change the job role", WHAT)
    if salary is not None:
        yield salary
    return Written(order.key)


def _salary(order: Order, person_id: str, on: str, since: str) -> Any:
    columns = order.of("pay")
    if not columns:
        return None
    known = yield from pay.read_salaries(person_id)
    # Without a salary to change, the pay begins with the role.
    old = known.on(on)
    begins = on if old is not None and day_of(old.get("effectiveDate")) >= since else since
    return known.step(columns, person_id, begins, since)


WRITES = (
    Write(
        operation="create_employee_employment",
        body=CREATE_EMPLOYMENT,
        kind="employment",
        parts=(Part("role", (PRIVATE_WRITE, PUBLIC), (ROLES, "POST /job-roles")), pay.LATER),
        flow=add,
        fields={**FIELDS, "job_id": Unwritable("Humaans keeps job titles, not jobs")},
        required={"job_title": ("role.jobTitle",), "effective_date": ("role.effectiveDate",)},
        fixed=FIXED,
    ),
    Write(
        operation="update_employee_employment",
        body=UPDATE_EMPLOYMENT,
        kind="employment",
        parts=(
            Part("role", (PRIVATE_WRITE,), ("GET /job-roles/{key}", "PATCH /job-roles/{key}")),
            pay.LATER,
        ),
        flow=change,
        fields=FIELDS,
        fixed=FIXED,
        always=(PUBLIC,),
    ),
)
