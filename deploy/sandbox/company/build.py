"""Builds the company; has the function that creates the rows of each resource."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import orjson

from deploy.sandbox.company import admin, papers, pay, places, time
from deploy.sandbox.company.cast import CAST
from deploy.sandbox.company.people import generated
from deploy.sandbox.company.plan import plans
from deploy.sandbox.company.roles import direct_reports, generated_roles, real_roles
from deploy.sandbox.company.world import EARLIEST_TODAY, World
from deploy.sandbox.model import JsonObject

_REAL_PEOPLE = Path(__file__).parent.parent / "data" / "people-2022.json"
_REAL_COUNT = 48

MIN_PEOPLE = _REAL_COUNT + len(CAST)
MAX_PEOPLE = 10_000


def make_world(people: int, today: date, seed: str) -> World:
    """Returns the company on a day. Raises a `ValueError` that says what is not possible."""
    if not MIN_PEOPLE <= people <= MAX_PEOPLE:
        raise ValueError(f"people must be from {MIN_PEOPLE} to {MAX_PEOPLE}, not {people}")
    if today < EARLIEST_TODAY:
        raise ValueError(f"today must be {EARLIEST_TODAY} or later, the days of the real rows, not {today}")
    real: list[JsonObject] = orjson.loads(_REAL_PEOPLE.read_bytes())["data"]
    planned = plans(people - len(real), seed)
    rest = generated(planned, list(real[0]), today, seed)
    rest_roles = generated_roles(planned, today, seed)
    reports = direct_reports(rest, rest_roles, today.isoformat())
    for person in rest:
        person["directReports"] = reports.get(person["id"], [])
    roles = real_roles(real, today, seed) + rest_roles
    return World(seed=seed, today=today, people=real + rest, roles=roles)


BUILDERS: dict[str, Callable[[World], list[JsonObject]]] = {
    "people": lambda world: world.people,
    "job-roles": lambda world: world.roles,
    "companies": places.companies,
    "locations": places.locations,
    "public-holiday-calendars": places.calendars,
    "public-holidays": places.holidays,
    "public-holiday-calendar-days": places.calendar_days,
    "spaces": places.spaces,
    "compensations": pay.compensations,
    "compensation-types": pay.types,
    "bank-accounts": pay.bank_accounts,
    "documents": papers.documents,
    "document-types": papers.document_types,
    "document-folders": papers.document_folders,
    "identity-documents": papers.identity_documents,
    "identity-document-types": papers.identity_types,
    "emergency-contacts": papers.contacts,
    "equipment": papers.equipment,
    "equipment-types": papers.equipment_types,
    "equipment-names": papers.equipment_names,
    "time-away": time.absences,
    "time-away-types": time.types,
    "time-away-policies": time.policies,
    "time-away-allocations": time.allocations,
    "time-away-adjustments": time.adjustments,
    "time-away-periods": time.periods,
    "working-patterns": time.patterns,
    "working-pattern-allocations": time.pattern_allocations,
    "timesheet-entries": time.entries,
    "timesheet-submissions": time.submissions,
    "custom-fields": admin.custom_fields,
    "custom-values": admin.custom_values,
    "webhooks": admin.webhooks,
    "webhook-events": admin.webhook_events,
    "tasks": admin.tasks,
    "roles": admin.roles,
    "role-members": admin.role_members,
    "audit-events": admin.audit_events,
}
