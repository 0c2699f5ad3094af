"""A company, or legal entity, that employs people."""

from connectors.contract import INSTANT, MAP, TEXT, Resource

COMPANIES = Resource(
    "companies",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "name": TEXT,
        "full_name": TEXT,
        "display_name": TEXT,
        "created_at": INSTANT,
        "updated_at": INSTANT,
    },
)
