"""What every generator is given: the seed, the day, the people and their roles; and how rows are stamped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from deploy.sandbox.ids import stable_id
from deploy.sandbox.model import JsonObject

# The real rows' company and place.
COMPANY_ID = "zj8ZXJFpDnkfgGNSu2jqauBR"
HEAD_OFFICE_ID = "P3nuu3DWgVCIRwjcVgIS1Dgx"

# The real rows are of August 2022 and say "active"; on an earlier day they would contradict themselves.
EARLIEST_TODAY = date(2022, 8, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    seed: str
    today: date
    people: list[JsonObject]
    roles: list[JsonObject]

    def chance(self, name: str) -> Random:
        """Returns a random source for one table, so that no table depends on the order in which they are built."""
        return chance_for(self.seed, name)

    def id(self, *parts: str | int) -> str:
        return stable_id(self.seed, *parts)

    def day(self, offset: int) -> str:
        """Returns the date that is `offset` days from today, as text."""
        return day_text(self.today, offset)

    def row(self, *parts: str | int, created: str | None = None, **values: Any) -> JsonObject:
        """Returns a row that begins with id and timestamps. `created` is a date, by default half a year ago."""
        stamp = f"{min(created or self.day(-180), self.day(-1))}T09:30:00.000Z"
        return {"id": self.id(*parts), "createdAt": stamp, "updatedAt": stamp, **values}


def chance_for(seed: str, name: str) -> Random:
    return Random(f"{seed}/{name}")  # noqa: S311 - made-up people, no secrets


def day_text(start: date, offset: int) -> str:
    return (start + timedelta(days=offset)).isoformat()


def pick(chance: Random, weighted: tuple[tuple[Any, int], ...]) -> Any:
    """Returns a random value of a table of (value, weight)."""
    point = chance.randrange(sum(weight for _, weight in weighted))
    for value, weight in weighted:
        point -= weight
        if point < 0:
            return value
    raise ValueError("no weights")
