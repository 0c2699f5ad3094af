"""Whatever a vendor puts in a column: no answer is lost to it, and no value is made up."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import ANY, Plain, Type
from connectors.exchange import Answer, Request
from connectors.registry import CONNECTORS
from connectors.spec import Absent, Derived, Field, Nested, Ref, Table
from gateway.errors import NotFound, VendorFailure
from gateway.unified.call import Page
from tests.connectors.reading import READS, Bend, Read, Usual, records_of
from tests.fixtures.contract_check import faults

DEEP = 3_000
NEVER_A_VALUE = [
    b'"\\ud83d"',
    b'"a\\udc00b"',
    b'"\xff\xfe"',
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 400,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * 300 + b"1" + b"}" * 300,
    b'{"name": "\\ud83d", "url": "\\ud83d"}',
]
ODD = [
    b"5",
    b"-1e308",
    b"12345678901234567890123",
    b"true",
    b"[[]]",
    b"[5]",
    b'{"a": [1]}',
    b'[{"name": {"a": 1}}]',
    b'"02/03/2026"',
    b'"2026-13-45"',
    b'"0000-00-00T00:00:00Z"',
    b'"9999-12-31T23:59:59-14:00"',
    b'""',
    b"{}",
    b"[]",
    b"null",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
SENT = st.sampled_from([*NEVER_A_VALUE, *ODD]) | JSON.map(lambda value: json.dumps(value).encode())
MARK = "@@@@"


@pytest.fixture(scope="module")
def seen() -> "Seen":
    return Seen()


@dataclass
class Seen:
    """What the answers of a stand-in are usually made of: by read and path, its rows."""

    usual: Usual = field(default_factory=Usual)
    rows: dict[Read, dict[str, list[Mapping[str, Any]]]] = field(default_factory=dict)

    async def of(self, read: Read) -> dict[str, list[Mapping[str, Any]]]:
        if read not in self.rows:
            found: dict[str, list[Mapping[str, Any]]] = {}

            def note(request: Request, answer: Answer) -> Answer:
                body = orjson.loads(answer.body)
                found.setdefault(_path(read, request), []).extend(body.get("data", [body]))
                return answer

            await read.ask(read.bench(note), await self.usual.place(read))
            self.rows[read] = found
        return self.rows[read]


def _path(read: Read, request: Request) -> str:
    """Returns the path as the connector declares it."""
    lists = {*read.paths(), *read.joined_paths()}
    return request.path if request.path in lists else request.path.rpartition("/")[0] + "/{key}"


def planted(read: Read, path: str, column: str, sent: bytes, at: int | None) -> Bend:
    """Put something into a column of all rows, or of one."""

    def bend(request: Request, answer: Answer) -> Answer:
        if _path(read, request) != path:
            return answer
        body = orjson.loads(answer.body)
        rows = body["data"] if isinstance(body.get("data"), list) else [body]
        for number, row in enumerate(rows):
            if at is None or number == at % len(rows):
                row[column] = MARK
        return replace(answer, body=orjson.dumps(body).replace(b'"%s"' % MARK.encode(), sent))

    return bend


# --- what the answer must be ------------------------------------------------------------------------------------


def readers(table: Table, own: set[str], path: str, column: str, prefix: str = "") -> Iterator[tuple[str, Type]]:
    """Returns the path and type of each field that is made from a column."""
    for name, rule in table.rows.items():
        if isinstance(rule, Absent):
            continue
        if isinstance(rule, Nested):
            inner = own if rule.source is None else _rows_of(rule.source)
            yield from readers(rule.table, inner, path, column, f"{prefix}{name}.")
        elif any(_reads(source, own, path, column) for source in rule.sources) and not _is_constant(rule):
            yield prefix + name, table.resource.fields[name].type


def _is_constant(rule: Field) -> bool:
    """Returns whether a field says the same of every row, whatever is in its column."""
    if rule.convert is None or len(rule.sources) > 1:
        return False
    found = [rule.convert("x"), rule.convert(5), rule.convert({})]
    return None not in found and found[0] == found[1] == found[2]


def _rows_of(source: Ref) -> set[str]:
    """Returns the list whose rows a join picks from, without the one put into them; none where it is of two."""
    join = source.join
    lists = [*join.collections, *([join.narrow] if join.narrow else [])]
    found = {each.path for each in lists}
    return found if len(found) == 1 else set()


def own_paths(read: Read) -> set[str]:
    """Returns the lists whose rows are its records; a list that is made from others has rows of its own."""
    return set() if isinstance(read.endpoint.listing, Derived) else read.paths()


def _reads(source: str | Ref, own: set[str], path: str, column: str) -> bool:
    if isinstance(source, Ref):
        return source.column == column and path in _rows_of(source)
    return source == column and path in own


def values_at(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list) and path:
        for each in value:
            yield from values_at(each, path)
    elif path:
        if value is not None:
            yield from values_at(value[path[0]], path[1:])
    else:
        yield value


def kind_of(value: Any) -> str:
    return (
        "number or text" if isinstance(value, str | int | float) and not isinstance(value, bool) else str(type(value))
    )


def fits(sent: bytes, rows: list[Mapping[str, Any]], column: str) -> bool:
    """Returns whether a value is of a JSON type that the column is known to have, or null, or of unknown fitness."""
    if sent in NEVER_A_VALUE:
        return False
    known = {kind_of(row[column]) for row in rows if row.get(column) is not None}
    value = json.loads(sent)
    return not known or kind_of(value) in known or value is None or value in ("", [], {})


def is_nothing(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("value") in {None, "unmapped_value"}
    return value is None


def takes_anything(wanted: Type) -> bool:
    return wanted in {ANY, Plain.MAP}


def check_types(read: Read, page: Page) -> None:
    types = read.table.resource.fields
    for record in records_of(page):
        assert [fault for name, value in record.items() for fault in faults(value, types[name].type, name)] == []


async def answered(read: Read, bend: Bend, seen: Seen, column: str) -> Page | None:
    """Returns the answer; there is none only to who asks for a record that is no longer to be known as that one."""
    try:
        return await read.ask(read.bench(bend), await seen.usual.place(read))
    except NotFound:
        assert read.operation.kind == "get"
    except VendorFailure:
        assert (read.operation.kind, column) == ("get", read.endpoint.key)
    return None


async def made_elsewhere(read: Read, path: str, name: str, seen: Seen) -> list[Any]:
    """Returns the values of a field that are there without the list: a pick may make a row of the record itself."""
    empty = {"total": 0, "limit": 250, "skip": 0, "data": []}

    def bend(request: Request, answer: Answer) -> Answer:
        return replace(answer, body=orjson.dumps(empty)) if _path(read, request) == path else answer

    page = await read.ask(read.bench(bend), await seen.usual.place(read))
    found = [each for record in records_of(page) for each in values_at(record, name.split("."))]
    return [each for each in found if not is_nothing(each)]


def names_a_row(read: Read, column: str, sent: bytes) -> bool:
    """Returns whether rows with this in the column would all be the same one, which is no list (decision 25)."""
    if column != CONNECTORS[read.connector].paging.key or sent in NEVER_A_VALUE:
        return False
    value = json.loads(sent)
    return isinstance(value, str | int) and value != ""


async def check(read: Read, path: str, column: str, sent: bytes, seen: Seen) -> None:
    one = names_a_row(read, column, sent)
    page = await answered(read, planted(read, path, column, sent, 0 if one else None), seen, column)
    if page is None:
        return
    check_types(read, page)
    if one:
        return
    if fits(sent, (await seen.of(read))[path], column):
        return
    own = own_paths(read)
    for name, wanted in readers(read.table, own, path, column):
        if not (sent not in NEVER_A_VALUE and takes_anything(wanted)):
            found = [each for record in records_of(page) for each in values_at(record, name.split("."))]
            made = [each for each in found if not is_nothing(each)]
            assert not made or made == await made_elsewhere(read, path, name, seen), (name, made[:3])


# --- the rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", READS, ids=str)
@given(pick=st.integers(0, 1 << 32), sent=SENT)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_value_in_any_column_is_read_or_is_nothing(read: Read, seen: Seen, pick: int, sent: bytes) -> None:
    rows = await seen.of(read)
    columns = sorted({(path, name) for path in rows for row in rows[path] for name in row})
    path, column = columns[pick % len(columns)]
    await check(read, path, column, sent, seen)


LISTS = [read for read in READS if read.operation.kind == "list"]


@pytest.mark.parametrize("read", LISTS, ids=str)
@pytest.mark.parametrize("sent", [b'"\\ud83d"', b'{"a": [1]}', b"5", b'"02/03/2026"'], ids=str)
async def test_each_column_may_be_broken(read: Read, sent: bytes, seen: Seen) -> None:
    rows = await seen.of(read)
    broken = {(path, column) for path in rows for column in mapped(read, rows, path)}
    for path, column in sorted(broken):
        await check(read, path, column, sent, seen)


def mapped(read: Read, rows: Mapping[str, list[Mapping[str, Any]]], path: str) -> set[str]:
    """Returns the columns of a list that fields are made from."""
    names = {name for row in rows[path] for name in row}
    return {name for name in names if any(readers(read.table, own_paths(read), path, name))}


@pytest.mark.parametrize("read", LISTS, ids=str)
@pytest.mark.parametrize(
    "sent", [b'"\\ud83d"', b'{"a": [1]}', b"[" * DEEP + b"]" * DEEP], ids=lambda each: str(each[:8])
)
async def test_one_broken_record_takes_no_other_with_it(read: Read, sent: bytes, seen: Seen) -> None:
    listing = read.endpoint.listing
    if read.operation.of_employee and read.endpoint.of_employee:
        listing = read.endpoint.of_employee.listing
    path = getattr(listing, "path", "")
    if not path:
        return  # A list that is made from others has no rows of its own.
    usual = records_of(await seen.usual.page(read))
    for column in sorted(mapped(read, await seen.of(read), path)):
        page = await answered(read, planted(read, path, column, sent, 1), seen, column)
        assert page is not None
        found = records_of(page)
        different = [number for number, each in enumerate(found) if each not in usual]
        if not says_whose(read, column):
            assert len(found) == len(usual)
        assert len(different) <= 1, column


def says_whose(read: Read, column: str) -> bool:
    """Returns whether a column may say that a row is no such record at all, or not one of this employee."""
    of_employee = read.endpoint.of_employee
    return read.endpoint.only is not None or bool(of_employee and of_employee.owner == column)


async def test_what_a_healthy_vendor_says_is_all_readable(seen: Seen) -> None:
    for read in READS:
        bench = read.bench()
        page = await read.ask(bench, await seen.usual.place(read))
        assert bench.unreadable == [], read
        assert b'"unreadable"' not in page.body
