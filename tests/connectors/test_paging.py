"""Offset paging: which pages a list takes, and what an answer must look like."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.paging import MOST_PAGES, Batch, Malformed, OffsetPaging

PAGING = OffsetPaging(limit="$limit", offset="$skip", size=250)


def test_the_first_page_asks_for_the_most_from_the_start() -> None:
    assert PAGING.first() == (("$limit", "250"), ("$skip", "0"))
    assert PAGING.reserved == {"$limit", "$skip"}


@pytest.mark.parametrize(
    ("rows", "total", "overlap", "offsets"),
    [
        (0, 0, 1, []),
        (3, 3, 1, []),
        (250, 250, 1, []),
        (250, 251, 0, [250]),
        (250, 251, 1, [249]),
        (250, 1000, 0, [250, 500, 750]),
        (250, 997, 1, [249, 498, 747]),
        (250, 998, 1, [249, 498, 747, 996]),
        # The vendor clamped the limit: what it gave is the stride.
        (100, 250, 0, [100, 200]),
        (100, 250, 1, [99, 198]),
        (1, 3, 0, [1, 2]),
        # More than the total: there are no further pages, and the check of the whole list fails.
        (5, 3, 1, []),
    ],
)
def test_the_offsets_of_the_rest_follow_from_the_first_page(
    rows: int, total: int, overlap: int, offsets: list[int]
) -> None:
    rest = PAGING.rest(Batch([{} for _ in range(rows)], total), overlap)
    assert [dict(query) for query in rest] == [{"$limit": "250", "$skip": str(offset)} for offset in offsets]


@given(total=st.integers(0, 3000), limit=st.integers(2, 400), overlap=st.integers(0, 1))
def test_the_pages_together_are_the_list(total: int, limit: int, overlap: int) -> None:
    most = min(limit, PAGING.size)
    whole = list(range(total))
    found = whole[:most]
    for query in PAGING.rest(Batch([{} for _ in found], total), overlap):
        offset = int(dict(query)["$skip"])
        page = whole[offset : offset + most]
        assert page[:overlap] == found[len(found) - overlap :]
        assert len(page) > overlap
        found += page[overlap:]
    assert found == whole


@pytest.mark.parametrize(
    ("rows", "total", "words"),
    [
        (0, 7, "'data' is empty though 'total' is not 0"),
        (250, 250 * MOST_PAGES + 1, f"'total' would take more than {MOST_PAGES} pages"),
        (1, 10**18, "'total' would take more than"),
    ],
)
def test_a_length_that_cannot_be_is_malformed(rows: int, total: int, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        PAGING.rest(Batch([{} for _ in range(rows)], total), 0)


def test_names_of_rows_and_total_are_the_vendors() -> None:
    other = OffsetPaging(limit="n", offset="from", size=10, rows="items", total="count")
    assert other.parse({"items": [{"id": 1}], "count": 1, "data": []}) == Batch([{"id": 1}], 1)
    with pytest.raises(Malformed, match="'items' is not a list"):
        other.parse({"data": [], "total": 0})


def test_what_else_an_answer_says_is_left() -> None:
    """The vendor's own `limit` and `skip` have been seen to be wrong."""
    assert PAGING.parse({"total": 1, "limit": 9, "skip": 7, "data": [{"id": 1}]}) == Batch([{"id": 1}], 1)
    # A page beyond the end of a list that shrank is empty, and no fault by itself.
    assert PAGING.parse({"total": 240, "data": []}) == Batch([], 240)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "total", "x"]), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_any_json_is_a_batch_or_malformed(body: Any) -> None:
    try:
        batch = PAGING.parse(body)
    except Malformed as error:
        assert "'" in str(error) or "JSON" in str(error)  # noqa: PT017 - either way is right
        return
    assert batch.total >= 0
    assert all(isinstance(row, dict) for row in batch.rows)
