"""Places of work (records of Humaans, or the pseudo-location `remote`) and home addresses."""

from collections.abc import Sequence
from datetime import date

from connectors.convert import UNREADABLE, Unreadable, identifier, lost, same_words, text, wrapper
from connectors.hris import enums
from connectors.hris.locations import LOCATIONS as RESOURCE
from connectors.humaans import lists
from connectors.humaans.scopes import PUBLIC
from connectors.spec import Absent, Field, Join, Row, Table

NO_CUSTOM = Absent("no custom unified fields are configured for this project")
NO_SECOND_LINE = Absent("Humaans keeps the street as one line")
NO_PHONE = Absent("Humaans keeps no telephone number of a place")

country = same_words(enums.COUNTRY_CODE)


def label(current: object, older: object) -> str | Unreadable | None:
    """Returns the name, from `label` or from `name`, which one published client reads."""
    return _first(current, older)


def region(code: object, state: object) -> str | Unreadable | None:
    """Returns the region, by its code or its name."""
    return _first(code, state)


def _first(one: object, other: object) -> str | Unreadable | None:
    return UNREADABLE if lost(one) or lost(other) else text(one) or text(other)


WORKPLACE = Table(
    RESOURCE,
    {
        "id": Field("id", identifier("location")),
        "remote_id": "id",
        "unified_custom_fields": NO_CUSTOM,
        "employee_id": Absent("a place of work belongs to nobody in particular"),
        "remote_employee_id": Absent("a place of work belongs to nobody in particular"),
        "name": Field(("label", "name"), label),
        "phone_number": NO_PHONE,
        "street_1": "address",
        "street_2": NO_SECOND_LINE,
        "city": "city",
        "state": Field(("regionCode", "state"), region),
        "zip_code": "postcode",
        "country": Field("countryCode", country),
        "location_type": Field("id", lambda _: wrapper("work", "location")),
        "created_at": "createdAt",
        "updated_at": "updatedAt",
    },
)

HOME = Table(
    RESOURCE,
    {
        "id": Absent("Humaans keeps a home address as part of the person, with no id"),
        "remote_id": Absent("Humaans keeps a home address as part of the person, with no id"),
        "unified_custom_fields": NO_CUSTOM,
        "employee_id": Field("id", identifier("employee")),
        "remote_employee_id": "id",
        "name": Absent("a home address has no name"),
        "phone_number": NO_PHONE,
        "street_1": "address",
        "street_2": NO_SECOND_LINE,
        "city": "city",
        "state": "state",
        "zip_code": "postcode",
        "country": Field("countryCode", country),
        "location_type": Field("id", lambda _: wrapper("home", "address")),
        "created_at": Absent("Humaans does not date a home address"),
        "updated_at": Absent("Humaans does not date a home address"),
    },
)


def place_of_work(record: Row, matches: Sequence[Row], today: date) -> Row | None:  # noqa: ARG001 - a Pick
    """Returns the row of the location.

    `remote` has none: its place is read from the person's own row.
    """
    if record.get("locationId") == "remote":
        return {
            "city": record.get("remoteCity"),
            "regionCode": record.get("remoteRegionCode"),
            "countryCode": record.get("remoteCountryCode"),
        }
    return matches[0] if matches else None


PLACE_OF_WORK = Join(
    "location",
    (lists.LOCATIONS,),
    on="locationId",
    key="id",
    scope=PUBLIC,
    pick=place_of_work,
    lends={"city": "remoteCity", "regionCode": "remoteRegionCode", "countryCode": "remoteCountryCode"},
)
