"""A list that the vendor refuses: what is made from it is left out and said, and never stands there as nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from connectors.contract import Filter
from connectors.exchange import Answer
from connectors.hris.filters import filter_of
from connectors.registry import CONNECTORS
from connectors.spec import Absent, Nested, Table, joins_of
from gateway.errors import Forbidden, GatewayError, NotFound, NotImplementedHere, VendorFailure
from tests.connectors.reading import READS, STANDS, Bend, Read, Usual, paths_of, records_of
from tests.fakes.core import json_answer, refusal

ERROR = {"code": 403, "name": "Forbidden", "message": "not for you"}
REFUSED = {403: (Forbidden, "withheld_by_role", "refuses"), 404: (NotImplementedHere, "unmapped", "does not offer")}
FAULTY = {
    "403 by a firewall": Answer(403, {"content-type": "text/html"}, b"<html>Access denied</html>"),
    "404 by a firewall": Answer(404, {"content-type": "text/html"}, b"<html>Nothing here</html>"),
    "403 by another API": json_answer({"error": "denied"}, 403),
    "an error that is a 200": json_answer(ERROR),
}
JOINED = [(read, path) for read in READS for path in sorted(read.joined_paths())]


@pytest.fixture(scope="module")
def usual() -> Usual:
    return Usual()


def instead(path: str, answer: Answer) -> Bend:
    return lambda request, usual: answer if request.path == path else usual


def of_record(read: Read, answer: Answer) -> Bend:
    start, _, end = (read.endpoint.record or "").partition("{key}")
    return lambda request, usual: (
        answer if request.path.startswith(start) and request.path.endswith(end) and request.path != start else usual
    )


def closed(table: Table, path: str, prefix: str = "") -> Iterator[str]:
    """Returns the paths of all fields that are read from a list, wholly or in part."""
    for name, rule in table.rows.items():
        if isinstance(rule, Absent):
            continue
        if any(path in paths_of(join) for join in joins_of(rule)):
            yield prefix + name
        elif isinstance(rule, Nested):
            yield from closed(rule.table, path, f"{prefix}{name}.")


def without(value: Any, paths: set[str], prefix: str = "") -> Any:
    if isinstance(value, list):
        return [without(each, paths, prefix) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without(each, paths, f"{prefix}{name}.") for name, each in value.items() if prefix + name not in paths
    }


def test_every_connector_is_tested_by_these_rules() -> None:
    assert STANDS.keys() == CONNECTORS.keys()
    assert {read.connector for read, _ in JOINED} == CONNECTORS.keys()


@pytest.mark.parametrize(("read", "path"), JOINED, ids=str)
@pytest.mark.parametrize("status", REFUSED)
async def test_what_is_made_from_a_refused_list_is_left_out_and_said(
    usual: Usual, read: Read, path: str, status: int
) -> None:
    place = await usual.place(read)
    closed_fields = set(closed(read.table, path))
    _, reason, words = REFUSED[status]
    bench = read.bench(instead(path, refusal(status)))
    expected = without(records_of(await usual.page(read)), closed_fields)
    cold = await read.ask(bench, place)
    again = await read.ask(bench, place)
    assert again.freshness.detail == "shared"
    # Another question, answered from cached lists.
    other = await read.ask(bench, place, **({"page_size": "249"} if read.operation.kind == "list" else {"raw": "true"}))
    for page in (cold, again, other):
        assert records_of(page) == expected
        assert set(page.withheld) == closed_fields
        lines: Mapping[str, Any] = orjson.loads(page.body)["withheld"]
        for each in closed_fields:
            [line] = lines[each]
            assert line["reason"] == reason
            assert f"{words} {path} " in line["detail"]
            assert "records" not in line


@pytest.mark.parametrize(("read", "path"), JOINED, ids=str)
@pytest.mark.parametrize("fault", FAULTY)
async def test_a_list_that_fails_is_no_list_that_is_refused(usual: Usual, read: Read, path: str, fault: str) -> None:
    place = await usual.place(read)
    bench = read.bench(instead(path, FAULTY[fault]))
    for _ in range(2):
        with pytest.raises(VendorFailure, match=path):
            await read.ask(bench, place)
    assert "answer" not in bench.memory.kinds()


def value_for(wanted: Filter) -> str:
    return "2020-01-01T00:00:00.000Z" if wanted.test in {"after", "from", "to", "from day", "to day"} else "x"


FILTERED = [
    (read, path, name)
    for read, path in JOINED
    for name in read.operation.filters
    if (wanted := filter_of(read.table.resource.name, name)) and set(wanted.fields) & set(closed(read.table, path))
]


@pytest.mark.parametrize(("read", "path", "name"), FILTERED, ids=str)
@pytest.mark.parametrize("status", REFUSED)
async def test_a_filter_on_what_is_refused_is_refused(
    usual: Usual, read: Read, path: str, name: str, status: int
) -> None:
    place = await usual.place(read)
    wanted = filter_of(read.table.resource.name, name)
    assert wanted is not None
    error, _, words = REFUSED[status]
    bench = read.bench(instead(path, refusal(status)))
    for _ in range(2):
        with pytest.raises(error, match=rf"filter\[{name}\] .*{words} {path} "):
            await read.ask(bench, place, **{f"filter__{name}": value_for(wanted)})


# --- the lists and the records themselves -----------------------------------------------------------------------

NEEDED = [(read, path) for read in READS for path in sorted(read.needed_paths())]


@pytest.mark.parametrize(("read", "path"), NEEDED, ids=str)
@pytest.mark.parametrize("status", REFUSED)
async def test_without_its_list_there_is_no_answer(usual: Usual, read: Read, path: str, status: int) -> None:
    place = await usual.place(read)
    error, _, words = REFUSED[status]
    bench = read.bench(instead(path, refusal(status)))
    for _ in range(2):
        with pytest.raises(error, match=f"{words} {path} "):
            await read.ask(bench, place)
    assert "answer" not in bench.memory.kinds()


@pytest.mark.parametrize(("read", "path"), NEEDED, ids=str)
@pytest.mark.parametrize("fault", FAULTY)
async def test_a_list_that_fails_is_a_failure_of_the_vendor(usual: Usual, read: Read, path: str, fault: str) -> None:
    place = await usual.place(read)
    bench = read.bench(instead(path, FAULTY[fault]))
    with pytest.raises(VendorFailure, match=path):
        await read.ask(bench, place)


SINGLE = [read for read in READS if read.operation.kind == "get" and read.endpoint.record]


@pytest.mark.parametrize("read", SINGLE, ids=str)
@pytest.mark.parametrize("status", REFUSED)
async def test_a_record_that_is_refused_is_not_found(usual: Usual, read: Read, status: int) -> None:
    place = await usual.place(read)
    with pytest.raises(NotFound):
        await read.ask(read.bench(of_record(read, refusal(status))), place)


@pytest.mark.parametrize("read", SINGLE, ids=str)
@pytest.mark.parametrize("fault", [*FAULTY, "no id", "an error with an id"])
async def test_what_is_no_record_is_a_failure_of_the_vendor(usual: Usual, read: Read, fault: str) -> None:
    place = await usual.place(read)
    more = {
        "no id": json_answer({"name": "nobody", read.endpoint.key: None}),
        "an error with an id": json_answer({**ERROR, read.endpoint.key: "error-7"}),
    }
    bench = read.bench(of_record(read, {**FAULTY, **more}[fault]))
    with pytest.raises(VendorFailure) as failed:
        await read.ask(bench, place)
    assert isinstance(failed.value, GatewayError)
    assert "answer" not in bench.memory.kinds()
