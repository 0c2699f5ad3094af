"""The vocabulary of writes: where each field of a body goes, what scopes that needs, and the steps that it takes.

A write is a table, our field on the left and the vendor's column on the right, and a flow: a generator without I/O that
yields the vendor calls one by one and is sent the results. A field that the vendor cannot store is declared with the
reason. A field that is missing from the table is an error when the table is made.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, TypeAlias

from connectors import ids
from connectors.contract import MAP, UNMAPPED, Operation, Resource
from connectors.exchange import Request
from connectors.needs import FaultyDeclaration, Need

PASSTHROUGH = "passthrough"
"""The field of a body that holds columns of the vendor's own, for the main part."""


class Unfit(ValueError):
    """A value that the vendor cannot store. The text says why, without repeating the value."""


class WrongValues(Exception):
    """Raised by a flow that finds, before it writes, that the body cannot be carried out. One line for each fault."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Missing(Exception):
    """Raised by a flow for a record that does not exist, or does not belong to the employee in the path."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


# --- the table ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A vendor record that a write may touch: the scopes, all of which are needed then, and the calls that it takes."""

    name: str
    needs: tuple[Need, ...]
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class To:
    """The column of a part that a field is written to.

    `convert` raises `Unfit`. `empties` says that null is accepted.
    """

    part: str
    column: str
    convert: Callable[[Any], Any] | None = None
    _: KW_ONLY
    empties: bool = True


@dataclass(frozen=True, slots=True)
class Unwritable:
    """A field that the vendor cannot store. Callers who send it get the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Within:
    """An object whose fields have rows of their own."""

    rows: Mapping[str, "Rule"]


Rule: TypeAlias = To | Unwritable | Within


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a flow is to do.

    `employee` and `key` are the vendor's ids of the records in the path; `parts` are the columns to write, by part.
    """

    employee: str
    key: str
    parts: Mapping[str, Mapping[str, Any]]
    today: date

    def of(self, part: str) -> dict[str, Any]:
        """Returns the columns of a part, as a copy."""
        return dict(self.parts.get(part, {}))


@dataclass(frozen=True, slots=True)
class Step:
    """One vendor call. `does` describes it for people, such as "create the person".

    `missing` names what does not exist where the vendor answers 404, or blames the column `owner`. `gone_is_done` says
    that a 404 is a success.
    """

    request: Request
    does: str
    _: KW_ONLY
    missing: str = ""
    owner: str = ""
    gone_is_done: bool = False

    @property
    def writes(self) -> bool:
        """Returns whether the step changes something at the vendor."""
        return self.request.method != "GET"


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of a step: the decoded body, or None without one. `ok` is False where the step failed."""

    body: Any = None
    ok: bool = True

    @property
    def record(self) -> dict[str, Any]:
        """Returns the body if it is an object, else an empty one."""
        return self.body if isinstance(self.body, dict) else {}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Returns the rows of a list; none where the body is not a list."""
        data = self.record.get("data")
        return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []

    @property
    def id(self) -> str:
        """Returns the id of the record; empty where there is none."""
        found = self.record.get("id")
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Written:
    """The vendor's id of the record that was written; empty where the vendor's answer has none."""

    remote_id: str


