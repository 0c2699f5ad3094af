"""Papers that allow somebody to work."""

from connectors.contract import INSTANT, TEXT, Resource
from connectors.hris import enums
from connectors.hris.parts import FILE

WORK_ELIGIBILITY = Resource(
    "work_eligibility",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "type": enums.WORK_ELIGIBILITY_TYPE,
        "sub_type": TEXT,
        "document": FILE,
        "valid_from": INSTANT,
        "valid_to": INSTANT,
        "issued_by": enums.COUNTRY_CODE,
        "number": TEXT,
    },
)
