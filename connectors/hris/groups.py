"""Groups of people: teams, departments, divisions, cost centres."""

from connectors.contract import MAP, NUMBER, TEXT, ListOf, Resource
from connectors.hris import enums

GROUPS = Resource(
    "groups",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "name": TEXT,
        "parent_ids": ListOf(TEXT),
        "remote_parent_ids": ListOf(TEXT),
        "owner_ids": ListOf(TEXT),
        "remote_owner_ids": ListOf(TEXT),
        "company_id": TEXT,
        "remote_company_id": TEXT,
        "type": enums.GROUP_TYPE,
    },
)


DEPARTMENTS = Resource(
    "departments",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "name": TEXT,
        "parent_ids": ListOf(TEXT),
        "remote_parent_ids": ListOf(TEXT),
        "owner_ids": ListOf(TEXT),
        "remote_owner_ids": ListOf(TEXT),
        "company_id": TEXT,
        "remote_company_id": TEXT,
        "type": enums.DEPARTMENT_TYPE,
    },
)


TEAMS = Resource(
    "teams",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "name": TEXT,
        "parent_ids": ListOf(TEXT),
        "remote_parent_ids": ListOf(TEXT),
        "owner_ids": ListOf(TEXT),
        "remote_owner_ids": ListOf(TEXT),
        "company_id": TEXT,
        "remote_company_id": TEXT,
        "type": enums.TEAM_TYPE,
    },
)


DIVISIONS = Resource(
    "divisions",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "name": TEXT,
        "parent_ids": ListOf(TEXT),
        "remote_parent_ids": ListOf(TEXT),
        "owner_ids": ListOf(TEXT),
        "remote_owner_ids": ListOf(TEXT),
        "company_id": TEXT,
        "remote_company_id": TEXT,
        "type": enums.DIVISION_TYPE,
    },
)


COST_CENTERS = Resource(
    "cost_centers",
    {
        "id": TEXT,
        "remote_id": TEXT,
        "unified_custom_fields": MAP,
        "name": TEXT,
        "parent_ids": ListOf(TEXT),
        "remote_parent_ids": ListOf(TEXT),
        "owner_ids": ListOf(TEXT),
        "remote_owner_ids": ListOf(TEXT),
        "company_id": TEXT,
        "remote_company_id": TEXT,
        "distribution_percentage": NUMBER,
        "type": enums.GROUP_TYPE,
    },
)


COST_CENTER_SHARES = Resource(
    "cost_center_shares", {"id": TEXT, "remote_id": TEXT, "name": TEXT, "distribution_percentage": NUMBER}
)
