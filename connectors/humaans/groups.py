"""Groups of people. Humaans knows teams and departments by name only, so their ids are made from the names."""

from typing import Any

from connectors.convert import identifier, text, wrapper

department_id = identifier("department")
team_id = identifier("team")
company_id = identifier("company")


def group(kind: str, name: str, company: Any) -> dict[str, Any]:
    """Make a group of the contract. It has no `remote_id`, since Humaans gives it no id."""
    return {
        "id": identifier(kind)(name),
        "remote_id": None,
        "unified_custom_fields": None,
        "name": name,
        "parent_ids": None,
        "remote_parent_ids": None,
        "owner_ids": None,
        "remote_owner_ids": None,
        "company_id": company_id(company),
        "remote_company_id": text(company),
        "type": wrapper(kind, kind),
    }


def department_group(name: Any, company: Any = None) -> dict[str, Any] | None:
    found = text(name)
    return group("department", found, company) if found else None


def groups_of(teams: Any, department: Any, company: Any) -> list[dict[str, Any]] | None:
    """Give the groups of a person from their teams (`[{"name": …}]`) and the department of their role."""
    names = [text(team.get("name")) for team in teams if isinstance(team, dict)] if isinstance(teams, list) else []
    found = [group("team", name, company) for name in names if name]
    in_department = department_group(department, company)
    return ([*found, in_department] if in_department else found) or None
