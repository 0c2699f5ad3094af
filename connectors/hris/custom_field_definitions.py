"""The fields that a company has added for itself."""

from connectors.contract import ANY, TEXT, ListOf, Resource
from connectors.hris import enums

CUSTOM_FIELD_OPTION = Resource("custom_field_option", {"id": TEXT, "value": ANY})


CUSTOM_FIELD_DEFINITIONS = Resource(
    "custom_field_definitions",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "name": TEXT,
        "description": TEXT,
        "type": enums.CUSTOM_FIELD_TYPE,
        "options": ListOf(CUSTOM_FIELD_OPTION),
    },
)
