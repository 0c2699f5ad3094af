"""The vocabulary of a connector's declaration.

A connector consists of tables of frozen values: our name on the left, the vendor's on the right. A faulty declaration
raises `FaultyDeclaration` when it is made, which names all its faults. There is no I/O here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, TypeAlias

from connectors.changes import Changes
from connectors.contract import ListOf, Operation, Resource, Spec
from connectors.convert import default
from connectors.needs import ANY_TOKEN, FaultyDeclaration, Need

Row: TypeAlias = Mapping[str, Any]
"""A vendor's record, as decoded from its JSON. Its values may be of any type."""


# --- reading --------------------------------------------------------------------------------------------------

TODAY = "{today}"
"""In a query: the date of the call in UTC, as YYYY-MM-DD. As a field's source: that date, as a `date`."""

OWN_KEY = "{key}"
"""Placeholder in a query or path: the key of the one record asked for."""


Sift: TypeAlias = Callable[[Row, str, date], bool]
"""Returns whether a row belongs to a narrowed list. Called with the row, the key of the one record, and the day."""


def owned_by(column: str) -> Sift:
    """Returns the filter of lists that are about one record, whose id each row has in a column."""
    return lambda row, own_key, today: row.get(column) == own_key  # noqa: ARG005 - a Sift


def any_row(row: Row, own_key: str, today: date) -> bool:  # noqa: ARG001 - a Sift
    """Accepts every row of a narrowed list whose rows are filtered later."""
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """A vendor list that is fetched whole. `resource` names the section of `config/` that sets its freshness.

    A parameter with several values is sent several times. `whole` is the list to ask for where the vendor refuses this
    query, and `sift` decides which rows of that belong to this list. `sift` is applied to every answer, since a vendor
    may also ignore what it does not know. A list with a query names both, unless its query leaves nothing out. A
    `single` list is the one record at a path with its key, or none. `changes` is how to ask for what has changed in it.

    A list whose query has `TODAY` may name the lists of a day whose rows hold all of its rows on any later day, with
    itself: those that are `carried` over. With none but itself it is an empty tuple.
    """

    path: str
    resource: str
    query: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    _: KW_ONLY
    whole: "Collection | None" = None
    sift: Sift | None = None
    single: bool = False
    changes: Changes | None = None
    carried: "tuple[Collection, ...] | None" = None

    @property
    def of_day(self) -> bool:
        """Returns whether its query asks for a day."""
        return any(value == TODAY for _, value in self.pairs())

    @property
    def narrows(self) -> bool:
        """Returns whether rows are left out by their content, which may change."""
        return self.sift is not None

    def pairs(self) -> list[tuple[str, str]]:
        """Returns the query as pairs of name and value."""
        return [
            (name, each)
            for name, value in self.query.items()
            for each in (value if isinstance(value, tuple) else (value,))
        ]

    def label(self) -> str:
        """Returns the list as the rules table shows it, without paging."""
        query = "&".join(f"{name}={value}" for name, value in self.pairs())
        return f"GET {self.path}" + (f"?{query}" if query else "")


Pick: TypeAlias = Callable[[Row, Sequence[Row], date], Any]
"""Chooses from the rows that match a record on a day: returns one row, several, or None. It never guesses.

Of the day it may only ask where it lies beside the dates in columns of these rows, and the days before and after those.
So what it chooses stays the same until a day that stands in the rows. The same holds for converters that take `TODAY`.
"""


def only_match(record: Row, matches: Sequence[Row], today: date) -> Row | None:  # noqa: ARG001 - a Pick
    """Returns the first match, or None."""
    return matches[0] if matches else None


def all_matches(record: Row, matches: Sequence[Row], today: date) -> Sequence[Row]:  # noqa: ARG001 - a Pick
    """Returns all matches."""
    return matches


