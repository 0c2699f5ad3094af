"""What a request's `Cache-Control` lets a kept answer be used for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.freshness import NO_DIRECTIVES, Directives, directives


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Directives()),
        ("no-cache", Directives(no_cache=True)),
        ("No-Cache", Directives(no_cache=True)),
        ("no-store", Directives(no_store=True)),
        ("no-cache, no-store", Directives(no_cache=True, no_store=True)),
        ("max-age=0", Directives(max_age=0)),
        ("max-age=30", Directives(max_age=30)),
        ('max-age="30"', Directives(max_age=30)),
        ("Max-Age=30", Directives(max_age=30)),
        # Of two, the stricter.
        ("max-age=30, max-age=10", Directives(max_age=10)),
        (" no-cache ,max-age=5 ", Directives(no_cache=True, max_age=5)),
        ("max-age=-1", Directives()),
        ("max-age=1.5", Directives()),
        ("max-age=x", Directives()),
        ("max-age", Directives()),
        ("max-age=9999999999", Directives()),
        ("max-age = 30", Directives()),
        ("no-cache=x", Directives()),
        ("private, only-if-cached, min-fresh=3, stale-if-error", Directives()),
        (",,,", Directives()),
    ],
)
def test_directives_are_read_and_the_rest_is_left(header: str, expected: Directives) -> None:
    assert directives(header) == expected


@pytest.mark.parametrize(
    ("given_", "age", "accepted"),
    [
        (NO_DIRECTIVES, 10**9, True),
        (Directives(no_cache=True), 0, False),
        (Directives(no_store=True), 0, False),
        (Directives(max_age=0), 0, False),
        (Directives(max_age=30), 30, True),
        (Directives(max_age=30), 30.5, False),
        (Directives(no_cache=True, max_age=30), 1, False),
    ],
)
def test_a_kept_answer_is_accepted_by_age(given_: Directives, age: float, *, accepted: bool) -> None:
    assert given_.accepts(age) is accepted


@given(st.text(max_size=60))
def test_any_header_is_read(header: str) -> None:
    found = directives(header)
    assert found.max_age is None or found.max_age >= 0
