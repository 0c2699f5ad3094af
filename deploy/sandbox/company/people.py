"""People: the real rows as they are, the cast, and as many more as were asked for."""

from __future__ import annotations

from datetime import date
from random import Random

from deploy.sandbox.company.cast import CAST
from deploy.sandbox.company.places import COUNTRIES, HOMES, OFFICES, REMOTES, office_id
from deploy.sandbox.company.plan import Plan
from deploy.sandbox.company.words import (
    CONTRACTS,
    FIRST_NAMES,
    GENDERS,
    LANGUAGES,
    LAST_NAMES,
    LEAVING,
    NATIONALITIES,
    TEAMS,
)
from deploy.sandbox.company.world import COMPANY_ID, chance_for, day_text, pick
from deploy.sandbox.ids import stable_id, stable_token
from deploy.sandbox.model import JsonObject

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")
_SIZES = (64, 96, 104, 136, 156, 204, 320, 480)
_PROBATION_DAYS = 90
_DOMAIN = "l4xe0o4l.example.com"


def status_on(today: str, start: str, end: str | None) -> str:
    """Returns the status on a day: new hire, then active, and offboarded from the day after the last one."""
    if start > today:
        return "newHire"
    return "offboarded" if end is not None and end < today else "active"


def generated(plans: list[Plan], keys: list[str], today: date, seed: str) -> list[JsonObject]:
    """Returns a row for each plan, with the keys of the real rows in their order, and newer keys after them."""
    chance = chance_for(seed, "people")
    return [_row(plan, dict.fromkeys(keys), today, chance) for plan in plans]


def _row(plan: Plan, row: JsonObject, today: date, chance: Random) -> JsonObject:
    first, last = _name(plan, chance)
    mailbox = f"{_ascii(first)}.{_ascii(last)}{plan.index if plan.index >= len(CAST) else ''}"
    row |= {
        "id": plan.id,
        "companyId": COMPANY_ID,
        "demo": True,
        "isWorkEmailHidden": False,
        "firstName": first,
        "lastName": last,
        "email": f"{mailbox}@{_DOMAIN}",
        "personalEmail": f"{mailbox}@example.com",
        "bio": "Tea first.",
        "workingDays": [{"day": day} for day in _WEEK],
        "foodAllergies": [],
        "directReports": [],
        "taxId": f"{plan.index:03d}-{chance.randrange(100):02d}-{chance.randrange(10_000):04d}",
        "employeeId": str(1000 + plan.index),
        "role": "user",
        "isVerified": True,
        "isWelcomed": plan.start <= 0,
        "isSSO": False,
    }
    row |= _photo(plan.id, plan.index) | _person(plan.index, chance) | _place(plan, chance) | _dates(plan, today)
    row |= {"publicHolidayCalendarId": None, "isBirthdayHidden": False, "turnoverImpact": None}
    if plan.index < len(CAST):
        row |= _cast(plan)
    return _resolve(row, plan)


def _name(plan: Plan, chance: Random) -> tuple[str, str]:
    if plan.index < len(CAST):
        return CAST[plan.index].first, CAST[plan.index].last
    return chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)


def _ascii(name: str) -> str:
    kept = "".join(letter for letter in name.lower() if "a" <= letter <= "z")
    return kept or "x"


def _photo(person_id: str, index: int) -> JsonObject:
    if index % 4 == 3:
        return {"profilePhotoId": None, "profilePhoto": None}
    photo = stable_id("photo", person_id)
    base = f"https://storage.googleapis.com/humaans-public-prd/{photo}"
    variants = {str(size): f"{base}@{size}.jpg" for size in _SIZES}
    return {"profilePhotoId": photo, "profilePhoto": {"id": photo, "variants": variants}}


