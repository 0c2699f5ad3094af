"""Which columns of which vendor list each unified field is made from, read from the connector's tables.

A field that is closed closes its columns too: in raw answers, in filters, in sorting, and in calls that are passed
through. There is no I/O and no vendor's name here, so the same rules apply to every connector.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.convert import default, text
from connectors.hris.filters import FILTERS, filter_of
from connectors.spec import TODAY, Absent, Derived, Endpoint, Field, Join, Nested, Ref, Source, Table, joins_of


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a vendor's list. `list` is the first segment of the list's path, such as `/people`."""

    list: str
    name: str


@dataclass(frozen=True, slots=True)
class Reader:
    """A field that is made from columns.

    `path` is its place in the records of `endpoint` (`a.b`). `name` is its resource and name, by which an operator
    forbids it. A nested object is a reader too (`is_object`). If it is part of the record itself, its columns are those
    of all fields within it; if it holds the rows of a join it has none, as these are records of their own.
    """

    endpoint: Endpoint
    path: str
    name: str
    columns: frozenset[Column]
    is_object: bool = False


def first_word(path: str) -> str:
    """Returns the list that a vendor's path is about: `/people` for `/people/{key}`."""
    return "/" + path.lstrip("/").partition("/")[0]


def own_lists(endpoint: Endpoint) -> frozenset[str]:
    """Returns the lists whose records are those of an endpoint.

    A derived endpoint has none, since its records are computed.
    """
    paths = [] if isinstance(endpoint.listing, Derived) else [each.path for each in endpoint.collections()]
    if endpoint.record is not None:
        paths.append(endpoint.record)
    return frozenset(map(first_word, paths))


def readers(endpoints: Iterable[Endpoint]) -> tuple[Reader, ...]:
    """Returns every field of these endpoints that is made from columns, nested fields included."""
    return tuple(reader for endpoint in endpoints for reader in _readers_of(endpoint))


_Place = Callable[[str], frozenset[Column]]
"""From the name of a column of a row to where the vendor keeps it."""


def _readers_of(endpoint: Endpoint) -> Iterator[Reader]:
    lists = own_lists(endpoint)

    def own(name: str) -> frozenset[Column]:
        return frozenset(Column(each, name) for each in lists)

    yield from _walk(endpoint, endpoint.table, "", own)


def _walk(endpoint: Endpoint, table: Table, prefix: str, place: _Place) -> Iterator[Reader]:
    for name, rule in table.rows.items():
        path, full_name = f"{prefix}{name}", f"{table.resource.name}.{name}"
        if isinstance(rule, Absent):
            continue
        if isinstance(rule, Field):
            columns = frozenset(column for source in rule.sources for column in _columns(source, place))
            yield Reader(endpoint, path, full_name, columns)
        else:
            within = place if rule.source is None else _within(rule.source, place)
            inner = list(_walk(endpoint, rule.table, f"{path}.", within))
            its_own = frozenset(column for each in inner for column in each.columns)
            yield Reader(endpoint, path, full_name, frozenset() if rule.source else its_own, is_object=True)
            yield from inner


def _columns(source: Source, place: _Place) -> frozenset[Column]:
    if source == TODAY:
        return frozenset()
    if isinstance(source, Ref):
        return _joined(source.join, place)(source.column) if source.column is not None else frozenset()
    return place(source)


def _within(source: Ref, place: _Place) -> _Place:
    """Returns the place of columns in the rows that a nested table reads."""
    inner = _joined(source.join, place)
    column = source.column
    # Of an object within one column the vendor keeps all in that column.
    return inner if column is None else lambda _: inner(column)


def _joined(join: Join, outer: _Place) -> _Place:
    lists = {first_word(each.path) for each in (*join.collections, *((join.narrow,) if join.narrow else ()))}

    def place(name: str) -> frozenset[Column]:
        if join.embed is not None and name == join.embed.column:
            embedded = first_word(join.embed.collection.path)
            return frozenset(Column(embedded, each) for each in join.embed.reads)
        found = {Column(each, name) for each in lists}
        if name in join.lends:
            found |= outer(join.lends[name])
        return frozenset(found)

    return place


def lookup_columns(endpoints: Iterable[Endpoint]) -> Mapping[str, tuple[str, ...]]:
    """Returns the columns by which rows of a list are looked up, by the path of the list.

    They are the keys of records and of joins, the owners of records, and what filters of one value compare with.
    """
    found: dict[str, dict[str, None]] = {}
    for endpoint in endpoints:
        owner = endpoint.of_employee.owner if endpoint.of_employee else ""
        filtered = (equal_column(endpoint.table, name) for name in _filters(endpoint.table))
        for collection in endpoint.collections():
            names = (endpoint.key, owner, *filtered)
            found.setdefault(collection.path, {}).update(dict.fromkeys(filter(None, names)))
        joins = [*_all_joins(endpoint.table), *(endpoint.completion.joins if endpoint.completion else ())]
        for join in joins:
            further = (join.further.collection,) if join.further else ()
            for collection in (*join.collections, *further):
                if join.key is not None:
                    found.setdefault(collection.path, {})[join.key] = None
    return {path: tuple(names) for path, names in found.items()}


def equal_column(table: Table, name: str) -> str | None:
    """Returns the column whose text a filter compares with one value, or None where it does anything else."""
    found = filter_of(table.resource.name, name)
    if found is None or found.test != "equals" or len(found.fields) != 1:
        return None
    rule = table.rows[found.fields[0]]
    if not isinstance(rule, Field) or rule.convert is not None or len(rule.sources) != 1:
        return None
    source, spec = rule.sources[0], table.resource.fields[found.fields[0]]
    return source if isinstance(source, str) and source != TODAY and default(spec.type) is text else None


def _filters(table: Table) -> Iterable[str]:
    return FILTERS.get(table.resource.name, ())


def _all_joins(table: Table) -> Iterator[Join]:
    for rule in table.rows.values():
        if not isinstance(rule, Absent):
            yield from joins_of(rule)
        if isinstance(rule, Nested):
            yield from _all_joins(rule.table)
