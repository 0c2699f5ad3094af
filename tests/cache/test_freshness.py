"""What a request's `Cache-Control` allows a cached answer for."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.freshness import NO_DIRECTIVES, Directives, Freshness, Times, Use, Windows, directives, judge
from gateway.model import NO_CEILINGS, Ceilings


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
        ("min-fresh=3", Directives(min_fresh=3)),
        ("min-fresh=3, min-fresh=9", Directives(min_fresh=9)),
        ("min-fresh", Directives()),
        ("max-stale", Directives(max_stale=inf)),
        ("max-stale=20", Directives(max_stale=20)),
        ("max-stale, max-stale=20", Directives(max_stale=20)),
        ("max-stale=x", Directives()),
        ("Only-If-Cached", Directives(only_if_cached=True)),
        ("private, stale-if-error, only-if-cached=1", Directives()),
        (",,,", Directives()),
    ],
)
def test_directives_are_read_and_the_rest_is_left(header: str, expected: Directives) -> None:
    assert directives(header) == expected


# Fresh for 60 seconds, then 30 while another is fetched, or 120 where that fails. Made at 1000.
TIMES = Windows(60, 30, 120).begin(1000)


@pytest.mark.parametrize(
    ("asked", "age", "use"),
    [
        (NO_DIRECTIVES, 0, Use.FRESH),
        (NO_DIRECTIVES, 59.9, Use.FRESH),
        (NO_DIRECTIVES, 60, Use.STALE_WHILE_REVALIDATE),
        (NO_DIRECTIVES, 89.9, Use.STALE_WHILE_REVALIDATE),
        (NO_DIRECTIVES, 90, Use.STALE_IF_ERROR),
        (NO_DIRECTIVES, 179.9, Use.STALE_IF_ERROR),
        (NO_DIRECTIVES, 180, Use.UNUSABLE),
        (Directives(no_cache=True), 0, Use.UNUSABLE),
        (Directives(no_store=True), 0, Use.UNUSABLE),
        (Directives(max_age=0), 0, Use.UNUSABLE),
        (Directives(no_cache=True, max_age=30), 1, Use.UNUSABLE),
        (Directives(max_age=30), 30, Use.FRESH),
        # Whoever says how old an answer may be gets no older one, not even if the vendor fails.
        (Directives(max_age=30), 30.5, Use.UNUSABLE),
        (Directives(max_age=100), 70, Use.STALE_WHILE_REVALIDATE),
        (Directives(max_age=100), 95, Use.STALE_IF_ERROR),
        (Directives(max_age=100), 101, Use.UNUSABLE),
        (Directives(min_fresh=10), 50, Use.FRESH),
        (Directives(min_fresh=10), 50.5, Use.UNUSABLE),
        (Directives(min_fresh=10), 70, Use.UNUSABLE),
        (Directives(max_stale=20), 80, Use.STALE),
        (Directives(max_stale=20), 80.5, Use.STALE_WHILE_REVALIDATE),
        (Directives(max_stale=100), 150, Use.STALE),
        (Directives(max_stale=inf), 179, Use.STALE),
        (Directives(max_stale=inf), 180, Use.UNUSABLE),
        (Directives(max_stale=inf, max_age=100), 101, Use.UNUSABLE),
        (Directives(max_stale=inf, min_fresh=1), 70, Use.UNUSABLE),
        (Directives(only_if_cached=True), 10, Use.FRESH),
        (Directives(only_if_cached=True), 95, Use.STALE_IF_ERROR),
    ],
)
def test_what_a_stored_answer_is_good_for(asked: Directives, age: float, use: Use) -> None:
    assert judge(TIMES, 1000 + age, asked) is use


@pytest.mark.parametrize(
    ("age", "use"), [(59, Use.FRESH), (60, Use.STALE_IF_ERROR), (89, Use.STALE_IF_ERROR), (180, Use.UNUSABLE)]
)
def test_a_revalidating_request_wants_a_fresh_answer(age: float, use: Use) -> None:
    assert judge(TIMES, 1000 + age, NO_DIRECTIVES, revalidating=True) is use


@pytest.mark.parametrize(
    ("ceilings", "windows"),
    [
        (NO_CEILINGS, Windows(60, 30, 120)),
        (Ceilings(fresh=10), Windows(10, 30, 120)),
        (Ceilings(stale=0), Windows(60, 0, 0)),
        (Ceilings(fresh=0, stale=40), Windows(0)),
        (Ceilings(fresh=5, stale=40), Windows(5, 30, 40)),
        (Ceilings(fresh=10**6, stale=10**6), Windows(60, 30, 120)),
    ],
)
def test_an_account_may_lower_the_windows_and_never_raise_them(ceilings: Ceilings, windows: Windows) -> None:
    assert Windows(60, 30, 120).within(ceilings) == windows


windows_ = st.builds(Windows, *[st.floats(0, 10**5)] * 3)
asked_ = st.builds(
    Directives,
    no_cache=st.booleans(),
    max_age=st.none() | st.integers(0, 10**5),
    min_fresh=st.integers(0, 100),
    max_stale=st.sampled_from([0, 50, inf]),
)


@given(windows_, asked_, st.floats(0, 10**6), st.floats(0, 1))
def test_no_answer_is_used_beyond_its_windows_or_the_age_that_was_asked_for(
    windows: Windows, asked: Directives, age: float, jitter: float
) -> None:
    times = windows.begin(0, jitter)
    use = judge(times, age, asked)
    if use is not Use.UNUSABLE:
        assert not asked.no_cache
        assert age <= windows.fresh + max(windows.stale_while_revalidate, windows.stale_if_error)
        assert asked.max_age is None or age <= asked.max_age
    if use is Use.FRESH:
        assert age < windows.fresh
        assert windows.fresh - age >= asked.min_fresh - 1e-6
    if use is Use.STALE_WHILE_REVALIDATE:
        assert age < windows.fresh + windows.stale_while_revalidate


@given(windows_, windows_, st.floats(0, 100), st.floats(0, 100), st.floats(0, 10**6))
def test_an_answer_of_two_parts_is_good_for_no_more_than_either(
    one: Windows, other: Windows, first: float, second: float, now: float
) -> None:
    parts = one.begin(first), other.begin(second)
    joined = parts[0].joined(parts[1])
    assert joined.made_at == min(first, second)
    if judge(joined, now, NO_DIRECTIVES) is Use.FRESH:
        assert all(judge(part, now, NO_DIRECTIVES) is Use.FRESH for part in parts)


@given(st.text(max_size=60))
def test_any_header_is_read(header: str) -> None:
    found = directives(header)
    assert found.max_age is None or found.max_age >= 0


# --- freshness that is owed to a vendor webhook ------------------------------------------------------------------


def test_an_answer_whose_changes_are_told_is_fresh_for_longer_and_all_windows_move_along() -> None:
    usual = Windows(60, 30, 600).begin(1000)
    longer = usual.extended(1900)
    assert longer == Times(1000, 1900, 1930, 2500, 1060)
    assert usual.extended(1060) == usual.extended(0) == usual


@pytest.mark.parametrize(("since", "as_usual"), [(999.0, False), (1000.0, False), (1000.1, True), (inf, True)])
def test_an_answer_made_before_messages_may_have_been_lost_is_fresh_as_usual(since: float, as_usual: bool) -> None:
    usual = Windows(60, 30, 600).begin(1000)
    longer = usual.extended(1900)
    assert longer.bounded(since) == (usual if as_usual else longer)
    assert usual.bounded(since) == usual


def test_an_answer_made_of_both_owes_it_to_the_webhook_from_when_the_first_part_does() -> None:
    usual, longer = Windows(300).begin(1000), Windows(60).begin(1010).extended(1900)
    joined = usual.joined(longer)
    assert (joined.made_at, joined.fresh_until, joined.webhook_from) == (1000, 1300, 1070)
    assert joined.bounded(2000).fresh_until == 1070
    assert longer.joined(longer) == longer
    assert usual.joined(usual).webhook_from == 0


@pytest.mark.parametrize(
    ("now", "forwarded", "why"),
    [(1059, "", "local"), (1060, "", "webhook"), (1899, "", "webhook"), (1900, "", "local"), (1500, "miss", "local")],
)
def test_the_detail_says_where_nothing_but_the_webhook_makes_it_fresh(now: float, forwarded: str, why: str) -> None:
    times = Windows(60).begin(1000).extended(1900)
    assert Freshness(times=times, now=now, forwarded=forwarded, detail="local").why == why
