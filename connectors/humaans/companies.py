"""Companies. Humaans has exactly one for a token, which stands for the legal entity."""

from connectors.convert import identifier
from connectors.hris.companies import COMPANIES as RESOURCE
from connectors.humaans import lists
from connectors.humaans.scopes import PUBLIC
from connectors.spec import Absent, Field, Join, Table

COMPANY = Table(
    RESOURCE,
    {
        "id": Field("id", identifier("company")),
        "remote_id": "id",
        "unified_custom_fields": Absent("no custom unified fields are configured for this project"),
        "name": "name",
        "full_name": Absent("Humaans keeps one name for a company, not its full legal name"),
        "display_name": "name",
        "created_at": "createdAt",
        "updated_at": "updatedAt",
    },
)

OWN_COMPANY = Join("company", (lists.COMPANIES,), on="companyId", key="id", scope=PUBLIC)
