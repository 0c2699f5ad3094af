"""Golden records: what employees of the sandbox become, whole, with every field that can be asked for.

`employees.json` holds the 48 real rows of `deploy/sandbox/data`, `odd_people.json` those of the generated people who
are unlike the rest: new hires, leavers, words that no enumeration has. Roles, pay and all else are generated, for one
fixed day and seed. After a change that is meant, write them anew with `python -m tests.golden --write` and read the
difference before it is committed.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.hris.employees import EMPLOYEES
from deploy.sandbox.app import Sandbox, create_app
from deploy.sandbox.company.cast import CAST
from deploy.sandbox.company.plan import person_id
from tests.connectors.humaans_bench import EXPAND, INCLUDE, TODAY, bench_on

HERE = Path(__file__).parent
PEOPLE = 160
REAL_ROWS = 48
Records = Sequence[Mapping[str, Any]]


def sandbox() -> Sandbox:
    return create_app(PEOPLE, today=TODAY)


async def unify(app: Sandbox) -> dict[str, Mapping[str, Any]]:
    """Returns all employees by the vendor's id."""
    fields = ",".join(EMPLOYEES.fields)
    records = await bench_on(app).walk(page_size="250", fields=fields, expand=EXPAND, include=INCLUDE)
    return {record["remote_id"]: record for record in records}


async def golden_records() -> dict[str, Records]:
    """Returns the content of each file by its name."""
    app = sandbox()
    unified = await unify(app)
    rows = app.state.world.people
    real, generated = rows[:REAL_ROWS], rows[REAL_ROWS:]
    return {
        "employees.json": [unified[row["id"]] for row in real],
        "odd_people.json": [unified[row["id"]] for row in generated if _is_odd(row, app)],
    }


def _is_odd(row: Mapping[str, Any], app: Sandbox) -> bool:
    cast = {person_id(app.state.world.seed, index) for index in range(len(CAST))}
    leaving = row["employmentEndDate"] is not None and row["status"] == "active"
    return (
        row["id"] in cast
        or leaving
        or row["contractType"] in {"Werkstudent", None}
        or row["gender"] in {"Agender", None}
        or row["nationality"] == "Cornish"
    )


def pretty(records: Records) -> str:
    """Write a line for each field, and for each object in a list, so that a difference can be read."""
    return "[\n" + ",\n".join(f" {{\n{_fields(record)}\n }}" for record in records) + "\n]\n"


def _fields(record: Mapping[str, Any]) -> str:
    return ",\n".join(f"  {_line(name)}: {_value(value)}" for name, value in record.items())


def _value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"   {_line(item)}" for item in value) + "\n  ]"
    return _line(value)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
