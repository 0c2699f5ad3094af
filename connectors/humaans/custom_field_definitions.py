"""Definitions of custom fields: what a company has added for itself."""

from typing import Any

from connectors.convert import identifier, words
from connectors.hris import enums
from connectors.hris.custom_field_definitions import CUSTOM_FIELD_DEFINITIONS as RESOURCE
from connectors.spec import Absent, Field, Table

# The kinds that the help centre lists, in the spelling of the one published example and its like.
KINDS = {
    "text": "text",
    "longText": "text",
    "select": "single_select",
    "multiSelect": "multi_select",
    "link": "url",
    "date": "date",
    "person": "other",
}


def options(config: Any) -> list[dict[str, Any]] | None:
    """Returns the choices of a select. Each choice is its own id."""
    choices = config.get("choices") if isinstance(config, dict) else None
    if not isinstance(choices, list):
        return None
    return [{"id": choice, "value": choice} for choice in choices if isinstance(choice, str)] or None


DEFINITION = Table(
    RESOURCE,
    {
        "id": Field("id", identifier("custom_field")),
        "remote_id": "id",
        "name": "name",
        "description": Absent("Humaans keeps no description of a custom field"),
        "type": Field("type", words(enums.CUSTOM_FIELD_TYPE, KINDS)),
        "options": Field("config", options),
    },
)
