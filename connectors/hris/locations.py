"""A place: where somebody works or lives."""

from connectors.contract import INSTANT, MAP, TEXT, Resource
from connectors.hris import enums

LOCATIONS = Resource(
    "locations",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "employee_id": TEXT,
        "remote_employee_id": TEXT,
        "name": TEXT,
        "phone_number": TEXT,
        "street_1": TEXT,
        "street_2": TEXT,
        "city": TEXT,
        "state": TEXT,
        "zip_code": TEXT,
        "country": enums.COUNTRY_CODE,
        "location_type": enums.LOCATION_TYPE,
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)