def _person(index: int, chance: Random) -> JsonObject:
    home = HOMES[chance.randrange(len(HOMES))]
    nationality = pick(chance, NATIONALITIES)
    digits = chance.randrange(10_000_000)
    phone = f"({200 + index % 700}) {digits // 10_000:03d}-{digits % 10_000:04d}"
    born = f"{chance.randrange(1960, 2004)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
    return {
        "address": home.address,
        "city": home.city,
        "state": home.state,
        "postcode": home.postcode,
        "countryCode": home.country_code,
        "country": COUNTRIES[home.country_code],
        "birthday": None if index % 23 == 22 else born,
        "gender": pick(chance, GENDERS),
        "nationality": nationality,
        "nationalities": None if nationality is None else [nationality],
        "spokenLanguages": list(pick(chance, LANGUAGES)),
        "personalPhoneNumber": phone,
        "phoneNumber": f"+44 20 7946 0{index % 1000:03d}" if index % 3 == 0 else None,
        "middleName": chance.choice(FIRST_NAMES) if index % 5 == 1 else None,
        "preferredName": chance.choice(FIRST_NAMES) if index % 7 == 2 else None,
        "pronouns": None,
        "contractType": pick(chance, CONTRACTS),
        "teams": [{"name": name} for name in pick(chance, TEAMS)],
        "linkedIn": f"https://www.linkedin.com/in/example-{index}" if index % 6 == 0 else None,
        "dietaryPreference": "Vegetarian" if index % 8 == 5 else None,
    }


def _place(plan: Plan, chance: Random) -> JsonObject:
    if plan.index % 5 == 4:
        return {"locationId": f"remote:{chance.randrange(len(REMOTES))}"}
    return {"locationId": f"office:{chance.randrange(len(OFFICES))}"}


def _dates(plan: Plan, today: date) -> JsonObject:
    start = day_text(today, plan.start)
    end = None if plan.end is None else day_text(today, plan.end)
    # A new hire is entered before the first day; everybody was entered yesterday at the latest.
    created = day_text(today, min(plan.start - 20, -1 - plan.index % 20))
    values: JsonObject = {
        "createdAt": f"{created}T08:{plan.index % 60:02d}:00.000Z",
        "updatedAt": f"{day_text(today, -1 - plan.index % 17)}T10:{plan.index % 60:02d}:30.000Z",
        "status": status_on(today.isoformat(), start, end),
        "employmentStartDate": start,
        "firstWorkingDay": start,
        "employmentEndDate": end,
        "lastWorkingDay": end,
        "probationEndDate": day_text(today, plan.start + _PROBATION_DAYS),
    }
    if end is not None:
        values["leavingReason"] = LEAVING[plan.index % len(LEAVING)]
    if values["status"] == "offboarded":
        values |= {"offboardedAt": f"{end}T17:00:00.000Z", "isVerified": False}
    return values


def _cast(plan: Plan) -> JsonObject:
    part = CAST[plan.index]
    secret = {"calendarFeedToken": stable_token("calendar", plan.id)} if part.start < 0 else {}
    return part.values | {"role": part.role} | secret


def _resolve(row: JsonObject, plan: Plan) -> JsonObject:
    """Fill what follows from other fields; two keys are absent when there is nothing to say."""
    kind, _, number = row["locationId"].partition(":")
    if kind == "remote":
        remote = REMOTES[int(number)]
        row |= {
            "locationId": "remote",
            "remoteCity": remote.city,
            "remoteRegionCode": remote.region_code,
            "remoteCountryCode": remote.country_code,
            "remoteCountry": COUNTRIES[remote.country_code],
            "remoteTimezone": remote.timezone,
            "timezone": remote.timezone,
        }
    else:
        office = OFFICES[int(number)]
        row |= {
            "locationId": office_id(plan.seed, int(number)),
            "timezone": office.timezone,
            "publicHolidayCalendarId": office.calendar,
        }
    follow(row)
    row["updatedAt"] = max(row["updatedAt"], row["createdAt"])
    row["spaceId"] = stable_id(plan.seed, "space", "Europe" if plan.index % 2 else "Rest of the world")
    return row


def follow(row: JsonObject) -> None:
    """Sets the keys of a person that repeat another key."""
    _follow_or_drop(row, "shortBirthday", (row.get("birthday") or "")[5:])
    _follow_or_drop(row, "formattedPersonalPhoneNumber", row.get("personalPhoneNumber"))
    if row.get("phoneNumber") or "formattedPhoneNumber" in row:
        _follow_or_drop(row, "formattedPhoneNumber", row.get("phoneNumber"))


def _follow_or_drop(row: JsonObject, name: str, value: str | None) -> None:
    if value:
        row[name] = value
    else:
        row.pop(name, None)
