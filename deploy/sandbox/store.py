"""The rows of one sandbox by resource, made when they are first wanted. No rights and no HTTP."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from deploy.sandbox.company.roles import current
from deploy.sandbox.company.world import World
from deploy.sandbox.model import JsonObject


class Row:
    """One record with its encoded forms. Never change `data` in place: put a new row."""

    __slots__ = ("data", "encoded", "number")

    def __init__(self, data: JsonObject, number: int) -> None:
        self.data = data
        self.number = number
        self.encoded: dict[object, bytes] = {}


class Store:
    """The rows of all resources."""

    def __init__(self, world: World, builders: dict[str, Callable[[World], list[JsonObject]]]) -> None:
        self.world = world
        self.today = world.today.isoformat()
        self.version = 0
        """Changes with every write, so that whoever remembers a selection knows when to forget it."""
        self._builders = builders
        self._tables: dict[str, dict[str, Row]] = {}
        self._removed_people: set[str] = set()
        self._numbers = 0
        self._roles_at = -1
        self._roles: dict[str, list[JsonObject]] = {}

    def table(self, path: str) -> dict[str, Row]:
        """Returns the rows of a resource by id, the oldest first."""
        table = self._tables.get(path)
        if table is None:
            rows = self._builders[path](self.world)
            kept = (row for row in rows if row.get("personId") not in self._removed_people)
            table = self._tables[path] = {row["id"]: Row(row, self._next()) for row in kept}
        return table

    def rows(self, path: str) -> Iterator[JsonObject]:
        """Yields the rows of a resource."""
        return (row.data for row in self.table(path).values())

    def find(self, path: str, row_id: str | None) -> JsonObject | None:
        """Returns a row, or None."""
        row = self.table(path).get(row_id or "")
        return None if row is None else row.data

    def put(self, path: str, data: JsonObject) -> None:
        """Adds a row, or replaces the one with its id."""
        table = self.table(path)
        old = table.get(data["id"])
        table[data["id"]] = Row(data, self._next() if old is None else old.number)
        self._changed(path, data)

    def remove(self, path: str, row_id: str) -> None:
        """Deletes a row; a person's rows are deleted with the person."""
        data = self.table(path).pop(row_id).data
        if path == "people":
            self._removed_people.add(row_id)
            for table in self._tables.values():
                for key in [key for key, row in table.items() if row.data.get("personId") == row_id]:
                    del table[key]
        self._changed(path, data)

    def roles_of(self, person_id: str) -> list[JsonObject]:
        """Returns the job roles of a person."""
        if self._roles_at != self.version:
            roles: dict[str, list[JsonObject]] = defaultdict(list)
            for role in self.rows("job-roles"):
                roles[role["personId"]].append(role)
            self._roles, self._roles_at = roles, self.version
        return self._roles.get(person_id, [])

    def current_role(self, person_id: str) -> JsonObject | None:
        """Returns the current role of a person, or None."""
        return current(self.roles_of(person_id), self.today)

    def reports_of(self, manager_id: str) -> frozenset[str]:
        """Returns everybody whose latest role reports to a person, leavers and new hires too."""
        latest: dict[str, JsonObject] = {}
        for role in self.rows("job-roles"):
            known = latest.get(role["personId"])
            if known is None or known["effectiveDate"] < role["effectiveDate"]:
                latest[role["personId"]] = role
        return frozenset(person for person, role in latest.items() if role["reportingTo"] == manager_id)

    def is_active(self, person_id: str | None) -> bool:
        """Returns whether a person is active."""
        person = self.find("people", person_id)
        return person is not None and person["status"] == "active"

    def _changed(self, path: str, data: JsonObject) -> None:
        self.version += 1
        if path == "job-roles" and (person := self.table("people").get(data["personId"])):
            # The person may be shown with the role inside.
            person.encoded.clear()

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers
