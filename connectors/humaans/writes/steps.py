"""Vendor calls as steps, for all flows."""

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
"""Columns that name the owner of a record, or that only Humaans sets."""


def read(path: str, does: str, missing: str = "") -> Step:
    """Returns the step that reads a record."""
    return Step(Request("GET", _plain(path, missing)), does, missing=missing)


def create(path: str, columns: Row, does: str) -> Step:
    """Returns the step that creates an employee, or a record of one.

    If Humaans blames `personId`, there is no such employee.
    """
    missing = "employee" if "personId" in columns else ""
    return Step(Request("POST", path, body=_json(columns)), does, missing=missing, owner="personId")


def change(path: str, columns: Row, does: str, missing: str = "") -> Step:
    """Returns the step that changes a record."""
    return Step(Request("PATCH", _plain(path, missing), body=_json(columns)), does, missing=missing)


def remove(path: str, does: str) -> Step:
    """Returns the step that deletes a record which was just read.

    If it does not exist any more, that counts as done.
    """
    return Step(Request("DELETE", _plain(path, "")), does, gone_is_done=True)


def listed(path: str, does: str, **query: str) -> Listed:
    """Reads a whole list.

    Rows that do not match the query are left out, since Humaans may ignore a filter.
    """
    rows: list[dict[str, Any]] = []
    while True:
        place = (*query.items(), ("$limit", str(PAGE)), ("$skip", str(len(rows))))
        reply = yield Step(Request("GET", path, place), does)
        rows += reply.rows
        total = reply.record.get("total")
        if not reply.rows or not isinstance(total, int) or len(rows) >= total:
            return [row for row in rows if all(row.get(name, value) == value for name, value in query.items())]


def with_columns(step: Step, **columns: Any) -> Step:
    """Returns a step with more columns in its body, such as an id that was not known before."""
    body = {**json.loads(step.request.body or b"{}"), **columns}
    return replace(step, request=replace(step.request, body=_json(body)))


def must_be_of(record: Row, employee_id: str, what: str) -> None:
    """Raises `Missing` where a record belongs to another employee."""
    if record.get("personId") != employee_id:
        raise Missing(what)


def _json(columns: Row) -> bytes:
    return json.dumps(columns).encode()


def _plain(path: str, missing: str) -> str:
    """Returns the path. Raises `Missing` where an id in it is more than one segment."""
    if not _PATH.fullmatch(path):
        raise Missing(missing or "record")
    return path
