"""Maps a vendor's rows to the contract's records, by the connector's tables.

A table is compiled once for a set of visible fields into a `Plan`: a list of small functions. The vendor's terms end
here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from connectors.contract import Spec
from connectors.convert import UNREADABLE, default, is_there
from connectors.spec import TODAY, Absent, Endpoint, Field, Join, Nested, Ref, Row, Source, Table
from gateway.upstream.decoding import UNREADABLE_COLUMNS, unreadable_columns

See: TypeAlias = Callable[[Sequence[Row]], None]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A list that the vendor refuses to this token: its path, and the status of the refusal (403 or 404)."""

    path: str
    status: int

    @property
    def not_offered(self) -> bool:
        """Returns whether the vendor has no such list. Otherwise it has one, but not for this token."""
        return self.status == 404


@dataclass(frozen=True, slots=True)
class JoinIndex:
    """The rows of a join, by the value of its key. `refusal` is set where the vendor refuses the list to this token."""

    by_key: Mapping[Any, Sequence[Row]]
    refusal: Refusal | None = None

    def of(self, join: Join, row: Row) -> Sequence[Row]:
        """Returns the rows that are joined to a row."""
        return self.by_key.get(None if join.key is None else _key(row.get(join.on)), ())

    def rows(self) -> Iterator[Row]:
        """Yields all joined rows."""
        return (row for rows in self.by_key.values() for row in rows)


REFUSED = JoinIndex({}, Refusal("", 403))
"""A refused join, for callers that do not need to know which list it is."""


def index(join: Join, rows: Sequence[Row], embedded: Sequence[Row] = ()) -> JoinIndex:
    """Returns joined rows by key, each with its embedded row where the join has one."""
    if join.embed is not None:
        embed = join.embed
        short = {_key(row.get(embed.key)): row for row in embedded}
        short.pop(None, None)
        rows = [{**row, embed.column: short.get(_key(row.get(embed.on)))} for row in rows]
    if join.key is None:
        return JoinIndex({None: rows})
    by_key: dict[Any, list[Row]] = {}
    for row in rows:
        by_key.setdefault(_key(row.get(join.key)), []).append(row)
    by_key.pop(None, None)  # A row without a key belongs to no record.
    return JoinIndex(by_key)


def key_values(rows: Iterable[Row], *columns: str) -> list[str | int]:
    """Returns the keys that rows have in some columns, each once."""
    keys = (_key(row.get(column)) for row in rows for column in columns)
    return list(dict.fromkeys(key for key in keys if key is not None))


def _key(value: Any) -> str | int | None:
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


class Record:
    """One vendor row with the rows joined to it. A join is picked at most once, however many fields read it.

    `see` is called with all rows that the fields may be made of, before they are.
    """

    __slots__ = ("_picks", "_see", "joins", "row", "today")

    def __init__(self, row: Row, joins: Mapping[Join, JoinIndex], today: date, see: See | None = None) -> None:
        self.row = row
        self.joins = joins
        self.today = today
        self._see = see
        self._picks: dict[Join, Any] = {}
        if see:
            see((row,))

    def pick(self, join: Join) -> Any:
        """Returns what the join picks for this record: a row, several rows or None."""
        if join not in self._picks:
            matches = self.joins[join].of(join, self.row)
            if self._see:
                self._see(matches)
            self._picks[join] = join.pick(self.row, matches, self.today)
        return self._picks[join]

    def nested(self, row: Row) -> "Record":
        """Returns a record for a joined row, with the same joins."""
        return Record(row, self.joins, self.today, self._see)