Flow: TypeAlias = Generator[Step, Reply, Written]
Reading: TypeAlias = Generator[Step, Reply, Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """How one operation is written. `kind` is the word in the unified ids of its records.

    `main` is the part that `passthrough` belongs to. `always` is needed whatever is given. Each line of `required` has
    a name for the fault, and columns (`part.column`) of which one must be given. `fixed` columns can never be set by
    `passthrough`.
    """

    operation: str
    body: Resource | None
    kind: str
    parts: tuple[Part, ...]
    flow: Callable[[Order], Flow]
    fields: Mapping[str, Rule] = field(default_factory=dict)
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset({"id"})
    always: tuple[Need, ...] = ()

    def __post_init__(self) -> None:
        faults = list(_undecided(self.body, self.fields, "")) if self.body else []
        names = {part.name for part in self.parts}
        columns = {f"{to.part}.{to.column}" for _, to in self.targets()}
        faults += [f"- {path}: there is no part {to.part}" for path, to in self.targets() if to.part not in names]
        for what, alternatives in self.required.items():
            faults += [f"- {what}: nothing is written to {each}" for each in alternatives if each not in columns]
        if faults:
            raise FaultyDeclaration(f"write {self.operation}", faults)

    @property
    def main(self) -> Part:
        """Returns the part that `passthrough` belongs to."""
        return self.parts[0]

    @property
    def partial(self) -> bool:
        """Returns whether an existing record is changed.

        Then null empties a field, and only the scopes of the parts that are touched are needed.
        """
        return self.operation.startswith("update_")

    def part(self, name: str) -> Part:
        """Returns a part by its name."""
        return next(part for part in self.parts if part.name == name)

    def targets(self) -> list[tuple[str, To]]:
        """Returns every field that is written, by its path, with its target."""
        return list(_targets(self.fields, ""))

    def needs(self) -> list[tuple[str, Need]]:
        """Returns every place of the table that needs a vendor scope, with that need."""
        found = [(self.operation, need) for need in self.always]
        return found + [(f"{self.operation}.{part.name}", need) for part in self.parts for need in part.needs]

    def needs_of(self, touched: Iterable[str]) -> list[Need]:
        """Returns the needs that must all be met to write these parts.

        The creation of a record always writes the main part.
        """
        parts = {*touched} if self.partial else {*touched, self.main.name}
        found = [*self.always, *(need for part in self.parts if part.name in parts for need in part.needs)]
        return list(dict.fromkeys(found)) or list(self.main.needs)

    def answers(self, operation: Operation) -> bool:
        """Returns whether this is the write of an operation."""
        return self.operation == operation.id


def _undecided(resource: Resource, rows: Mapping[str, Rule], prefix: str) -> Iterator[str]:
    """Yields what is wrong between the rows of a write and the fields of its body."""
    for name in rows.keys() - resource.fields.keys():
        yield f"- {prefix}{name}: the contract has no such field"
    for name, spec in resource.fields.items():
        rule = rows.get(name)
        if rule is None:
            if prefix or name != PASSTHROUGH or spec.type is not MAP:
                yield f"- {prefix}{name}: no row; write Unwritable with its reason"
        elif isinstance(rule, Unwritable) and not rule.reason.strip():
            yield f"- {prefix}{name}: what cannot be written needs a reason"
        elif isinstance(rule, Within):
            if isinstance(spec.type, Resource):
                yield from _undecided(spec.type, rule.rows, f"{prefix}{name}.")
            else:
                yield f"- {prefix}{name}: only an object has fields of its own"


def _targets(rows: Mapping[str, Rule], prefix: str) -> Iterator[tuple[str, To]]:
    for name, rule in rows.items():
        if isinstance(rule, To):
            yield f"{prefix}{name}", rule
        elif isinstance(rule, Within):
            yield from _targets(rule.rows, f"{prefix}{name}.")


# --- from a body to an order ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sorted:
    """A body sorted by the table: the columns of each part, all faults, and the paths of the fields that it sets."""

    parts: Mapping[str, Mapping[str, Any]]
    faults: tuple[str, ...]
    paths: tuple[str, ...]


def sort_out(write: Write, body: Mapping[str, Any]) -> Sorted:
    """Returns a checked body sorted by the table of a write, with all its faults. No given field is ignored."""
    work = _Sorting(write)
    work.take(write.fields, body, "")
    work.pass_through(body.get(PASSTHROUGH))
    work.check_required()
    return Sorted(MappingProxyType(work.parts), tuple(work.faults), tuple(work.paths))


class _Sorting:
    """The work of `sort_out`: collects parts, faults and paths."""

    def __init__(self, write: Write) -> None:
        self.write = write
        self.parts: dict[str, dict[str, Any]] = {}
        self.faults: list[str] = []
        self.paths: list[str] = []
        self._set_by: dict[tuple[str, str], str] = {}

    def take(self, rows: Mapping[str, Rule], given: Mapping[str, Any], prefix: str) -> None:
        for name, rule in rows.items():
            if name not in given:
                continue
            path, value = prefix + name, given[name]
            if isinstance(rule, To):
                self._put(path, rule, value)
            elif value is not None and isinstance(rule, Unwritable):
                self.paths.append(path)
                self.faults.append(f"{path} cannot be written: {rule.reason}")
            elif isinstance(rule, Within):
                if value is not None:
                    self.take(rule.rows, value, f"{path}.")
                elif self.write.partial:
                    self.faults.append(f"{path} cannot be emptied as a whole: give null for its fields")

    def pass_through(self, extra: Mapping[str, Any] | None) -> None:
        """Adds the vendor's own columns.

        A column that has a field of its own can be set by that field only, with its checks and scopes.
        """
        if not extra:
            return
        ours = {to.column: path for path, to in self.write.targets()}
        for column, value in extra.items():
            if column in self.write.fixed:
                self.faults.append(f"{PASSTHROUGH}.{column} cannot be set")
            elif column in ours:
                self.faults.append(f"{PASSTHROUGH}.{column} cannot be set: it is written by {ours[column]}")
            else:
                self.paths.append(f"{PASSTHROUGH}.{column}")
                self.parts.setdefault(self.write.main.name, {})[column] = value

    def check_required(self) -> None:
        for what, alternatives in self.write.required.items():
            found = [each.partition(".") for each in alternatives]
            if not any(self.parts.get(part, {}).get(column) is not None for part, _, column in found):
                self.faults.append(f"{what} is missing")

    def _put(self, path: str, to: To, value: Any) -> None:
        if value is None and not self.write.partial:
            return
        self.paths.append(path)
        if value is None:
            if not to.empties:
                self.faults.append(f"{path} cannot be emptied")
                return
            written = None
        else:
            try:
                written = value if to.convert is None else to.convert(value)
            except Unfit as reason:
                self.faults.append(f"{path} {reason}")
                return
        columns = self.parts.setdefault(to.part, {})
        if to.column in columns and columns[to.column] != written:
            self.faults.append(f"{self._set_by[to.part, to.column]} and {path} differ, and are one column: {to.column}")
        columns[to.column] = written
        self._set_by[to.part, to.column] = path


# --- converters -----------------------------------------------------------------------------------------------


def day(value: Any) -> str:
    """Returns the date of a date-time as it was written. The vendor stores no time of day."""
    return str(value)[:10]


def reference(kind: str) -> Callable[[Any], str]:
    """Returns a converter from a unified id or a vendor's id to the vendor's id."""

    def convert(value: Any) -> str:
        found = ids.decode(kind, value)
        if not found:
            raise Unfit(f"is not the id of a {kind.replace('_', ' ')}")
        return found

    return convert


def spelt(table: Mapping[str, str]) -> Callable[[Any], str]:
    """Returns a converter from the contract's words to the vendor's."""

    def convert(value: Any) -> str:
        if value not in table:
            raise Unfit(f"has no counterpart for this word; there are: {', '.join(sorted(table))}")
        return table[value]

    return convert


def same_word(value: Any) -> str:
    """Returns a word that the vendor uses too, such as an ISO code. Raises `Unfit` for `unmapped_value`."""
    if value == UNMAPPED:
        raise Unfit("says nothing that could be written")
    return str(value)


def named(rows: Sequence[Mapping[str, Any]], name: str, *columns: str) -> list[Mapping[str, Any]]:
    """Returns the rows with this name in a column. Case is ignored."""
    wanted = name.strip().casefold()
    return [row for row in rows if any(str(row.get(column) or "").strip().casefold() == wanted for column in columns)]
