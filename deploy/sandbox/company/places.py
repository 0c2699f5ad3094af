"""Where people work and live: offices, remote places, home countries, public-holiday calendars."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.sandbox.company.world import COMPANY_ID, HEAD_OFFICE_ID, World
from deploy.sandbox.ids import stable_id
from deploy.sandbox.model import JsonObject


@dataclass(frozen=True, slots=True)
class Office:
    label: str
    address: str
    city: str
    state: str | None
    region_code: str | None
    postcode: str
    country_code: str
    timezone: str
    calendar: str


OFFICES = (
    Office("Prague", "Vodičkova 30", "Prague", None, None, "110 00", "CZ", "Europe/Prague", "CZ"),
    Office("London HQ", "1 Finsbury Avenue", "London", None, None, "EC2M 2PF", "GB", "Europe/London", "GB"),
    Office(
        "New York",
        "120 Broadway",
        "New York",
        "New York",
        "US-NY",
        "10271",
        "US",
        "America/New_York",
        "US-NY",
    ),
    Office("Berlin", "Torstraße 49", "Berlin", "Berlin", "DE-BE", "10119", "DE", "Europe/Berlin", "DE-BE"),
    Office("Madrid", "Calle de Alcalá 42", "Madrid", "Madrid", "ES-MD", "28014", "ES", "Europe/Madrid", "ES-MD"),
    Office(
        "Sydney",
        "1 Martin Pl",
        "Sydney",
        "New South Wales",
        "AU-NSW",
        "2000",
        "AU",
        "Australia/Sydney",
        "AU-NSW",
    ),
)


@dataclass(frozen=True, slots=True)
class Remote:
    city: str
    region_code: str | None
    country_code: str
    timezone: str


REMOTES = (
    Remote("Porto", "PT-13", "PT", "Europe/Lisbon"),
    Remote("Tokyo", None, "JP", "Asia/Tokyo"),
    Remote("Los Angeles", "US-CA", "US", "America/Los_Angeles"),
    Remote("Singapore", None, "SG", "Asia/Singapore"),
    Remote("Toronto", "CA-ON", "CA", "America/Toronto"),
)

COUNTRIES = {
    "AU": "Australia",
    "BR": "Brazil",
    "CA": "Canada",
    "CZ": "Czechia",
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IN": "India",
    "JP": "Japan",
    "NL": "Netherlands",
    "PL": "Poland",
    "PT": "Portugal",
    "SG": "Singapore",
    "US": "United States",
}


@dataclass(frozen=True, slots=True)
class Home:
    address: str
    city: str
    state: str | None
    postcode: str
    country_code: str


HOMES = (
    Home("14 Marlow Road", "London", None, "SE20 7YA", "GB"),
    Home("Flat 3, 9 Grange Crescent", "Edinburgh", "Scotland", "EH9 2EH", "GB"),
    Home("Nußbaumallee 7", "München", "Bayern", "80331", "DE"),
    Home("Calle del Pez 5, 2º B", "Madrid", "Madrid", "28004", "ES"),
    Home("22 Rue de l'Abbé Groult", "Paris", None, "75015", "FR"),
    Home("88 Bedford Ave", "New York", "New York", "11211", "US"),
    Home("ul. Piękna 12/4", "Kraków", None, "31-008", "PL"),
    Home("Rua das Flores 101", "Porto", None, "4050-262", "PT"),
    Home("7 Harbour St", "Sydney", "New South Wales", "2000", "AU"),
    Home("12 MG Road", "Bengaluru", "Karnataka", "560001", "IN"),
)

CALENDARS = (
    ("AU-NSW", "Australia - New South Wales", "AU"),
    ("CZ", "Czechia", "CZ"),
    ("DE-BE", "Germany - Berlin", "DE"),
    ("ES-MD", "Spain - Madrid", "ES"),
    ("GB", "United Kingdom", "GB"),
    ("US-NY", "United States - New York", "US"),
)

_HOLIDAYS = (
    ("01-01", "New Year's Day"),
    ("05-01", "Labour Day"),
    ("12-25", "Christmas Day"),
    ("12-26", "Boxing Day"),
)


def office_id(seed: str, index: int) -> str:
    """The first office is the one that the real rows name."""
    return HEAD_OFFICE_ID if index == 0 else stable_id(seed, "location", index)


def locations(world: World) -> list[JsonObject]:
    rows = []
    for index, office in enumerate(OFFICES):
        row = world.row(
            "location",
            index,
            created=world.day(-1500 + index),
            companyId=COMPANY_ID,
            label=office.label,
            address=office.address,
            city=office.city,
            state=office.state,
            regionCode=office.region_code,
            postcode=office.postcode,
            countryCode=office.country_code,
            country=COUNTRIES[office.country_code],
            timezone=office.timezone,
            publicHolidayCalendarId=office.calendar,
            timeAwayPolicyId=world.id("time-away-policy", 0),
        )
        rows.append(row | {"id": office_id(world.seed, index)})
    return rows


def calendars(world: World) -> list[JsonObject]:
    return [
        world.row("calendar", code) | {"id": code, "name": name, "countryCode": country}
        for code, name, country in CALENDARS
    ]


def holidays(world: World) -> list[JsonObject]:
    years = range(world.today.year - 1, world.today.year + 2)
    return [
        world.row("holiday", code, f"{year}-{day}", date=f"{year}-{day}", name=name, publicHolidayCalendarId=code)
        for code, _, _ in CALENDARS
        for year in years
        for day, name in _HOLIDAYS
    ]


def calendar_days(world: World) -> list[JsonObject]:
    holiday = world.id("holiday", "GB", f"{world.today.year}-12-26")
    return [world.row("calendar-day", 0, publicHolidayCalendarId="GB", publicHolidayId=holiday)]


def companies(world: World) -> list[JsonObject]:
    row = world.row(
        "company",
        created="2022-08-11",
        name="Example Demo Company",
        domains=["l4xe0o4l.example.com"],
        trialEndDate=None,
        status="active",
        paymentStatus="ok",
        package="growth",
        isTimesheetEnabled=True,
        requireTimeAwayApprovalFor=[],
        autogenerateEmployeeId=True,
        autogenerateEmployeeIdForNewHires=False,
        nextEmployeeId=str(len(world.people) + 1),
    )
    return [row | {"id": COMPANY_ID}]


def spaces(world: World) -> list[JsonObject]:
    return [world.row("space", name, companyId=COMPANY_ID, name=name) for name in ("Europe", "Rest of the world")]
