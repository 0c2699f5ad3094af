"""From a vendor's rows to the contract's records, by the connector's tables.

A table is compiled once for a set of visible fields into a `Plan`: a list of small readers. Vendor words end here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from connectors.contract import Spec
from connectors.convert import default
from connectors.spec import TODAY, Absent, Field, Join, Nested, Ref, Row, Source, Table


@dataclass(frozen=True, slots=True)
class Joined:
    """The rows of a join, by the value of its key; `refused` when the vendor would not give them to this token."""

    by_key: Mapping[Any, Sequence[Row]]
    refused: bool = False

    def of(self, join: Join, row: Row) -> Sequence[Row]:
        """Give the rows that are joined to a row."""
        return self.by_key.get(None if join.key is None else _key(row.get(join.on)), ())


REFUSED = Joined({}, refused=True)


def index(join: Join, rows: Sequence[Row], embedded: Sequence[Row] = ()) -> Joined:
    """Arrange joined rows by key, each with its embedded row where the join has one."""
    if join.embed is not None:
        embed = join.embed
        short = {_key(row.get(embed.key)): row for row in embedded}
        short.pop(None, None)
        rows = [{**row, embed.column: short.get(_key(row.get(embed.on)))} for row in rows]
    if join.key is None:
        return Joined({None: rows})
    by_key: dict[Any, list[Row]] = {}
    for row in rows:
        by_key.setdefault(_key(row.get(join.key)), []).append(row)
    by_key.pop(None, None)  # What has no key belongs to nobody.
    return Joined(by_key)


def _key(value: Any) -> str | int | None:
    return value if isinstance(value, str | int) else None


class Record:
    """One vendor row with what is joined to it. A join is picked at most once, however many fields read it."""

    __slots__ = ("_picks", "joins", "row", "today")

    def __init__(self, row: Row, joins: Mapping[Join, Joined], today: date) -> None:
        self.row = row
        self.joins = joins
        self.today = today
        self._picks: dict[Join, Any] = {}

    def pick(self, join: Join) -> Any:
        if join not in self._picks:
            self._picks[join] = join.pick(self.row, self.joins[join].of(join, self.row), self.today)
        return self._picks[join]

    def nested(self, row: Row) -> "Record":
        return Record(row, self.joins, self.today)


Reader: TypeAlias = Callable[[Record], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled table: what to read for each visible field, and which joins that takes.

    `deep` are those of the joins that are about the rows of another join, not about the record itself.
    """

    readers: tuple[tuple[str, Reader], ...]
    rules: Mapping[str, Any]
    joins: tuple[Join, ...]
    deep: frozenset[Join] = frozenset()

    def unify(self, record: Record) -> dict[str, Any]:
        return {name: read(record) for name, read in self.readers}


def compile_table(table: Table, fields: Sequence[str], hidden: frozenset[str], prefix: str = "") -> Plan:
    """Compile the named fields of a table; `hidden` holds the paths of nested fields to leave out."""
    readers: list[tuple[str, Reader]] = []
    joins: dict[Join, None] = {}
    deep: set[Join] = set()
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
            plan = compile_table(rule.table, inner, hidden, inner_prefix)
            readers.append((name, _nested_reader(rule, plan)))
            joins.update(dict.fromkeys(plan.joins))
            deep |= plan.deep
            if rule.source is not None:
                deep.update(plan.joins)
                joins[rule.source.join] = None
    return Plan(tuple(readers), {name: table.rows[name] for name in fields}, tuple(joins), frozenset(deep))


def _nothing(record: Record) -> None:  # noqa: ARG001 - a Reader
    return None


def _field_reader(rule: Field, spec: Spec) -> Reader:
    convert = rule.convert or default(spec.type)
    if convert is None:  # pragma: no cover - `Table` has refused such a row
        raise TypeError("a field without converter")
    if len(rule.sources) > 1:
        getters = tuple(_getter(source) for source in rule.sources)
        return lambda record: convert(*[get(record) for get in getters])
    source = rule.sources[0]
    if isinstance(source, str) and source != TODAY:
        return lambda record: convert(record.row.get(source))
    get = _getter(source)
    return lambda record: convert(get(record))


def _getter(source: Source) -> Reader:
    if isinstance(source, Ref):
        return _joined_getter(source)
    if source == TODAY:
        return lambda record: record.today
    return lambda record: record.row.get(source)


def _joined_getter(source: Ref) -> Reader:
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
    get = _joined_getter(rule.source)
    join = rule.source.join

    def read_one(record: Record) -> Any:
        row = get(record)
        return None if row is None else plan.unify(record.nested(row))

    def read_many(record: Record) -> Any:
        rows = get(record)
        if not rows and record.joins[join].refused:
            return None
        return [plan.unify(record.nested(row)) for row in rows or ()]

    return read_many if rule.many else read_one


def reasons(
    plan: Plan, records: Sequence[Record], unified: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Give for each visible field that is null somewhere why it is, with the number of records.

    `unmapped`: the vendor has nothing for it; `withheld_by_role`: the vendor left the column out though the scopes
    cover it, so the role of the token's owner may not see it; `provider_null`: the vendor has no value.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for name, rule in plan.rules.items():
        if isinstance(rule, Absent):
            found[name] = [{"reason": "unmapped", "detail": rule.reason}]
            continue
        counts = {"withheld_by_role": 0, "provider_null": 0}
        for record, values in zip(records, unified, strict=True):
            if values[name] is None:
                counts["withheld_by_role" if _left_out(rule, record) else "provider_null"] += 1
        lines = [{"reason": reason, "records": count} for reason, count in counts.items() if count]
        if lines:
            found[name] = lines
    return found


def _left_out(rule: Field | Nested, record: Record) -> bool:
    """Tell whether the vendor withheld what a row reads: a whole joined list, or a column of the row."""
    return any(_column_left_out(source, record) for source in _sources(rule))


def _sources(rule: Field | Nested) -> Iterator[Source]:
    if isinstance(rule, Field):
        yield from rule.sources
    elif rule.source is not None:
        yield rule.source
    else:
        for inner in rule.table.rows.values():
            if isinstance(inner, Field):
                yield from inner.sources


def _column_left_out(source: Source, record: Record) -> bool:
    if isinstance(source, Ref):
        picked = record.pick(source.join)
        if not picked:
            return record.joins[source.join].refused
        return source.column is not None and source.column not in picked
    return source != TODAY and source not in record.row
