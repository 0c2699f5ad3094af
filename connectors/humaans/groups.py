"""Groups of people. Humaans knows teams and departments by name only, so their ids are made from the names."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors.contract import Resource, Words
from connectors.convert import UNREADABLE, identifier, is_there, lost, same_words, text, wrapper
from connectors.hris import enums
from connectors.hris.groups import DEPARTMENTS, GROUPS, TEAMS
from connectors.humaans.lists import age
from connectors.spec import Absent, Field, Row, Table

department_id = identifier("department")
company_id = identifier("company")


def group(kind: str, name: str, company: Any) -> dict[str, Any]:
    """Returns a group of the contract. It has no `remote_id`, since Humaans gives it no id."""
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
    """Returns the department with this name as a group, or None."""
    found = text(name)
    return group("department", found, company) if found else None


def groups_of(teams: Any, department: Any, company: Any) -> Any:
    """Returns the groups of a person: their teams (`[{"name": …}]`) and the department of their role, if any."""
    if _lost(teams) or lost(department) or lost(company):
        return UNREADABLE
    names = [text(team.get("name")) for team in teams if isinstance(team, dict)] if isinstance(teams, list) else []
    found = [group("team", name, company) for name in names if name]
    in_department = department_group(department, company)
    return ([*found, in_department] if in_department else found) or None


def _lost(teams: Any) -> bool:
    """Returns whether there is a team that cannot be read."""
    if not isinstance(teams, list):
        return is_there(teams)
    return any(not isinstance(team, dict) or lost(team.get("name")) for team in teams)


def _teams(person: Row) -> Iterator[Row]:
    teams = person.get("teams")
    yield from (team for team in teams if isinstance(team, dict)) if isinstance(teams, list) else ()


NAMES_ONLY = Absent("Humaans knows teams and departments by name only")
NO_TREE = Absent("Humaans keeps teams and departments in no order")


def _table(resource: Resource, kind: Words) -> Table:
    """Returns the table of one kind of group. Its rows are made by `teams_of` and `departments_of`."""
    return Table(
        resource,
        {
            "id": "id",
            "remote_id": NAMES_ONLY,
            "unified_custom_fields": Absent("no custom unified fields are configured for this project"),
            "name": "name",
            "parent_ids": NO_TREE,
            "remote_parent_ids": NO_TREE,
            "owner_ids": Absent("Humaans keeps no owner of a team or department"),
            "remote_owner_ids": Absent("Humaans keeps no owner of a team or department"),
            "company_id": Field("companyId", company_id),
            "remote_company_id": "companyId",
            "type": Field("kind", same_words(kind)),
        },
    )


GROUP = _table(GROUPS, enums.GROUP_TYPE)
TEAM = _table(TEAMS, enums.TEAM_TYPE)
DEPARTMENT = _table(DEPARTMENTS, enums.DEPARTMENT_TYPE)


def teams_of(lists: Sequence[Sequence[Row]]) -> list[Row]:
    """Returns each team that a person is in. `lists` has the people."""
    people = lists[0]
    company = next((person.get("companyId") for person in people), None)
    return _rows("team", (team.get("name") for person in people for team in _teams(person)), company)


def departments_of(lists: Sequence[Sequence[Row]]) -> list[Row]:
    """Returns each department that a person works in today.

    `lists` has the people, for the company, and today's roles.
    """
    people, roles = lists
    company = next((person.get("companyId") for person in people), None)
    # Earlier roles may have no end in Humaans, so only the newest role of a person counts.
    owned = [(role.get("personId"), role) for role in sorted(roles, key=age)]
    newest = {owner if isinstance(owner, str) else number: role for number, (owner, role) in enumerate(owned)}
    return _rows("department", (role.get("department") for role in newest.values()), company)


def all_groups(lists: Sequence[Sequence[Row]]) -> list[Row]:
    """Returns all teams and departments."""
    return [*teams_of(lists), *departments_of(lists)]


def _rows(kind: str, names: Iterable[Any], company: Any) -> list[Row]:
    found = sorted({name for name in map(text, names) if name})
    return [{"id": identifier(kind)(name), "name": name, "kind": kind, "companyId": company} for name in found]
