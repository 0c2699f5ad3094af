"""Plans the generated people before any row is written: when they join and leave, and whom they report to."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from deploy.sandbox.company.cast import CAST, MANAGER, OWNER
from deploy.sandbox.company.world import chance_for
from deploy.sandbox.ids import stable_id

_LED_BY_THE_CASTS_MANAGER = 20
_TEAM = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Days are counted from today."""

    seed: str
    index: int
    id: str
    start: int
    end: int | None
    boss: int | None


def person_id(seed: str, index: int) -> str:
    return stable_id(seed, "person", index)


def plans(count: int, seed: str) -> list[Plan]:
    chance = chance_for(seed, "plans")
    return [_plan(index, seed, chance) for index in range(count)]


def boss_of(index: int) -> int | None:
    """A tree: the owner, then tens of tens; leads have numbers that end in 0."""
    if index == OWNER:
        return None
    if index <= MANAGER:
        return OWNER
    if index < _LED_BY_THE_CASTS_MANAGER:
        return MANAGER
    if index % _TEAM:
        return index - index % _TEAM
    lead = index - index % (_TEAM * _TEAM)
    return lead if lead not in {index, 0} else OWNER


def _plan(index: int, seed: str, chance: Random) -> Plan:
    start, end = _days(index, chance)
    return Plan(seed=seed, index=index, id=person_id(seed, index), start=start, end=end, boss=boss_of(index))


def _days(index: int, chance: Random) -> tuple[int, int | None]:
    if index < len(CAST):
        return CAST[index].start, CAST[index].end
    fate = chance.random()
    if index % _TEAM == 0:
        # Leads are there: a report of somebody who left yesterday is a case, not the rule.
        return -chance.randrange(700, 2000), None
    if fate < 0.06:
        return chance.randrange(1, 90), None
    if fate < 0.18:
        start = -chance.randrange(200, 1800)
        return start, chance.randrange(start + 60, -1)
    return -chance.randrange(1, 1800), chance.randrange(1, 120) if fate < 0.21 else None
