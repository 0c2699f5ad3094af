"""Time away, its types, policies and balances, working patterns, and timesheets."""

from __future__ import annotations

from datetime import date, timedelta

from deploy.sandbox.company.cast import ADMIN, CAST, USER
from deploy.sandbox.company.plan import person_id
from deploy.sandbox.company.world import COMPANY_ID, HEAD_OFFICE_ID, World
from deploy.sandbox.model import JsonObject

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FIXED_HOLIDAYS = {"01-01", "05-01", "12-25", "12-26"}

# Name, whether it is time off (and not work from elsewhere), the word of the older `type` key.
TYPES = (
    ("Paid time off", True, "pto"),
    ("Sick leave", True, "sick"),
    ("Parental leave", True, "parental"),
    ("Working from home", False, "wfh"),
    ("Duvet day", True, "other"),
)

# Days from today, length in days, first and last half, type, status. Given out in turn.
_ABSENCES = (
    (-40, 5, "full", "full", 0, "approved"),
    (10, 3, "pm", "full", 0, "pending"),
    (-6, 1, "am", "am", 1, "approved"),
    (-2, 5, "full", "full", 0, "approved"),
    (5, 2, "full", "full", 3, "approved"),
    (30, 4, "full", "am", 0, "declined"),
    (-90, 60, "full", "full", 2, "approved"),
    (60, 1, "pm", "pm", 4, "pending"),
)


def types(world: World) -> list[JsonObject]:
    return [
        world.row(
            "time-away-type",
            index,
            companyId=COMPANY_ID,
            name=name,
            color=f"#{index}a9f{index}0",
            isTimeOff=off,
        )
        for index, (name, off, _) in enumerate(TYPES)
    ]


def absences(world: World) -> list[JsonObject]:
    """One absence for each person who has begun, two for the cast."""
    rows: list[JsonObject] = []
    reviewer = person_id(world.seed, ADMIN)
    cast = {person_id(world.seed, index) for index in range(len(CAST))}
    for index, person in enumerate(world.people):
        if person["status"] == "newHire":
            continue
        is_cast = person["id"] in cast
        rows += [
            _absence(world, person, _ABSENCES[(index + number) % len(_ABSENCES)], reviewer)
            for number in range(2 if is_cast else 1)
        ]
    return rows


def _absence(world: World, person: JsonObject, plan: tuple[int, int, str, str, int, str], reviewer: str) -> JsonObject:
    start, length, first, last, type_index, status = plan
    name, is_off, word = TYPES[type_index]
    type_id = world.id("time-away-type", type_index)
    row = world.row(
        "time-away",
        person["id"],
        start,
        created=world.day(min(start - 14, -1)),
        personId=person["id"],
        startDate=world.day(start),
        startPeriod=first,
        endDate=world.day(start + length - 1),
        endPeriod=last,
        timeAwayTypeId=type_id,
        timeAwayType={"id": type_id, "name": name},
        name=name,
        type=word,
        isTimeOff=is_off,
        workingFromLocationId=None if is_off else HEAD_OFFICE_ID,
        note="Family matters" if type_index == 0 else None,
        requestStatus=status,
        reviewedBy=None if status == "pending" else reviewer,
        reviewedAt=None if status == "pending" else f"{world.day(min(start - 10, -1))}T15:00:00.000Z",
        reviewNote="Too many away that week" if status == "declined" else None,
        publicHolidayCalendarId=person.get("publicHolidayCalendarId"),
        workingDays=person["workingDays"],
    )
    return row | count_days(row)


def count_days(row: JsonObject) -> JsonObject:
    """Returns `breakdown` and `days` of an absence: half days at its ends, and none on days off."""
    working = {each["day"] for each in row["workingDays"]}
    first, last = date.fromisoformat(row["startDate"]), date.fromisoformat(row["endDate"])
    breakdown: list[JsonObject] = []
    days = 0.0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        period = row["startPeriod"] if day == first else row["endPeriod"] if day == last else "full"
        entry: JsonObject = {"date": day.isoformat(), "period": period}
        if _WEEK[day.weekday()] not in working:
            entry["weekend"] = True
        elif row["publicHolidayCalendarId"] is not None and day.isoformat()[5:] in _FIXED_HOLIDAYS:
            entry["holiday"] = True
        else:
            days += 1 if period == "full" else 0.5
        breakdown.append(entry)
    return {"breakdown": breakdown, "days": int(days) if days == int(days) else days}


