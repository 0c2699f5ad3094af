"""When an answer changes because a day begins: roles come into force, and end, by day. Days are days in UTC."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import inf

from connectors.convert import day
from connectors.spec import TODAY, Field, Nested, Row
from gateway.unified.mapping import Plan

_DAY = timedelta(days=1)


class DayWatch:
    """Sees the rows that a record is made of, and knows the first day on which it may be another.

    The tables ask of the day only where it lies beside dates in the rows (`Pick`), so between those it changes nothing.
    """

    def __init__(self, today: date) -> None:
        self._today = today.isoformat()
        self._tomorrow = today + _DAY
        self._first = date.max

    def see(self, rows: Sequence[Row]) -> None:
        """Takes the dates of rows into account."""
        for row in rows:
            for value in row.values():
                # A text that sorts before today is no date from today on.
                if isinstance(value, str) and value[:10] >= self._today and (found := day(value)):
                    # The day before a date counts too: what follows a role ends it the day before.
                    self._first = min(self._first, max(self._tomorrow, date.fromisoformat(found) - _DAY))

    @property
    def holds_until(self) -> float:
        """Returns the moment (seconds since the epoch) until which the record is the same, if its rows are."""
        return inf if self._first == date.max else _beginning(self._first)


def end_of(today: date) -> float:
    """Returns the moment at which a day ends, in seconds since the epoch."""
    return _beginning(today + _DAY)


def asks_for_day(plan: Plan) -> bool:
    """Returns whether a table's fields may depend on the day: by a join, or by `TODAY` as a source."""
    rules = plan.rules.values()
    return (
        bool(plan.joins)
        or any(isinstance(rule, Nested) for rule in rules)
        or any(TODAY in rule.sources for rule in rules if isinstance(rule, Field))
    )


def _beginning(day_: date) -> float:
    return datetime.combine(day_, time(), UTC).timestamp()
