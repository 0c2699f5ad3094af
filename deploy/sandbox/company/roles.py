"""Job roles: each person's titles, one after the other, with managers that agree with `directReports`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from random import Random

from deploy.sandbox.company.cast import CAST, USER
from deploy.sandbox.company.plan import Plan, person_id
from deploy.sandbox.company.words import DEPARTMENTS
from deploy.sandbox.company.world import chance_for, day_text
from deploy.sandbox.ids import stable_id
from deploy.sandbox.model import JsonObject

_PROMOTED = 0.4
_ANNOUNCED = 0.05
_LONG_ENOUGH = 200

# The ordinary user of the cast has a promotion ahead: a current role and a future one.
_PROMOTED_SOON = USER


def chain(rows: Iterable[JsonObject]) -> list[JsonObject]:
    """Returns the roles, the newest first. Each ends on the day before the next one begins; the last has no end."""
    ordered = sorted(rows, key=lambda row: row["effectiveDate"], reverse=True)
    following: str | None = None
    for row in ordered:
        row["endDate"] = None if following is None else _before(following)
        following = row["effectiveDate"]
    return ordered


def current(rows: Iterable[JsonObject], today: str) -> JsonObject | None:
    """Returns the role on a day: the latest one that has begun."""
    begun = [row for row in rows if row["effectiveDate"] <= today]
    return max(begun, key=lambda row: row["effectiveDate"], default=None)


def real_roles(people: list[JsonObject], today: date, seed: str) -> list[JsonObject]:
    """Returns roles for the real rows, which have no titles. Their managers are the inverse of `directReports`."""
    chance = chance_for(seed, "real roles")
    boss = {report: person["id"] for person in people for report in person["directReports"]}
    rows: list[JsonObject] = []
    for person in people:
        start = (date.fromisoformat(person["employmentStartDate"]) - today).days
        career = _career(chance, start, None)
        rows += _roles(person["id"], boss.get(person["id"]), career, today)
    return rows


def generated_roles(plans: list[Plan], today: date, seed: str) -> list[JsonObject]:
    chance = chance_for(seed, "roles")
    rows: list[JsonObject] = []
    for plan in plans:
        boss = None if plan.boss is None else person_id(seed, plan.boss)
        if plan.index < len(CAST):
            part = CAST[plan.index]
            career = [(plan.start, part.department, part.title)]
            if plan.index == _PROMOTED_SOON:
                career.append((45, part.department, f"Senior {part.title}"))
        else:
            career = _career(chance, plan.start, plan.end)
        rows += _roles(plan.id, boss, career, today)
    return rows


def direct_reports(people: list[JsonObject], roles: list[JsonObject], today: str) -> dict[str, list[str]]:
    """Returns by manager the active people whose current role reports to them."""
    active = {person["id"] for person in people if person["status"] == "active"}
    by_person: dict[str, list[JsonObject]] = defaultdict(list)
    for role in roles:
        by_person[role["personId"]].append(role)
    reports: dict[str, list[str]] = defaultdict(list)
    for person_id_, own in by_person.items():
        now = current(own, today)
        if person_id_ in active and now is not None and now["reportingTo"] is not None:
            reports[now["reportingTo"]].append(person_id_)
    return reports


def _career(chance: Random, start: int, end: int | None) -> list[tuple[int, str, str]]:
    """(day it begins, department, title), oldest first."""
    department, titles = DEPARTMENTS[chance.randrange(len(DEPARTMENTS))]
    rank = chance.randrange(len(titles))
    career = [(start, department, titles[rank])]
    last_day = -1 if end is None else min(end, -1)
    while last_day - start > _LONG_ENOUGH and chance.random() < _PROMOTED and rank + 1 < len(titles):
        start = chance.randrange(start + 90, last_day)
        rank += 1
        career.append((start, department, titles[rank]))
    if end is None and start <= -1 and chance.random() < _ANNOUNCED:
        career.append((chance.randrange(1, 90), department, titles[-1]))
    return career


def _roles(owner: str, boss: str | None, career: list[tuple[int, str, str]], today: date) -> list[JsonObject]:
    return chain(
        {
            "id": stable_id("job-role", owner, number),
            "createdAt": f"{day_text(today, min(start, -1))}T11:00:00.000Z",
            "updatedAt": f"{day_text(today, min(start, -1))}T11:00:00.000Z",
            "personId": owner,
            "jobTitle": title,
            "department": department,
            "reportingTo": boss,
            "effectiveDate": day_text(today, start),
            "endDate": None,
            "note": "Promotion" if number else None,
        }
        for number, (start, department, title) in enumerate(career)
    )


def _before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()
