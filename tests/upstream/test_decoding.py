"""JSON that cannot be read whole: what can be is, and what cannot is named."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.exchange import Answer
from gateway.upstream.decoding import (
    DEEPEST,
    LARGEST,
    UNREADABLE_COLUMNS,
    decode,
    encode_rows,
    null_lost_columns,
    null_unreadable,
)
from tests.fakes.vendor import ReadBench, make_vendor

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NO_VALUES = {
    "half of a pair of surrogates": b'"\\ud83d"',
    "the other half": b'"a\\udc00b"',
    "no UTF-8": b'"\xff\xfe"',
    "no number": b"NaN",
    "infinity": b"-Infinity",
    "a number beyond doubles": b"1e999",
    "a whole number beyond doubles": b"9" * 400,
    "depth beyond the parser": b"[" * 100_000 + b"]" * 100_000,
    "depth beyond the reader": b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1),
}


@given(value=JSON)
def test_what_is_json_is_read_as_it_stands(value: Any) -> None:
    assert decode(orjson.dumps(value)) == value
    assert null_unreadable({"a": value}) == {"a": value}


@pytest.mark.parametrize("sent", NO_VALUES.values(), ids=NO_VALUES.keys())
def test_one_value_that_cannot_be_read_is_null_and_named_and_takes_nothing_with_it(sent: bytes) -> None:
    body = null_unreadable(decode(b'{"data": [{"id": "1", "x": %s, "y": "\\ud83d\\ude00"}, {"id": "2"}]}' % sent))
    rows = [null_lost_columns(row) for row in body["data"]]
    assert rows == [{"id": "1", "x": None, "y": "😀", UNREADABLE_COLUMNS: ["x"]}, {"id": "2"}]
    assert orjson.loads(encode_rows(rows)) == rows


@pytest.mark.parametrize("sent", [b'[{"name": "a"}, {"name": "\\ud83d"}]', b'{"\\ud83d": 1, "name": "a"}'])
def test_a_column_that_is_unreadable_in_part_is_null(sent: bytes) -> None:
    row = null_lost_columns(decode(b'{"id": "1", "x": %s}' % sent))
    assert (row["id"], row["x"], row[UNREADABLE_COLUMNS]) == ("1", None, ["x"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"data": [{"na',
        b'{"a": "\\ud83d"',
        b'{"a": NaN,}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 99_999,
        b'["' + b"[" * 100_000,
        b"\xff",
        b"1 2",
        b"nan",
    ],
)
def test_what_is_broken_or_cut_short_is_still_no_json(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what matters is that nothing else is raised
        decode(body)


@given(body=st.binary(max_size=40) | st.text(alphabet='{}[]",:\\ud83dNa1e9', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = decode(body)
    except ValueError:
        return
    orjson.dumps(found)


def test_an_answer_that_is_too_large_is_read_strictly() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        decode(b'["\\ud83d", "%s"]' % (b"x" * LARGEST))


async def test_what_cannot_be_read_is_null_with_its_reason_and_counted() -> None:
    vendor = make_vendor(3)
    rows = vendor.lists["/people"]
    rows[1] |= {"name": "@@", "updated": "02/03/2026", "photo": {"url": "x"}}
    body = orjson.dumps({"total": 3, "data": rows}).replace(b'"@@"', b'"\\ud83d"')
    people = Answer(200, {"content-type": "application/json"}, body)
    vendor.instead = lambda request: people if request.path == "/people" else None
    bench = ReadBench(vendor)
    for _ in range(2):
        found = await bench.body(include="withheld,avatar_url", fields="remote_id,name,updated_at")
        assert [record["name"] for record in found["data"]] == ["Person 0", None, "Person 2"]
        assert found["data"][1] == {"remote_id": "p1", "name": None, "avatar_url": None, "updated_at": None}
        assert found["withheld"] == {
            name: [{"reason": "unreadable", "records": 1}] for name in ("name", "avatar_url", "updated_at")
        }
    assert bench.unreadable == [("village", "employees", 3)]
