"""Rows that are not decoded at once are those that decoding gives, or the page is decoded."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.unified.row_text import find_rows, join_rows, read_columns, split_rows
from gateway.upstream.decoding import decode, decode_rows, null_lost_columns

NEVER = frozenset({"secret"})
WANTED = ("id", "made")
TEXT = st.text(max_size=8)
ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "made", "secret", "é", "x"]),
        st.none() | TEXT | st.integers() | st.lists(TEXT, max_size=2) | st.dictionaries(TEXT, TEXT, max_size=2),
    ),
    max_size=4,
)
BROKEN = {
    "half of a pair of surrogates": b'"\\ud83d"',
    "no UTF-8": b'"\xff"',
    "an escape that is none": b'"\\x"',
    "an escape that is cut short": b'"\\u12"',
    "a control character": b'"\x01"',
    "no number": b"NaN",
    "a number that is none": b"01",
    "no literal": b"tru",
    "a comma too many": b"[1,]",
    "no value": b"",
    "two values": b"1 2",
    "more depth than can be walked": b"[" * 100_000 + b"]" * 100_000,
}


@given(ROWS)
def test_columns_are_those_of_the_decoded_rows(rows: list[dict[str, Any]]) -> None:
    text = orjson.dumps(rows, option=orjson.OPT_PASSTHROUGH_SUBCLASS) if all(map(_small, rows)) else b"[]"
    found = read_columns(text, WANTED, NEVER)
    decoded = orjson.loads(text)
    plain = all(row.get(name) is None or isinstance(row[name], str) for row in decoded for name in WANTED)
    if not plain or any("secret" in row for row in decoded):
        assert found is None
    else:
        assert found == {name: [row.get(name) for row in decoded] for name in WANTED}


def _small(row: dict[str, Any]) -> bool:
    return all(not isinstance(each, int) or -(1 << 63) <= each < 1 << 64 for each in row.values())


@pytest.mark.parametrize("value", BROKEN.values(), ids=BROKEN.keys())
def test_text_that_does_not_surely_decode_is_not_taken(value: bytes) -> None:
    assert read_columns(b'[{"id": "a", "x": %s}]' % value, WANTED, NEVER) is None


@given(st.binary(max_size=12))
def test_whatever_is_taken_decodes_to_the_rows_that_decoding_at_once_gives(value: bytes) -> None:
    text = b'[{"id": "a", "x": "%s"}, {"id": "b", "x": %s}]' % (value, value)
    if read_columns(text, WANTED, NEVER) is not None:
        at_once = [null_lost_columns(row) for row in decode(b'{"data": %s}' % text)["data"]]
        assert decode_rows(text) == at_once
        assert [decode_rows(join_rows([row]))[0] for row in split_rows(text)] == at_once


@pytest.mark.parametrize(
    ("body", "around"),
    [
        (b'{"total": 1, "data": [{"id": "a"}]}', {"total": 1, "data": []}),
        (b'{"data" :[{"id": "a"}], "total": 1}', {"total": 1, "data": []}),
        (b'{"data": [], "total": 0}', {"total": 0, "data": []}),
        (b'{"total": 1}', None),
        (b'{"total": 1, "data": "[]"}', None),
        (b'{"total": 1, "data": [{"id": "a"}', None),
        (b'[{"data": [1]}]', None),
        (b'{"in": {"data": [1]}}', None),
        (b'{"data": [1], "data": 2}', None),
        (b'{"text": "\\"data\\": [", "data": [1]}', {"text": '"data": [', "data": []}),
    ],
)
def test_the_rows_of_an_answer_are_found_or_it_is_decoded(body: bytes, around: dict[str, Any] | None) -> None:
    found = find_rows(body, "data")
    assert (found and found[0]) == around
    if found is not None:
        assert orjson.loads(found[1]) == orjson.loads(body)["data"]


@pytest.mark.parametrize("body", [b'{"data": [{"id": "a"}], "other": [1]}', b'{"data": [{}], "data": [{}]}'])
def test_an_array_that_does_not_end_where_it_seems_to_is_not_taken(body: bytes) -> None:
    found = find_rows(body, "data")
    assert found is None or read_columns(found[1], WANTED, NEVER) is None
