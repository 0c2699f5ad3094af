"""The filters of a query as conditions on unified records. A vendor's own filtering is never trusted alone."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.contract import Filter
from connectors.hris.filters import filter_of
from connectors.spec import Join, Table
from gateway.errors import Forbidden, NotImplementedHere
from gateway.unified.mapping import JoinIndex, Plan, Record, compile_table
from gateway.unified.withheld import not_offered, refused_paths, why_refused


@dataclass(frozen=True, slots=True)
class Conditions:
    """Filters with their values, the plan that reads their fields, and the names they have in the query."""

    wanted: Sequence[tuple[Filter, str]]
    plan: Plan
    names: Sequence[str] = ()

    def met_by(self, record: Record) -> bool:
        """Returns whether a record meets all conditions."""
        if not self.wanted:
            return True
        values = self.plan.unify(record)
        return all(any(_meets(each.test, values[name], value) for name in each.fields) for each, value in self.wanted)


def compile_conditions(table: Table, filters: Mapping[str, str]) -> Conditions:
    """Returns the conditions that the filters of a query stand for."""
    found = [(name, filter_of(table.resource.name, name), value) for name, value in filters.items()]
    wanted = [(each, value) for _, each, value in found if each is not None]
    names = [name for name, each, _ in found if each is not None]
    fields = dict.fromkeys(name for each, _ in wanted for name in each.fields)
    return Conditions(wanted, compile_table(table, list(fields), frozenset(), "filter."), names)


def check_answerable(conditions: Conditions, joined: Mapping[Join, JoinIndex], vendor: str) -> None:
    """Raises `Forbidden` or `NotImplementedHere` where a filter reads a field that the vendor refuses.

    Without the field no record would match, so an empty list would be a wrong answer.
    """
    refused = refused_paths(conditions.plan, joined)
    for name, (found, _) in zip(conditions.names, conditions.wanted, strict=True):
        why = next((refused[each] for each in found.fields if each in refused), None)
        if why and why.not_offered:
            raise NotImplementedHere(f"filter[{name}] cannot be judged: {not_offered(vendor, why.path)}")
        if why:
            raise Forbidden(f"filter[{name}] cannot be judged: {why_refused(vendor, why.path)}")


# How each test compares the record's value with the wanted one.
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
    """Tests one value. An enum is compared by its `value`; a missing value matches nothing."""
    value = found.get("value") if isinstance(found, dict) else found
    return isinstance(value, str) and _TESTS[test](value, wanted)
