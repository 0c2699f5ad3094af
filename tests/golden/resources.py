"""Golden records of every resource beside the employees: what the sandbox's rows become, with all their fields.

Short lists stand whole. Of long ones, and of what each person has, stands that of a few people: the cast of the
sandbox, who are unlike the rest, and the first of the real rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connectors import ids
from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from connectors.humaans.connector import HUMAANS
from deploy.sandbox.app import Sandbox
from deploy.sandbox.company.cast import CAST
from deploy.sandbox.company.plan import person_id
from gateway.cache.freshness import NO_DIRECTIVES
from gateway.unified.call import Call
from tests.connectors.humaans_bench import AppVendor, bench_on
from tests.fakes.vendor import ReadBench

Records = list[dict[str, Any]]
FEW_REAL = 6

LISTS: Mapping[str, str] = {
    "companies.json": "list_companies",
    "locations.json": "list_locations",
    "groups.json": "list_groups",
    "teams.json": "list_team_groups",
    "departments.json": "list_department_groups",
    "time_off_policies.json": "list_time_off_policies",
    "time_off_types.json": "list_time_off_types",
    "document_categories.json": "list_employee_categories",
    "custom_field_definitions.json": "list_employee_custom_field_definitions",
    "employments.json": "list_employments",
    "time_off.json": "list_time_off_requests",
    "time_entries.json": "list_time_entries",
    "tasks.json": "list_tasks",
    "time_off_balances.json": "list_employee_time_off_balances",
    "documents.json": "list_employee_documents",
    "work_eligibility.json": "list_employee_work_eligibility",
}
"""By file: the operation that its records are asked with."""


def operation_of(name: str) -> Operation:
    return next(each for each in OPERATIONS if each.id == LISTS[name])


def chosen_people(app: Sandbox) -> Sequence[str]:
    world = app.state.world
    return [
        *(person_id(world.seed, index) for index in range(len(CAST))),
        *(row["id"] for row in world.people[:FEW_REAL]),
    ]


async def resource_records(app: Sandbox) -> dict[str, Records]:
    """Returns the content of each file by its name."""
    bench = bench_on(app)
    return {name: await _records(bench, operation_of(name), chosen_people(app)) for name in LISTS}


async def _records(bench: ReadBench[AppVendor], operation: Operation, people: Sequence[str]) -> Records:
    if operation.of_employee:
        return [record for person in people for record in await _walk(bench, operation, person)]
    found = await _walk(bench, operation)
    return [record for record in found if record.get("employee_id") is None or _owner(record) in people]


def _owner(record: Mapping[str, Any]) -> str | None:
    return ids.decode("employee", record["employee_id"])


async def _walk(bench: ReadBench[AppVendor], operation: Operation, person: str = "") -> Records:
    """Returns the records of all pages, with every field that can be asked for."""
    endpoint = HUMAANS.endpoint(operation)
    assert endpoint is not None
    pairs = [("page_size", "250"), ("fields", ",".join(endpoint.table.resource.fields))]
    pairs += [("expand", ",".join(operation.expand))] if operation.expand else []
    found: Records = []
    cursor: list[tuple[str, str]] = []
    while True:
        page = await bench.reads.read(
            Call(
                secret="key",
                account_id="a1",
                operation=operation,
                employee=person,
                pairs=(*pairs, *cursor),
                directives=NO_DIRECTIVES,
                request_id="golden",
            )
        )
        body = orjson.loads(page.body)
        found += body["data"]
        if body["next"] is None:
            return found
        cursor = [("next", body["next"])]