def policies(world: World) -> list[JsonObject]:
    return [
        world.row("time-away-policy", index, companyId=COMPANY_ID, name=name, maxPtoCarryOver=carry)
        for index, (name, carry) in enumerate((("Standard, 25 days", 5), ("Iberia, 30 days", 10)))
    ]


def allocations(world: World) -> list[JsonObject]:
    rows = []
    for index, person in enumerate(world.people):
        specific = index % 9 == 4
        policy = world.id("time-away-policy", int(specific))
        rows.append(
            world.row(
                "time-away-allocation",
                person["id"],
                personId=person["id"],
                type="specific" if specific else "placeOfWork",
                effectiveDate=person["employmentStartDate"] if specific else None,
                timeAwayPolicyId=policy,
                timeAwayPolicy={"id": policy, "name": "Iberia, 30 days" if specific else "Standard, 25 days"},
            )
        )
    return rows


def adjustments(world: World) -> list[JsonObject]:
    return [
        world.row(
            "time-away-adjustment",
            person["id"],
            personId=person["id"],
            timeAwayAllocationId=world.id("time-away-allocation", person["id"]),
            amount=1.5,
            note="Worked on a holiday",
        )
        for person in world.people[::12]
    ]


def periods(world: World) -> list[JsonObject]:
    """Balances in the shape seen in 2021, numbers as text: this year's and last year's."""
    this_year = world.today.year
    rows = []
    for index, person in enumerate(world.people):
        for year in (this_year - 1, this_year):
            used = index % 20 + (0.5 if index % 4 == 0 else 0)
            rows.append(
                world.row(
                    "time-away-period",
                    person["id"],
                    year,
                    personId=person["id"],
                    startDate=f"{year}-01-01",
                    endDate=f"{year}-12-31",
                    isCurrentPeriod=year == this_year,
                    allowance="25",
                    ptoUsed=str(used),
                    ptoUpcoming=str(index % 4),
                    ptoCarriedOver="2.5" if index % 5 == 0 else "0",
                    timeAwayAllocation={"timeAwayPolicy": {"maxPtoCarryOver": "5"}},
                )
            )
    return rows


def patterns(world: World) -> list[JsonObject]:
    weeks = (("Full week", _WEEK[:5]), ("Monday and Thursday", ("monday", "thursday")))
    return [
        world.row(
            "working-pattern",
            index,
            companyId=COMPANY_ID,
            name=name,
            workingDays=[{"day": day} for day in days],
        )
        for index, (name, days) in enumerate(weeks)
    ]


def pattern_allocations(world: World) -> list[JsonObject]:
    return [
        world.row(
            "working-pattern-allocation",
            person["id"],
            personId=person["id"],
            workingPatternId=world.id("working-pattern", int(len(person["workingDays"]) == 2)),
            startDate=person["employmentStartDate"],
            endDate=person["employmentEndDate"],
        )
        for person in world.people
    ]


def entries(world: World) -> list[JsonObject]:
    """Two days of the ordinary user, the second of them still open; one of every tenth person."""
    user = person_id(world.seed, USER)
    plan = [(user, -1, "12:30:00"), (user, 0, None)]
    plan += [(person["id"], -2, "17:00:00") for person in world.people[::10]]
    return [
        world.row(
            "timesheet-entry",
            owner,
            offset,
            personId=owner,
            date=world.day(offset),
            startTime="09:00:00",
            endTime=ends,
            duration=duration("09:00:00", ends),
        )
        for owner, offset, ends in plan
    ]


def duration(start: str, end: str | None) -> JsonObject | None:
    if end is None:
        return None
    minutes = _minutes(end) - _minutes(start)
    return {"hours": minutes // 60, "minutes": minutes % 60}


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")[:2]
    return int(hours) * 60 + int(minutes)


def submissions(world: World) -> list[JsonObject]:
    user = person_id(world.seed, USER)
    return [
        world.row(
            "timesheet-submission",
            number,
            personId=user,
            startDate=world.day(-14 + 7 * number),
            endDate=world.day(-8 + 7 * number),
            status=status,
            submittedAt=f"{world.day(-1)}T16:00:00.000Z",
            reviewedBy=None if status == "pending" else person_id(world.seed, ADMIN),
            reviewedAt=None,
            changesRequested=None,
            durationAsTime={"hours": 3, "minutes": 30},
            durationAsDays=0.44,
        )
        for number, status in enumerate(("approved", "pending"))
    ]
