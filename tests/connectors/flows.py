"""Flows of writes to Humaans, stepped without a network, and the records that they meet."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from connectors.humaans.connector import HUMAANS
from connectors.writes import Order, Reply, Sorted, Step, Write, sort_out

TODAY = date(2026, 11, 24)
TYPES = [
    {"id": "salary", "name": "Salary", "baseType": "salary"},
    {"id": "bonus", "name": "Bonus", "baseType": "bonus"},
]
PERSON = {"id": "ann", "employmentStartDate": "2024-01-01", "status": "active"}
ROLE = {
    "id": "r1",
    "personId": "ann",
    "jobTitle": "Engineer",
    "department": "Design",
    "reportingTo": "bob",
    "effectiveDate": "2024-01-01",
    "endDate": None,
}
SALARY = {
    "id": "c1",
    "personId": "ann",
    "compensationTypeId": "salary",
    "amount": "50000",
    "currency": "GBP",
    "period": "annual",
    "effectiveDate": "2024-01-01",
    "endDate": None,
}
Lists = Mapping[str, Any]


def write_of(operation: str) -> Write:
    return next(write for write in HUMAANS.writes if write.operation == operation)


def sorted_of(operation: str, body: Mapping[str, Any]) -> Sorted:
    return sort_out(write_of(operation), body)


def walk(
    operation: str, body: Mapping[str, Any], answers: Lists, employee: str = "", key: str = ""
) -> tuple[list[tuple[str, Any]], str]:
    """Step a flow to its end: (the writing calls with their bodies, the id of the record)."""
    write = write_of(operation)
    found = sorted_of(operation, body)
    assert found.faults == ()
    flow = write.flow(Order(employee=employee, key=key, parts=found.parts, today=TODAY))
    sent: list[tuple[str, Any]] = []
    calls: list[str] = []
    step = next(flow)
    try:
        while True:
            calls.append(_call(step))
            if step.writes:
                sent.append((f"{step.request.method} {step.request.path}", json.loads(step.request.body or b"null")))
                reply = Reply({"id": f"new {step.request.path}"})
            else:
                reply = Reply(answers[step.request.path])
            step = flow.send(reply)
    except StopIteration as end:
        declared = {call.partition("?")[0] for part in write.parts for call in part.calls}
        assert set(calls) <= declared, "a call that the rules do not show"
        return sent, end.value.remote_id


def _call(step: Step) -> str:
    listing, _, key = step.request.path.rpartition("/")
    one = step.request.method in {"PATCH", "DELETE"} or (step.request.method == "GET" and listing)
    return f"{step.request.method} {f'{listing}/{{key}}' if one and key else step.request.path}"


def listed(*rows: Mapping[str, Any]) -> dict[str, Any]:
    return {"total": len(rows), "limit": 250, "skip": 0, "data": list(rows)}


HISTORY = {
    "/people/ann": PERSON,
    "/job-roles": listed(ROLE),
    "/compensation-types": listed(*TYPES),
    "/compensations": listed(SALARY),
}
CARRIED = {"jobTitle": "Engineer", "department": "Design", "reportingTo": "bob"}
NEW = {"personId": "ann", "effectiveDate": "2026-11-24"}
