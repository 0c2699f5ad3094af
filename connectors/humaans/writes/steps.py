"""Vendor calls as steps: what every flow is made of."""

import json
import re
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from connectors.exchange import Request
from connectors.writes import Missing, Reply, Step

Row: TypeAlias = Mapping[str, Any]
Listed: TypeAlias = Generator[Step, Reply, list[dict[str, Any]]]

_PATH = re.compile(r"/[a-z-]+/[A-Za-z0-9_-]+", re.ASCII)
PAGE = 250
FIXED = frozenset({"id", "companyId", "personId", "createdAt", "updatedAt"})
"""Columns that say whose a record is, or that Humaans sets alone."""


def read(path: str, does: str, missing: str = "") -> Step:
    return Step(Request("GET", _plain(path, missing)), does, missing=missing)


def create(path: str, columns: Row, does: str) -> Step:
    """Make a record of an employee, or the employee: whose id is not known is what `personId` is blamed for."""
    missing = "employee" if "personId" in columns else ""
    return Step(Request("POST", path, body=_json(columns)), does, missing=missing, owner="personId")


def change(path: str, columns: Row, does: str, missing: str = "") -> Step:
    return Step(Request("PATCH", _plain(path, missing), body=_json(columns)), does, missing=missing)


def remove(path: str, does: str) -> Step:
    """Make a deletion of what was just read: when it is gone meanwhile, that is what was wanted."""
    return Step(Request("DELETE", _plain(path, "")), does, gone_is_done=True)


def listed(path: str, does: str, **query: str) -> Listed:
    """Read a whole list. Rows that say something else than was asked for are left out: a filter may be ignored."""
    rows: list[dict[str, Any]] = []
    while True:
        place = (*query.items(), ("$limit", str(PAGE)), ("$skip", str(len(rows))))
        reply = yield Step(Request("GET", path, place), does)
        rows += reply.rows
        total = reply.record.get("total")
        if not reply.rows or not isinstance(total, int) or len(rows) >= total:
            return [row for row in rows if all(row.get(name, value) == value for name, value in query.items())]


def with_columns(step: Step, **columns: Any) -> Step:
    """Add columns to the body of a step, such as an id that was not known before."""
    body = {**json.loads(step.request.body or b"{}"), **columns}
    return replace(step, request=replace(step.request, body=_json(body)))


def must_be_of(record: Row, employee_id: str, what: str) -> None:
    """Raise for a record of somebody else."""
    if record.get("personId") != employee_id:
        raise Missing(what)


def _json(columns: Row) -> bytes:
    return json.dumps(columns).encode()


def _plain(path: str, missing: str) -> str:
    """Let no id out that is more than one segment of a path."""
    if not _PATH.fullmatch(path):
        raise Missing(missing or "record")
    return path
