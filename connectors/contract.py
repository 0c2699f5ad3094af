"""The vocabulary of the unified contract: value types, resources and operations, as values.

The contract in `connectors.hris` is written with it, and the connectors' tables are checked against it.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from types import MappingProxyType
from typing import Literal, TypeAlias


class Plain(Enum):
    """Types with no parts of their own. Every value may also be null."""

    TEXT = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "RFC 3339 date-time with a zone"
    DURATION = "ISO 8601 duration"
    MAP = "object of any keys"
    ANY = "any JSON value"
    # In bodies of requests only.
    BOOLISH = "boolean, or the words true and false"
    LOCAL = "date, or date-time of which only the date counts"


TEXT, NUMBER, BOOLEAN, INSTANT, DURATION, MAP, ANY, BOOLISH, LOCAL = Plain


# Types of bodies of requests only, down to `Unsupported`.


@dataclass(frozen=True, slots=True)
class Text:
    """Printable characters on one line. Spaces at both ends are removed and do not count."""

    max_length: int
    min_length: int = 1


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number in a range, both ends included."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """One text of a list."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with keys of the caller's choice. A null item deletes its key."""

    item: Text
    max_items: int


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A field of StackOne's API that has no meaning here.

    Only an empty value is accepted; for any other, `reason` is the error.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Words:
    """An enum, sent as `{"value": word, "source_value": the vendor's value}`. Without listed words any is allowed."""

    name: str
    words: frozenset[str]


UNMAPPED = "unmapped_value"
"""The word for a vendor value that has no counterpart in the contract."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. The numbers of items limit what a request may send."""

    item: "Type"
    max_items: int = 100
    min_items: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """An object of the contract: its fields by name, in the order in which they are sent."""

    name: str
    fields: Mapping[str, "Spec"]

    def __init__(self, name: str, fields: "Mapping[str, Spec | Type]") -> None:
        specs = {key: value if isinstance(value, Spec) else Spec(value) for key, value in fields.items()}
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fields", MappingProxyType(specs))


Type: TypeAlias = Plain | Words | ListOf | Resource | Text | Integer | OneOf | MapOf | Unsupported


class Given(Enum):
    """When a field is part of an answer."""

    ALWAYS = "always"
    EXPAND = "when named in `expand`"
    INCLUDE = "when named in `include`"
    ASKED = "when named in `fields`"


@dataclass(frozen=True, slots=True)
class Spec:
    """A field: its type, when it is part of an answer, and the client scope that it needs besides the operation's.

    The rest is for the bodies of requests: whether the field is required, whether it may be null, the default for a
    missing value, and a sentence for the documentation.
    """

    type: Type
    _: KW_ONLY
    given: Given = Given.ALWAYS
    scope: str | None = None
    required: bool = False
    nullable: bool = True
    default: object = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that one of the fields must meet.

    Text (or an enum's word) `equals` the given one or is `any of` several; an instant is strictly `after`, not before
    (`from`) or not later (`to`), and so is a day.
    """

    fields: tuple[str, ...]
    test: Literal["equals", "any of", "after", "from", "to", "from day", "to day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method and path of the contract. `scope` is what a client key needs.

    `body` is the resource that a request sends, `status` the status of a success, and `result` the name of the
    contract's response to a write.
    """

    id: str
    method: str
    path: str
    resource: str
    kind: str
    scope: str
    filters: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    body: Resource | None = None
    status: int = 200
    result: str = ""

    @property
    def reads(self) -> bool:
        """Returns whether the operation is a read."""
        return self.kind in {"list", "get"}

    @property
    def of_employee(self) -> bool:
        """Returns whether the path names one employee, whose records the operation is about."""
        return "/employees/{id}/" in self.path
