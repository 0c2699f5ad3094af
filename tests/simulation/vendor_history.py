"""Companies at a vendor, in which each value tells what it is, whose, and since when: `name~c1~p3~17`.

All versions are stored, so that the age of any value in an answer is known.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from typing import Any

from connectors.exchange import Answer, Request
from connectors.spec import OWN_KEY, TODAY, Collection, Endpoint, Join, Table
from gateway.errors import VendorFailure
from tests.fakes.core import Rows, Time, json_answer, refusal
from tests.fakes.vendor import EMPLOYEE, EMPLOYEES, PEOPLE, PUBLIC, VILLAGE

PATHS = ("/people", "/roles", "/towns")
RESOURCES = {"/people": "employees", "/roles": "employments", "/towns": "locations"}
LETTERS = {"p": "/people", "r": "/roles", "t": "/towns"}

DATED = Collection("/roles", "employments", {"day": TODAY})
NARROW = Collection("/roles", "employments", {"day": TODAY, "person": OWN_KEY})
ROLE = Join("role", (DATED,), on="id", key="person", scope=PUBLIC, narrow=NARROW)
STAMPED = Table(EMPLOYEES, {**EMPLOYEE.rows, "job_title": ROLE["title"], "remote_job_id": ROLE["id"]})
"""Roles are asked for by the day, so an answer of yesterday is seen to be one."""
GUILD = replace(
    VILLAGE,
    key="guild",
    name="Guild",
    endpoints=(
        Endpoint(
            table=STAMPED,
            listing=PEOPLE,
            record="/people/{key}",
            scope=PUBLIC,
            kind="employee",
            filters={"email": "email"},
        ),
    ),
)
"""The vendor: Village, with roles by the day."""


@dataclass
class Version:
    """A record as it was from one moment to another. Numbers grow with all that happens anywhere."""

    number: int
    since: float
    until: float = inf
    ended: int = 1 << 60
    """The number of what ended it."""


@dataclass
class Company:
    """The lists of one company. `refuses` are paths that its tokens may not read just now."""

    name: str
    time: Time
    count: Callable[[], int]
    people: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    towns: list[str] = field(default_factory=list)
    history: dict[str, list[Version]] = field(default_factory=dict)
    hired: int = 0
    restless: bool = False
    """Whether all records of a list change whenever it is read: then each value tells when that was."""

    def records(self, path: str) -> list[str]:
        return {"/people": self.people, "/roles": self.roles, "/towns": self.towns}[path]

    def hire(self, *, first: bool = False) -> int:
        number = self.hired
        self.hired += 1
        for letter in "pr":
            records = self.records(LETTERS[letter])
            records.insert(0 if first else len(records), f"{letter}{number}")
        self.touch(f"r{number}")
        return self.touch(f"p{number}")

    def touch(self, record: str) -> int:
        """Changes or creates a record; returns the number of the new version."""
        number, now = self.count(), self.time.seconds()
        versions = self.history.setdefault(record, [])
        if versions:
            versions[-1].until, versions[-1].ended = min(versions[-1].until, now), min(versions[-1].ended, number)
        versions.append(Version(number, now))
        return number

    def leave(self, record: str) -> int:
        """Deletes a person and their role."""
        number, now = self.count(), self.time.seconds()
        for each in (record, f"r{record[1:]}"):
            self.records(LETTERS[each[0]]).remove(each)
            self.history[each][-1].until, self.history[each][-1].ended = now, number
        return number

    def last_true(self, record: str, number: int, since: float) -> tuple[float, int] | None:
        """Returns until when, and until which number, a version was true; of one that was read but once, when that was.

        Nothing for what never was, or not before `since`.
        """
        version = next((each for each in self.history[record] if each.number == number), None)
        if version is None or version.since > since:
            return None
        return (version.since, version.number) if self.restless else (version.until, version.ended)

    def there(self, path: str, since: float, until: float) -> set[str]:
        """Returns the records that were there from one moment to the other without a break."""
        letter = next(letter for letter, each in LETTERS.items() if each == path)
        return {
            record
            for record, versions in self.history.items()
            if record[0] == letter and versions[0].since < since and versions[-1].until > until
        }

    def rows(self, path: str, day: str) -> Rows:
        if self.restless:
            for record in self.records(path):
                self.touch(record)
        return [self._row(record, day) for record in self.records(path)]

    def _row(self, record: str, day: str) -> dict[str, Any]:
        version = self.history[record][-1]

        def stamp(what: str) -> str:
            return f"{what}~{self.name}~{record}~{version.number}"

        if record[0] == "t":
            return {"id": record, "name": stamp("town"), "size": stamp("size")}
        if record[0] == "r":
            return {"id": record, "person": f"p{record[1:]}", "title": f"{stamp('title')}~{day}"}
        return {
            "id": record,
            "name": stamp("name"),
            "email": f"{record}@{self.name}.test",
            "number": stamp("number"),
            "diet": stamp("diet"),
            "pay": stamp("pay"),
            "town": f"t{int(record[1:]) % max(1, len(self.towns))}",
            "photo": stamp("photo"),
            "updated": datetime.fromtimestamp(version.since, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "secret": stamp("secret"),
        }


@dataclass
class Action:
    """Something done from outside, with the number of its vendor calls and the messages that it published."""

    calls: int = 0
    may_call: bool = True
    posted: list[Any] = field(default_factory=list)


@dataclass
class SimulatedVendor:
    """The vendor. It looks up what it answers after `before` seconds, and the answer takes `after` more."""

    time: Time
    action: Callable[[], Action]
    tokens: dict[str, Company] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    refused: set[tuple[str, str]] = field(default_factory=set)
    ever_refused: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of company and path that are refused now, or were refused once."""
    unwanted: list[str] = field(default_factory=list)
    """Calls for an action that may make none, background calls included."""
    mood: str = "well"
    before: float = 0
    after: float = 0
    got_well: float = -inf
    most: int = 250

    @property
    def unwell(self) -> float:
        """When it last was slow or failed."""
        ill = self.mood != "well" or self.before + self.after >= 1
        return self.time.seconds() if ill else self.got_well

    def be(self, mood: str, before: float, after: float) -> None:
        self.got_well = self.unwell
        self.mood, self.before, self.after = mood, before, after

    def refuse(self, company: str, path: str) -> None:
        """Refuses a list to all tokens of a company, or allows it again."""
        self.refused ^= {(company, path)}
        self.ever_refused.add((company, path))

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        action = self.action()
        action.calls += 1
        if not action.may_call:
            self.unwanted.append(request.path)
        await asyncio.sleep(self.before)
        answer = self._answer(request)
        await asyncio.sleep(self.after)
        if answer is None:
            raise VendorFailure("Guild cannot be reached.")
        return answer

    def _answer(self, request: Request) -> Answer | None:
        if self.mood != "well":
            return None if self.mood == "away" else refusal(int(self.mood))
        token = request.headers["authorization"].removeprefix("Bearer ")
        company = self.tokens.get(token)
        if company is None or token in self.revoked:
            return refusal(401)
        query = dict(request.query)
        day = query.pop("day", "")
        if request.path in PATHS:
            if (company.name, request.path) in self.refused:
                return refusal(403)
            return self._page(company.rows(request.path, day), query)
        path, _, record = request.path.rpartition("/")
        found = [row for row in company.rows(path, day) if row["id"] == record]
        return json_answer(found[0]) if found else refusal(404)

    def _page(self, rows: Sequence[dict[str, Any]], query: dict[str, str]) -> Answer:
        limit, skip = min(int(query.pop("limit")), self.most), int(query.pop("skip"))
        known = [row for row in rows if all(str(row.get(name)) == value for name, value in query.items())]
        return json_answer({"total": len(known), "data": known[skip : skip + limit]})
