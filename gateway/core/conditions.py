"""The filters of a query as conditions on unified records: a vendor's own filtering is never trusted alone."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.contract import Filter
from connectors.hris.filters import filter_of
from connectors.spec import Table
from gateway.core.mapping import Plan, Record, compile_table


@dataclass(frozen=True, slots=True)
class Conditions:
    """Filters with their values, and the plan that reads the fields they are about."""

    wanted: Sequence[tuple[Filter, str]]
    plan: Plan

    def met_by(self, record: Record) -> bool:
        if not self.wanted:
            return True
        values = self.plan.unify(record)
        return all(any(_meets(each.test, values[name], value) for name in each.fields) for each, value in self.wanted)


def compile_conditions(table: Table, filters: Mapping[str, str]) -> Conditions:
    found = [(filter_of(table.resource.name, name), value) for name, value in filters.items()]
    wanted = [(each, value) for each, value in found if each is not None]
    fields = dict.fromkeys(name for each, _ in wanted for name in each.fields)
    return Conditions(wanted, compile_table(table, list(fields), frozenset(), "filter."))


# What each test does with the value that is there and the one that is wanted.
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "equals": operator.eq,
    "any of": lambda value, wanted: value in wanted.split(","),
    "after": operator.gt,
    "from": operator.ge,
    "to": operator.le,
    "from day": lambda value, wanted: value[:10] >= wanted,
    "to day": lambda value, wanted: value[:10] <= wanted,
}


def _meets(test: str, found: Any, wanted: str) -> bool:
    """Judge one value; an enum is judged by its word, and what is missing meets nothing."""
    value = found.get("value") if isinstance(found, dict) else found
    return isinstance(value, str) and _TESTS[test](value, wanted)
