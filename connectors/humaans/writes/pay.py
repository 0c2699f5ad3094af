"""Pay: the salary among the compensations, each of which is in force from a day until the next one begins."""

import re
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from connectors.convert import normal
from connectors.hris import enums
from connectors.humaans.employments import newest
from connectors.humaans.lists import day as day_of
from connectors.humaans.lists import in_force
from connectors.humaans.scopes import PAY, PAY_WRITE
from connectors.humaans.writes import steps
from connectors.humaans.writes.steps import Row
from connectors.writes import Part, Reply, Rule, Step, To, Unfit, Unwritable, WrongValues, spelt

_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,4})?", re.ASCII)
PERIODS = {
    "hour": "hourly",
    "day": "daily",
    "week": "weekly",
    "month": "monthly",
    "quarter": "quarterly",
    "year": "annual",
}
COLUMNS = {"amount": "pay_rate", "currency": "pay_currency", "period": "pay_period"}


def _amount(value: Any) -> str:
    if not _AMOUNT.fullmatch(value):
        raise Unfit("must be a plain decimal number, such as 52000 or 52000.50")
    return str(value)


def _currency(value: Any) -> str:
    if value not in enums.CURRENCY_CODE.words or not value.isupper():
        raise Unfit("must be a currency of ISO 4217, such as GBP")
    return str(value)


FIELDS: Mapping[str, Rule] = {
    "pay_rate": To("pay", "amount", _amount, empties=False),
    "pay_period": To("pay", "period", spelt(PERIODS), empties=False),
    "pay_frequency": Unwritable("Humaans keeps what period an amount is for (pay_period), not how often it is paid"),
    "pay_currency": To("pay", "currency", _currency, empties=False),
}

# The kind of pay and what is in force are read before.
NEEDS = (PAY_WRITE, PAY)
FIRST = Part("pay", NEEDS, ("GET /compensation-types", "POST /compensations"))
LATER = Part(
    "pay",
    NEEDS,
    (
        "GET /compensation-types",
        "GET /compensations?personId={key}",
        "POST /compensations",
        "PATCH /compensations/{key}",
    ),
)


class Salaries:
    """The known salaries of a person, before a change."""

    def __init__(self, kinds: Sequence[Row], rows: Sequence[Row]) -> None:
        self._kinds = [row for row in kinds if row.get("baseType") == "salary"]
        known = {row.get("id") for row in self._kinds}
        self.rows = [row for row in rows if row.get("compensationTypeId") in known]

    def on(self, day: str) -> Row | None:
        """Returns the salary in force on a day, or None."""
        return newest([row for row in self.rows if in_force(row, day)])

    def step(self, columns: Row, person_id: str, on: str, since: str) -> Step | None:
        """Returns the step to the wanted salary from the day `on`; None if it is so already.

        A salary that took effect on the day `since` or later is changed. An older one is history, and gets a successor.
        """
        old = self.on(on)
        if old is not None and all(old.get(name) == value for name, value in columns.items()):
            return None
        if old is not None and day_of(old.get("effectiveDate")) >= since:
            return steps.change(f"/compensations/{old.get('id')}", columns, "change the pay")
        carried = {name: old.get(name) for name in COLUMNS if old.get(name) is not None} if old else {}
        wanted = {**carried, **columns}
        lacking = [f"{ours} is missing" for name, ours in COLUMNS.items() if name not in wanted]
        if lacking:
            raise WrongValues(*lacking)
        kind = old.get("compensationTypeId") if old else self._kind()
        whole = {**wanted, "compensationTypeId": kind, "personId": person_id, "effectiveDate": on}
        return steps.create("/compensations", whole, "record the pay")

    def _kind(self) -> Any:
        found = self._kinds
        if len(found) > 1:
            found = [row for row in found if normal(str(row.get("name"))) == "salary"]
        if len(found) != 1:
            raise WrongValues("pay_rate: the company has no compensation type in Humaans that is plainly the salary")
        return found[0].get("id")


def read_salaries(person_id: str) -> Generator[Step, Reply, Salaries]:
    """Reads the salaries of a person. A person who is not created yet has none."""
    kinds = yield from steps.listed("/compensation-types", "read the kinds of pay")
    if not person_id:
        return Salaries(kinds, ())
    rows = yield from steps.listed("/compensations", "read the pay", personId=person_id)
    return Salaries(kinds, rows)
