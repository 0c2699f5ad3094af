"""What an employer gives besides pay."""

from connectors.contract import INSTANT, TEXT, Resource
from connectors.hris import enums

BENEFITS = Resource(
    "benefits",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "name": TEXT,
        "benefit_type": enums.BENEFITS_TYPE,
        "provider": TEXT,
        "description": TEXT,
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)