Reader: TypeAlias = Callable[[Record], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled table: how to read each visible field, and the joins that takes.

    `deep` are the joins that belong to the rows of another join and not to the record itself; `nested` are the plans
    of nested objects.
    """

    readers: tuple[tuple[str, Reader], ...]
    rules: Mapping[str, Any]
    joins: tuple[Join, ...]
    deep: frozenset[Join] = frozenset()
    nested: Mapping[str, "Plan"] = field(default_factory=dict)

    def unify(self, record: Record) -> dict[str, Any]:
        """Returns the unified record."""
        return {name: read(record) for name, read in self.readers}


def compile_table(table: Table, fields: Sequence[str], hidden: frozenset[str], prefix: str = "") -> Plan:
    """Compiles the named fields of a table. `hidden` are the paths of nested fields to leave out."""
    readers: list[tuple[str, Reader]] = []
    joins: dict[Join, None] = {}
    deep: set[Join] = set()
    nested: dict[str, Plan] = {}
    for name in fields:
        rule = table.rows[name]
        if isinstance(rule, Absent):
            readers.append((name, _nothing))
        elif isinstance(rule, Field):
            readers.append((name, _field_reader(rule, table.resource.fields[name])))
            joins.update(dict.fromkeys(source.join for source in rule.sources if isinstance(source, Ref)))
        else:
            inner_prefix = f"{prefix}{name}."
            inner = [each for each in rule.table.rows if f"{inner_prefix}{each}" not in hidden]
            plan = nested[name] = compile_table(rule.table, inner, hidden, inner_prefix)
            readers.append((name, _nested_reader(rule, plan)))
            joins.update(dict.fromkeys(plan.joins))
            deep |= plan.deep
            if rule.source is not None:
                deep.update(plan.joins)
                joins[rule.source.join] = None
    rules = {name: table.rows[name] for name in fields}
    return Plan(tuple(readers), rules, tuple(joins), frozenset(deep), nested)


def _nothing(record: Record) -> None:  # noqa: ARG001 - a Reader
    return None


def _field_reader(rule: Field, spec: Spec) -> Reader:
    convert = rule.convert or default(spec.type)
    if convert is None:  # pragma: no cover - `Table` has refused such a row
        raise TypeError("a field without converter")
    if len(rule.sources) > 1:
        return _several_reader(rule.sources, convert)
    source = rule.sources[0]
    if isinstance(source, str) and source != TODAY:
        return lambda record: convert(record.row.get(source))
    get = getter(source)
    return lambda record: convert(get(record))


def _several_reader(sources: Sequence[Source], convert: Callable[..., Any]) -> Reader:
    """Reads several columns. Where one cannot be read there is no value: the others alone would make a wrong one."""
    getters = tuple(getter(source) for source in sources)

    def read(record: Record) -> Any:
        value = convert(*[get(record) for get in getters])
        return None if value is UNREADABLE or any(is_lost(source, record) for source in sources) else value

    return read


def getter(source: Source) -> Reader:
    """Returns a function that reads a source from a record."""
    if isinstance(source, Ref):
        return joined_getter(source)
    if source == TODAY:
        return lambda record: record.today
    return lambda record: record.row.get(source)


def joined_getter(source: Ref) -> Reader:
    """Returns a function that reads a joined row, or one column of it, from a record."""
    join, column = source.join, source.column
    if column is None:
        return lambda record: record.pick(join)

    def get(record: Record) -> Any:
        picked = record.pick(join)
        return picked.get(column) if isinstance(picked, dict) else None

    return get


def _nested_reader(rule: Nested, plan: Plan) -> Reader:
    if rule.source is None:
        return plan.unify
    get = joined_getter(rule.source)
    join = rule.source.join

    def read_one(record: Record) -> Any:
        row = get(record)
        return None if row is None else plan.unify(record.nested(row))

    def read_many(record: Record) -> Any:
        rows = get(record)
        if not rows and (record.joins[join].refusal or is_key_lost(join, record.row)):
            return None
        return [plan.unify(record.nested(row)) for row in rows or ()]

    return read_many if rule.many else read_one


def is_lost(source: Source, record: Record) -> bool:
    """Returns whether a column has a value that cannot be read, or the key to its joined row cannot be read."""
    if not isinstance(source, Ref):
        return _is_undecoded(record.row, source)
    row = record.pick(source.join)
    if not row:
        return is_key_lost(source.join, record.row)
    return isinstance(row, dict) and _is_undecoded(row, source.column)


def is_key_lost(join: Join, row: Row) -> bool:
    """Returns whether the key to a record's joined rows cannot be read: then nobody knows whether it has any."""
    if join.key is None:
        return False
    value = row.get(join.on)
    return _is_undecoded(row, join.on) or (is_there(value) and _key(value) is None)


def _is_undecoded(row: Row, column: str | None) -> bool:
    return UNREADABLE_COLUMNS in row and column in unreadable_columns(row)


def joins_for(endpoint: Endpoint, *plans: Plan) -> tuple[Join, ...]:
    """Returns the joins that these plans need for the records of an endpoint, each once."""
    found = dict.fromkeys(join for plan in plans for join in plan.joins)
    completion = endpoint.completion
    if completion and any(completion.fields & plan.rules.keys() for plan in plans):
        found |= dict.fromkeys(completion.joins)
    return tuple(found)


def make_record(
    endpoint: Endpoint, row: Row, joined: Mapping[Join, JoinIndex], today: date, see: See | None = None
) -> Record:
    """Returns the record of a row, completed with the columns that come from joins where these were read."""
    record = Record(row, joined, today, see)
    completion = endpoint.completion
    if completion is None or not all(join in joined for join in completion.joins):
        return record
    return Record(completion.complete(row, [record.pick(join) for join in completion.joins]), joined, today, see)
