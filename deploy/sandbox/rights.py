"""Who may see and change what: the scopes of the token, and the reach of the role of its person.

Scopes follow docs.humaans.io/api and what partners ask their customers to select. Roles follow the permission matrix of
the help centre as far as that states them. Both are tables here; resources elsewhere only name their area.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from deploy.sandbox.choices import Choices
from deploy.sandbox.tokens import Token

PUBLIC = "public:read"
PRIVATE = "private:read"
_PUBLIC_OR_PRIVATE = frozenset({PUBLIC, PRIVATE})
_PRIVATE = frozenset({PRIVATE})
_WRITE = frozenset({"private:write"})


class Area(Enum):
    """A group of resources with the same rights."""

    PEOPLE = "people"
    JOB_ROLES = "job roles"
    COMPANY = "company"
    PAY = "pay"
    PAY_SETUP = "pay setup"
    DOCUMENTS = "documents"
    DOCUMENT_SETUP = "document setup"
    PERSONAL = "personal"
    EQUIPMENT = "equipment"
    CUSTOM = "custom values"
    TIME_AWAY = "time away"
    SETUP = "private setup"
    OWN_TIME = "own time"
    """Records of a person's time that concern nobody else: timesheets, allowances, tasks."""
    WEBHOOKS = "webhooks"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """The scopes of an area. Any one of them opens it."""

    read: frozenset[str]
    write: frozenset[str]


_DOCUMENTS = ScopeRule(frozenset({"documents:read"}), frozenset({"documents:write"}))
_PAY = ScopeRule(frozenset({"compensations:read"}), frozenset({"compensations:write"}))
_WEBHOOKS = frozenset({"webhooks:manage"})

SCOPE_RULES: dict[Area, ScopeRule] = {
    Area.PEOPLE: ScopeRule(_PUBLIC_OR_PRIVATE, _WRITE),
    Area.JOB_ROLES: ScopeRule(_PUBLIC_OR_PRIVATE, _WRITE),
    Area.COMPANY: ScopeRule(_PUBLIC_OR_PRIVATE, _WRITE),
    Area.PAY: _PAY,
    Area.PAY_SETUP: _PAY,
    Area.DOCUMENTS: _DOCUMENTS,
    Area.DOCUMENT_SETUP: _DOCUMENTS,
    Area.PERSONAL: ScopeRule(_PRIVATE, _WRITE),
    Area.EQUIPMENT: ScopeRule(_PRIVATE, _WRITE),
    Area.CUSTOM: ScopeRule(_PRIVATE, _WRITE),
    Area.TIME_AWAY: ScopeRule(_PUBLIC_OR_PRIVATE, _WRITE),
    Area.SETUP: ScopeRule(_PRIVATE, _WRITE),
    Area.OWN_TIME: ScopeRule(_PRIVATE, _WRITE),
    Area.WEBHOOKS: ScopeRule(_WEBHOOKS, _WEBHOOKS),
    Area.ADMIN: ScopeRule(_PRIVATE, _WRITE),
}


class Reach(IntEnum):
    """Whose records a role can access. REPORTS includes the person's own."""

    NONE = 0
    SELF = 1
    REPORTS = 2
    ALL = 3


@dataclass(frozen=True, slots=True)
class RoleRule:
    """How far a role reaches in an area."""

    read: Reach
    write: Reach


_NONE, _SELF, _REPORTS, _ALL = Reach.NONE, Reach.SELF, Reach.REPORTS, Reach.ALL
_READ_ALL = RoleRule(_ALL, _NONE)
_FULL = RoleRule(_ALL, _ALL)
_OWN = RoleRule(_SELF, _SELF)
_OWN_READ = RoleRule(_SELF, _NONE)
_CLOSED = RoleRule(_NONE, _NONE)

# Set-up records belong to no person: everybody with the scope reads them, owner and admin write them.
_USER = {
    Area.PEOPLE: _OWN,
    Area.JOB_ROLES: _OWN_READ,
    Area.COMPANY: _READ_ALL,
    Area.PAY: _OWN_READ,
    Area.PAY_SETUP: _READ_ALL,
    Area.DOCUMENTS: _OWN_READ,
    Area.DOCUMENT_SETUP: _READ_ALL,
    Area.PERSONAL: _OWN,
    Area.EQUIPMENT: _OWN_READ,
    Area.CUSTOM: _OWN_READ,
    Area.TIME_AWAY: _OWN,
    Area.SETUP: _READ_ALL,
    Area.OWN_TIME: _OWN,
    Area.WEBHOOKS: _CLOSED,
    Area.ADMIN: _CLOSED,
}

ROLE_RULES: dict[str, dict[Area, RoleRule]] = {
    "owner": dict.fromkeys(Area, _FULL),
    # Everything but pay and documents, of which an admin sees only their own.
    "admin": dict.fromkeys(Area, _FULL)
    | {Area.PAY: _OWN_READ, Area.PAY_SETUP: _READ_ALL}
    | {Area.DOCUMENTS: _OWN_READ, Area.DOCUMENT_SETUP: _READ_ALL},
    # Views all, pay included; that finance writes nothing is a guess.
    "finance": dict.fromkeys(Area, _READ_ALL) | {Area.WEBHOOKS: _CLOSED, Area.ADMIN: _CLOSED},
    # Edits equipment, otherwise an ordinary user.
    "tech": _USER | {Area.EQUIPMENT: _FULL},
    # Sees and approves for their own reports; pay, bank and documents stay closed (a guess).
    "manager": _USER
    | {Area.PEOPLE: RoleRule(_REPORTS, _SELF), Area.JOB_ROLES: RoleRule(_REPORTS, _NONE)}
    | {Area.EQUIPMENT: RoleRule(_REPORTS, _NONE), Area.CUSTOM: RoleRule(_REPORTS, _NONE)}
    | {Area.TIME_AWAY: RoleRule(_REPORTS, _REPORTS), Area.OWN_TIME: RoleRule(_REPORTS, _REPORTS)},
    "user": _USER,
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """The one who asks: a token, its person, and that person's reports."""

    token: Token
    person_id: str
    reports: frozenset[str]

    @property
    def scopes(self) -> tuple[str, ...]:
        return self.token.scopes

    def may_open(self, area: Area, choices: Choices) -> bool:
        """May this token call the resource for reading at all?"""
        rule = SCOPE_RULES[area]
        wanted = rule.read
        if area is Area.JOB_ROLES and choices.job_roles_with_public_read == "forbidden":
            wanted = _PRIVATE
        return not wanted.isdisjoint(self.scopes) and self._role(area).read is not Reach.NONE

    def may_write(self, area: Area) -> bool:
        """May this token write anything there?"""
        return not SCOPE_RULES[area].write.isdisjoint(self.scopes) and self._role(area).write is not Reach.NONE

    def reads(self, area: Area, person_id: str | None) -> bool:
        """Does the role get at that person's records? (The scope is another question.)"""
        return self._covers(self._role(area).read, person_id)

    def writes(self, area: Area, person_id: str | None) -> bool:
        return self._covers(self._role(area).write, person_id)

    def manages(self, area: Area) -> bool:
        """May this role change what people may not change about themselves?"""
        return self._role(area).write is Reach.ALL

    def _role(self, area: Area) -> RoleRule:
        return ROLE_RULES[self.token.role][area]

    def _covers(self, reach: Reach, person_id: str | None) -> bool:
        if reach is Reach.ALL:
            return True
        if person_id == self.person_id:
            return reach is not Reach.NONE
        return reach is Reach.REPORTS and person_id in self.reports
