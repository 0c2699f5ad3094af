"""Custom fields of a person: the company's definitions joined with the values entered for them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from connectors.convert import identifier, text
from connectors.hris.parts import CUSTOM_FIELDS as RESOURCE
from connectors.humaans import lists
from connectors.humaans.scopes import PRIVATE
from connectors.spec import Embed, Field, Join, Row, Table


def _age(row: Row) -> tuple[str, str]:
    return text(row.get("updatedAt")) or "", str(row.get("id"))


def newest_values(person: Row, matches: Sequence[Row], today: date) -> Sequence[Row]:  # noqa: ARG001 - a Pick
    """Returns the values of a person: the newest one of each field.

    Values that belong to another record are left out.
    """
    own = [row for row in matches if row.get("resourceId") in (None, person.get("id"))]
    # A missing time sorts first. A value without a field is left out.
    by_field = {text(row.get("customFieldId")): row for row in sorted(own, key=_age)}
    by_field.pop(None, None)
    return list(by_field.values())


def definition_name(definition: Any) -> str | None:
    """Returns the name in a definition, or None."""
    return text(definition.get("name")) if isinstance(definition, dict) else None


CUSTOM_VALUES = Join(
    "custom_values",
    (lists.CUSTOM_VALUES,),
    on="id",
    key="personId",
    scope=PRIVATE,
    pick=newest_values,
    narrow=lists.CUSTOM_VALUES_OF_ONE,
    embed=Embed("customField", lists.CUSTOM_FIELDS, on="customFieldId", key="id", reads=("name",)),
)

CUSTOM_FIELD = Table(
    RESOURCE,
    {
        "id": Field("customFieldId", identifier("custom_field")),
        "remote_id": "customFieldId",
        "name": Field("customField", definition_name),
        "value": "value",
        "value_id": Field("id", identifier("custom_value")),
        "remote_value_id": "id",
    },
)
