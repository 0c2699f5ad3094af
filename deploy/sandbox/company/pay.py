"""Compensations with their history, compensation types, and bank accounts."""

from __future__ import annotations

from deploy.sandbox.company.roles import chain
from deploy.sandbox.company.world import COMPANY_ID, World
from deploy.sandbox.model import JsonObject

_TYPES = (
    ("Salary", "salary"),
    ("Bonus", "bonus"),
    ("Commission", "commission"),
    ("Options", "equity"),
    ("Hardship allowance", "custom"),
)

_CURRENCIES = {
    "Europe/London": "GBP",
    "America/New_York": "USD",
    "Australia/Sydney": "AUD",
    "Asia/Tokyo": "JPY",
}


def types(world: World) -> list[JsonObject]:
    return [
        world.row("compensation-type", base, companyId=COMPANY_ID, name=name, baseType=base) for name, base in _TYPES
    ]


def compensations(world: World) -> list[JsonObject]:
    """A salary for all but every seventeenth person; raises for a third, a one-off bonus for a quarter."""
    rows: list[JsonObject] = []
    for index, person in enumerate(world.people):
        if index % 17 != 16:
            rows += _salary(world, person, index)
        if index % 4 == 1 and person["employmentStartDate"] < world.today.isoformat():
            rows.append(_bonus(world, person, index))
    return rows


def _salary(world: World, person: JsonObject, index: int) -> list[JsonObject]:
    start = person["employmentStartDate"]
    days = [start]
    raised = world.day(-100)
    if index % 3 == 0 and start < raised:
        days.append(raised)
    if index % 30 == 0 and start < world.today.isoformat():
        days.append(world.day(40))
    hourly = person["contractType"] in {"Part time", "Intern", "Werkstudent"}
    amounts = [str(30_000 + 1_000 * (index % 60) + 2_500 * step) for step in range(len(days))]
    if hourly:
        amounts = [f"{12 + index % 9 + step}.50" for step in range(len(days))]
    salary = world.id("compensation-type", "salary")
    rows = [
        world.row(
            "compensation",
            person["id"],
            step,
            created=day,
            personId=person["id"],
            compensationTypeId=salary,
            amount=amounts[step],
            currency=_CURRENCIES.get(person["timezone"], "EUR"),
            period="hourly" if hourly else "annual",
            note="Annual review" if step else None,
            effectiveDate=day,
            endDate=None,
            endReason=None,
        )
        for step, day in enumerate(days)
    ]
    return chain(rows)


def _bonus(world: World, person: JsonObject, index: int) -> JsonObject:
    day = max(world.day(-60), person["employmentStartDate"])
    return world.row(
        "bonus",
        person["id"],
        created=day,
        personId=person["id"],
        compensationTypeId=world.id("compensation-type", "bonus"),
        amount=f"{500 + index % 40 * 100}",
        currency=_CURRENCIES.get(person["timezone"], "EUR"),
        period=None,
        note="One-off",
        effectiveDate=day,
        endDate=None,
        endReason=None,
    )


def bank_accounts(world: World) -> list[JsonObject]:
    chance = world.chance("bank-accounts")
    rows = []
    for index, person in enumerate(world.people):
        british = index % 2 == 0
        rows.append(
            world.row(
                "bank-account",
                person["id"],
                personId=person["id"],
                bankName="Example Bank" if british else "Beispielbank",
                nameOnAccount=f"{person['firstName']} {person['lastName']}",
                accountNumber=f"{chance.randrange(100_000_000):08d}",
                swiftCode=None if british else "EXMPDEFFXXX",
                sortCode=f"{chance.randrange(1_000_000):06d}" if british else None,
                routingNumber=None,
            )
        )
    return rows
