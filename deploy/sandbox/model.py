"""The definition of a resource: a path, methods, an area of rights, and one row for each field. No HTTP and no data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from deploy.sandbox.rights import Area

JsonObject = dict[str, Any]


class Kind(Enum):
    """The form of a value in JSON."""

    ID = "an id"
    TEXT = "a text"
    DATE = "a date, YYYY-MM-DD"
    STAMP = "a timestamp"
    TIME = "a time, HH:MM or HH:MM:SS"
    BOOL = "true or false"
    NUMBER = "a number"
    MONEY = "a decimal number as text"
    TEXTS = "a list of texts"
    OBJECT = "an object"
    OBJECTS = "a list of objects"
    TEXT_OR_TEXTS = "a text or a list of texts"


class Use(Enum):
    """Who writes a field, and when."""

    REQUIRED = "must be there on create"
    OPTIONAL = "may be written"
    COMPUTED = "written by the server alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a resource."""

    name: str
    kind: Kind
    use: Use = Use.OPTIONAL
    private: bool = False
    """Needs `private:read` and a role that reaches the person."""
    guarded: bool = False
    """Only a role that reaches everybody may write it."""
    hidden: bool = False
    """Can be filtered on, is never in a row."""
    values: tuple[str, ...] = ()
    refers: str | None = None
    """Path of the resource whose id it holds."""


ALL_METHODS = frozenset({"list", "create", "read", "update", "delete"})
LIST_ONLY = frozenset({"list"})
LIST_AND_READ = frozenset({"list", "read"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource of the API."""

    path: str
    area: Area
    fields: tuple[Field, ...]
    methods: frozenset[str] = ALL_METHODS
    effective: bool = False
    """Rows have `effectiveDate` and `endDate`, and the list knows `$asOf`."""
    by_name: Mapping[str, Field] = field(init=False, repr=False)
    private: frozenset[str] = field(init=False, repr=False)
    hidden: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        names = [each.name for each in self.fields]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"{self.path}: declared twice: {', '.join(sorted(twice))}")
        object.__setattr__(self, "by_name", {each.name: each for each in self.fields})
        object.__setattr__(self, "private", frozenset(each.name for each in self.fields if each.private))
        object.__setattr__(self, "hidden", frozenset(each.name for each in self.fields if each.hidden))

    @property
    def about_people(self) -> bool:
        """Returns whether each row belongs to a person."""
        return "personId" in self.by_name


COMMON = (
    Field(name="id", kind=Kind.ID, use=Use.COMPUTED),
    Field(name="createdAt", kind=Kind.STAMP, use=Use.COMPUTED),
    Field(name="updatedAt", kind=Kind.STAMP, use=Use.COMPUTED),
)
COMPANY_ID = Field(name="companyId", kind=Kind.ID, use=Use.COMPUTED)
PERSON_ID = Field(name="personId", kind=Kind.ID, use=Use.REQUIRED, refers="people")


def required(name: str, kind: Kind = Kind.TEXT, refers: str | None = None) -> Field:
    """Returns a field that must be given on create."""
    return Field(name=name, kind=kind, use=Use.REQUIRED, refers=refers)


def optional(name: str, kind: Kind = Kind.TEXT, refers: str | None = None) -> Field:
    """Returns a field that may be written."""
    return Field(name=name, kind=kind, refers=refers)


def computed(name: str, kind: Kind = Kind.TEXT) -> Field:
    """Returns a field that only the server writes."""
    return Field(name=name, kind=kind, use=Use.COMPUTED)


def one_of(name: str, *values: str, use: Use = Use.OPTIONAL, guarded: bool = False) -> Field:
    """Returns a field with a fixed set of values."""
    return Field(name=name, kind=Kind.TEXT, use=use, values=values, guarded=guarded)