@dataclass(frozen=True, slots=True)
class Embed:
    """Puts into each joined row, as `column`, the row of a short list whose `key` equals the joined row's `on`.

    `reads` names the columns of that row that are used.
    """

    column: str
    collection: Collection
    _: KW_ONLY
    on: str
    key: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Further:
    """The whole list of which the short lists of a join are parts. It is read where a record may need more than those.

    For a record that does not want it (`wanted`), the short lists must give the same result as the whole one.
    """

    collection: Collection
    wanted: Callable[[Row, Sequence[Row], date], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """Rows of other lists that belong to a record: those whose `key` equals the record's `on`.

    A `key` of None joins every row to every record. `narrow` is the list to ask for when only one record is wanted;
    without it the whole list is read, which suits short lists. A record must get the same result from `collections`,
    `further` and `narrow`: `pick` gets the rows in any order. `lends` names the columns that `pick` copies into the
    joined rows from the record itself, each with its name there.
    """

    name: str
    collections: tuple[Collection, ...]
    _: KW_ONLY
    on: str
    key: str | None
    scope: Need
    pick: Pick = only_match
    narrow: Collection | None = None
    embed: Embed | None = None
    lends: Mapping[str, str] = field(default_factory=dict)
    further: Further | None = None

    def all_collections(self) -> tuple[Collection, ...]:
        """Returns every list that the join may be read from."""
        embedded = self.embed.collection if self.embed else None
        further = self.further.collection if self.further else None
        return (*self.collections, *(each for each in (self.narrow, embedded, further) if each is not None))

    def __getitem__(self, column: str) -> "Ref":
        return Ref(self, column)

    @property
    def whole(self) -> "Ref":
        """Returns a reference to all that the join picks."""
        return Ref(self, None)


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of a joined row. Without a column, all that the join picks."""

    join: Join
    column: str | None


Source: TypeAlias = str | Ref


@dataclass(frozen=True, slots=True)
class Field:
    """A unified field made from one or more vendor columns by a converter; `scope` is what its columns need."""

    source: Source | tuple[Source, ...]
    convert: Callable[..., Any] | None = None
    _: KW_ONLY
    scope: Need = ANY_TOKEN

    @property
    def sources(self) -> tuple[Source, ...]:
        """Returns the sources as a tuple."""
        return self.source if isinstance(self.source, tuple) else (self.source,)


@dataclass(frozen=True, slots=True)
class Nested:
    """A unified object with a table of its own.

    It is read from a joined row (or rows: `many`), or without `source` from the record itself.
    """

    table: "Table"
    _: KW_ONLY
    source: Ref | None = None
    many: bool = False
    scope: Need = ANY_TOKEN


@dataclass(frozen=True, slots=True)
class Absent:
    """The vendor has nothing for this field; the reason is shown to callers who ask why it is null."""

    reason: str


Rule: TypeAlias = Field | Nested | Absent


@dataclass(frozen=True, slots=True)
class Table:
    """How the records of one vendor list become one unified resource. Every field of the resource has its row."""

    resource: Resource
    rows: Mapping[str, Rule]

    def __init__(self, resource: Resource, rows: Mapping[str, "Rule | Source"]) -> None:
        object.__setattr__(self, "resource", resource)
        rules = {name: Field(row) if isinstance(row, str | Ref) else row for name, row in rows.items()}
        ordered = {name: rules[name] for name in resource.fields if name in rules}
        object.__setattr__(self, "rows", MappingProxyType(ordered))
        faults = [f"- {name}: no row; write ABSENT with its reason" for name in resource.fields if name not in rules]
        faults += [f"- {name}: the contract has no such field" for name in rules if name not in resource.fields]
        faults += [
            f"- {name}: {fault}" for name, rule in ordered.items() for fault in _misfits(rule, resource.fields[name])
        ]
        if faults:
            raise FaultyDeclaration(f"table {resource.name}", faults)


def _misfits(rule: Rule, spec: Spec) -> list[str]:
    """Returns what is wrong between a row and the type that the contract has there."""
    if isinstance(rule, Absent):
        return [] if rule.reason.strip() else ["an absent field needs a reason"]
    if isinstance(rule, Nested):
        wanted = spec.type.item if isinstance(spec.type, ListOf) else spec.type
        fits = wanted is rule.table.resource and isinstance(spec.type, ListOf) == rule.many
        return [] if fits else ["the nested table is of another type than the field"]
    if rule.convert is None and (len(rule.sources) != 1 or default(spec.type) is None):
        return ["a field of this type, or made from several columns, must name its converter"]
    return []


@dataclass(frozen=True, slots=True)
class Derived:
    """A list that the vendor does not have, computed from the rows of lists that it has."""

    collections: tuple[Collection, ...]
    derive: Callable[[Sequence[Sequence[Row]]], list[Row]]


@dataclass(frozen=True, slots=True)
class OfEmployee:
    """The records of one employee: the list to ask for, and the column with the employee's id.

    Without `owner` the records are the same for all employees, and only the employee has to exist.
    """

    listing: Collection
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Columns that a record does not have by itself: `complete` adds them from what the joins have picked for it.

    `fields` are the unified fields that depend on them. If none of these is wanted, nothing is joined.
    """

    joins: tuple[Join, ...]
    complete: Callable[[Row, Sequence[Any]], Row]
    fields: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Which vendor calls answer the reads of one unified resource, and which scopes they need.

    `kind` is the word in its unified ids; without one the ids in its rows are unified already. Without a `record` path
    a single record is found in the list; without a `listing` there are only the lists of single employees. `only`
    decides which rows of the list are records of this kind. `filters` are those that the vendor applies itself, from
    unified name to vendor parameter; the gateway checks their results again, and applies all other filters alone.
    """

    table: Table
    listing: Collection | Derived | None
    record: str | None
    scope: Need
    kind: str
    key: str = "id"
    of_employee: OfEmployee | None = None
    only: Callable[[Row], bool] | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    completion: Completion | None = None

    def collections(self) -> tuple[Collection, ...]:
        """Returns every list that its records may be read from."""
        whole = self.listing.collections if isinstance(self.listing, Derived) else (self.listing,)
        of_one = self.of_employee.listing if self.of_employee else None
        return tuple(each for each in (*whole, of_one) if each is not None)

    @property
    def of_day(self) -> bool:
        """Returns whether its records are those of a day."""
        return any(each.of_day for each in self.collections())

    def answers(self, operation: Operation) -> bool:
        """Returns whether this endpoint answers an operation."""
        if self.table.resource.name != operation.resource or not operation.reads:
            return False
        if operation.of_employee:
            return self.of_employee is not None
        return self.listing is not None or (operation.kind == "get" and self.record is not None)


def joins_of(rule: Field | Nested) -> list[Join]:
    """Returns the joins that a row reads itself, without those of a nested table."""
    sources = rule.sources if isinstance(rule, Field) else (rule.source,)
    return [source.join for source in sources if isinstance(source, Ref)]
