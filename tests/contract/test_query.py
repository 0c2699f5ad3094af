"""A query is understood whole or refused with every fault in it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.hris.employees import EMPLOYEES
from connectors.hris.operations import OPERATIONS
from gateway.contract.query import PageLimits, Query, parse
from gateway.errors import BadRequest

LIMITS = PageLimits(default=25, most=250)
LIST = next(operation for operation in OPERATIONS if operation.id == "list_employees")
GET = next(operation for operation in OPERATIONS if operation.id == "get_employee")
PARAMETERS = (
    "expand fields filter[email] filter[employee_number] filter[updated_after] include next page page_size proxy[…] "
    "raw updated_after"
).split()

Pairs = Sequence[tuple[str, str]]


def read(*pairs: tuple[str, str]) -> Query:
    return parse(LIST, EMPLOYEES, pairs, LIMITS)


def faults(*pairs: tuple[str, str]) -> tuple[str, ...]:
    with pytest.raises(BadRequest) as refused:
        read(*pairs)
    assert refused.value.code == "ValidationError"
    assert all(fault in refused.value.message for fault in refused.value.errors)
    return refused.value.errors


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], Query(page_size=25)),
        ([("page_size", "1")], Query(page_size=1)),
        ([("page_size", "250")], Query(page_size=250)),
        ([("page_size", "0025")], Query(page_size=25)),
        ([("page_size", "")], Query(page_size=25)),
        ([("page", "1")], Query(page_size=25, page=1)),
        ([("page", "7"), ("page_size", "3")], Query(page_size=3, page=7)),
        ([("next", "opaque")], Query(page_size=25, cursor="opaque")),
        ([("next", "")], Query(page_size=25)),
        ([("fields", "id,first_name")], Query(page_size=25, fields=frozenset({"id", "first_name"}))),
        ([("fields", " id , ,id,")], Query(page_size=25, fields=frozenset({"id"}))),
        ([("fields", "")], Query(page_size=25)),
        ([("fields", ",")], Query(page_size=25)),
        ([("fields", "remote_job_id")], Query(page_size=25, fields=frozenset({"remote_job_id"}))),
        ([("expand", "company,groups")], Query(page_size=25, expand=frozenset({"company", "groups"}))),
        ([("include", "avatar")], Query(page_size=25, include=frozenset({"avatar"}))),
        ([("include", "withheld")], Query(page_size=25, reasons=True)),
        ([("include", "avatar,withheld")], Query(page_size=25, include=frozenset({"avatar"}), reasons=True)),
        ([("raw", "true")], Query(page_size=25, raw=True)),
        ([("raw", "TRUE")], Query(page_size=25, raw=True)),
        ([("raw", "false")], Query(page_size=25)),
        ([("raw", "")], Query(page_size=25)),
        ([("filter[email]", "a@b.c")], Query(page_size=25, filters={"email": "a@b.c"})),
        ([("filter[employee_number]", "007")], Query(page_size=25, filters={"employee_number": "007"})),
        ([("proxy[status]", "active")], Query(page_size=25, proxy=(("status", "active"),))),
        ([("proxy[date][$gte]", "x")], Query(page_size=25, proxy=(("date[$gte]", "x"),))),
        ([("proxy[a][b][c]", "x")], Query(page_size=25, proxy=(("a[b][c]", "x"),))),
        ([("proxy[tags][]", "x")], Query(page_size=25, proxy=(("tags", "x"),))),
        ([("proxy[a]", "1"), ("proxy[a]", "2")], Query(page_size=25, proxy=(("a", "1"), ("a", "2")))),
        ([("proxy[a]", "")], Query(page_size=25, proxy=(("a", ""),))),
        # StackOne's own Python client sends these two bare.
        ([("filter", "{}"), ("proxy", "x"), ("filter", "")], Query(page_size=25)),
    ],
)
def test_what_is_asked_is_read(pairs: Pairs, expected: Query) -> None:
    assert read(*pairs) == expected


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-31T00:00:00Z", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T00:00:00.000Z", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T00:00:00.123456Z", "2026-01-31T00:00:00.123Z"),
        ("2026-01-31T02:00:00+02:00", "2026-01-31T00:00:00.000Z"),
        # A `+` that was not percent-encoded.
        ("2026-01-31T02:00:00 02:00", "2026-01-31T00:00:00.000Z"),
        ("2026-01-30T19:00:00-05:00", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
    ],
)
@pytest.mark.parametrize("name", ["filter[updated_after]", "updated_after"])
def test_moments_are_read_with_their_zone(name: str, value: str, moment: str) -> None:
    assert read((name, value)).filters == {"updated_after": moment}


def test_both_names_of_a_filter_may_agree() -> None:
    pairs = ("updated_after", "2026-01-31T02:00:00+02:00"), ("filter[updated_after]", "2026-01-31T00:00:00Z")
    assert read(*pairs).filters == {"updated_after": "2026-01-31T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("page_size", "0")], "page_size must be a whole number from 1 to 250"),
        ([("page_size", "251")], "page_size must be a whole number from 1 to 250"),
        ([("page_size", "-1")], "page_size must be"),
        ([("page_size", "2.5")], "page_size must be"),
        ([("page_size", "٣")], "page_size must be"),
        ([("page_size", "²")], "page_size must be"),
        ([("page_size", " 5")], "page_size must be"),
        ([("page_size", "9" * 5000)], "page_size must be"),
        ([("page", "0")], "page must be a whole number from 1"),
        ([("page", "two")], "page must be a whole number from 1"),
        ([("page", "2"), ("next", "x")], "page and next exclude each other"),
        ([("raw", "yes")], "raw must be true or false"),
        ([("raw", "1")], "raw must be true or false"),
        ([("fields", "id,shoe")], "fields has no shoe; known: id, remote_id"),
        ([("fields", "a,b")], "fields has no a, b; known"),
        ([("expand", "boss")], "expand has no boss; known: company, employments"),
        ([("include", "salary")], "include has no salary; known: avatar_url"),
        ([("include", "withheld,x")], "include has no x"),
        ([("filter[status]", "x")], "unknown filter 'filter[status]'; known: filter[updated_after], filter[email]"),
        ([("filter[email][x]", "x")], "unknown filter 'filter[email][x]'"),
        ([("filter[]", "x")], "unknown filter 'filter[]'"),
        ([("filter[email]", "")], "filter[email] is empty"),
        ([("filter[email]", "a"), ("filter[email]", "a")], "filter[email] is given twice"),
        ([("filter[updated_after]", "yesterday")], "filter[updated_after] must be a date-time with a zone"),
        ([("filter[updated_after]", "2026-01-31T00:00:00")], "filter[updated_after] must be a date-time with a zone"),
        ([("filter[updated_after]", "2026-02-30T00:00:00Z")], "filter[updated_after] must be"),
        ([("updated_after", "1767225600")], "updated_after must be a date-time with a zone"),
        (
            [("updated_after", "2026-01-01"), ("filter[updated_after]", "2026-01-02")],
            "updated_after and filter[updated_after] differ",
        ),
        ([("fields", "id"), ("fields", "id")], "fields is given twice"),
        ([("page_size", "1"), ("page_size", "2")], "page_size is given twice"),
        ([("next", "a"), ("next", "b")], "next is given twice"),
        ([("proxy[]", "x")], "'proxy[]' does not name a parameter of the provider"),
        ([("proxy[a b]", "x")], "'proxy[a b]' does not name"),
        ([("proxy[a&b]", "x")], "does not name"),
        ([("proxy[" + "a" * 65 + "]", "x")], "does not name"),
        ([("limit", "5")], "unknown parameter 'limit'; known: expand, fields, filter[email]"),
        ([("Page_Size", "5")], "unknown parameter 'Page_Size'"),
        ([("filter[", "x")], "unknown parameter 'filter['"),
        ([("filters[email]", "x")], "unknown parameter 'filters[email]'"),
        ([("", "x")], "unknown parameter ''"),
        ([("x" * 5000, "")], "unknown parameter '" + "x" * 64 + "'"),
    ],
)
def test_a_fault_is_named(pairs: Pairs, words: str) -> None:
    [fault] = faults(*pairs)
    assert words in fault
    assert len(fault) < 1500


def test_all_faults_are_named_at_once() -> None:
    found = faults(("page_size", "0"), ("raw", "x"), ("fields", "shoe"), ("colour", "red"), ("filter[age]", "3"))
    assert len(found) == 5
    assert {fault.split()[0] for fault in found} == {"page_size", "raw", "fields", "unknown"}


def test_an_unknown_name_gets_all_known_ones() -> None:
    [fault] = faults(("colour", "red"))
    assert fault.partition("known: ")[2].split(", ") == PARAMETERS


@pytest.mark.parametrize(
    "name", ["page", "page_size", "next", "updated_after", "filter[email]", "filter[updated_after]"]
)
def test_a_single_record_takes_no_parameter_of_lists(name: str) -> None:
    with pytest.raises(BadRequest, match="unknown") as refused:
        parse(GET, EMPLOYEES, [(name, "1")], LIMITS)
    listing = refused.value.message.partition("known: ")[2]
    assert listing in {"none here", "expand, fields, include, proxy[…], raw"}


def test_an_operation_without_expand_does_not_know_the_parameter() -> None:
    bare = replace(LIST, expand=(), include=())
    with pytest.raises(BadRequest, match="unknown parameter 'expand'"):
        parse(bare, EMPLOYEES, [("expand", "company")], LIMITS)
    assert parse(bare, EMPLOYEES, [("include", "withheld")], LIMITS).reasons


SAME = [
    [
        [("fields", "id,first_name"), ("filter[email]", "a"), ("filter[employee_number]", "1")],
        [("filter[employee_number]", "1"), ("filter[email]", "a"), ("fields", "first_name,id,id")],
    ],
    [[("updated_after", "2026-01-31")], [("filter[updated_after]", "2026-01-31T01:00:00+01:00")]],
    [[], [("raw", "true")], [("page_size", "7")], [("page", "3")], [("next", "x")], [("fields", "")]],
    [[("expand", "company,groups")], [("expand", "groups,company")]],
    [[("proxy[a]", "1"), ("proxy[b]", "2")], [("proxy[b]", "2"), ("proxy[a]", "1")]],
]
DIFFERENT: list[Pairs] = [
    *(group[0] for group in SAME),
    [("fields", "id")],
    [("fields", "company")],
    [("expand", "company")],
    [("include", "avatar")],
    [("include", "withheld")],
    [("filter[email]", "a")],
    [("filter[email]", "b")],
    [("filter[employee_number]", "a")],
    [("proxy[a]", "1")],
    [("proxy[a]", "2")],
    [("proxy[a]", "1"), ("proxy[a]", "2")],
    # The last of several may be the one that the vendor takes.
    [("proxy[a]", "2"), ("proxy[a]", "1")],
    [("filter[email]", "a\nb")],
    [("filter[email]", "'), ('b', '")],
]


@pytest.mark.parametrize("group", SAME)
def test_the_same_question_has_the_same_canonical_text(group: Sequence[Pairs]) -> None:
    assert len({read(*pairs).canonical() for pairs in group}) == 1


def test_different_questions_have_different_canonical_texts() -> None:
    assert len({read(*pairs).canonical() for pairs in DIFFERENT}) == len(DIFFERENT)


def test_answer_keys_differ_by_size_page_and_cursor() -> None:
    queries = [[], [("page_size", "7")], [("page", "1")], [("page", "2")], [("next", "x")], [("next", "y")]]
    assert len({read(*pairs).position() for pairs in queries}) == len(queries)


NAMES = st.one_of(
    st.sampled_from([*PARAMETERS, "filter", "proxy", "proxy[a]", "proxy[a][]", "filter[]", "filter[x]", "get"]),
    st.text(max_size=20),
    st.text("filterproxy[]$", max_size=20),
)
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["true", "5", "id,first_name", "company", "avatar", "2026-01-31", "withheld"]),
    st.datetimes().map(str),
    st.characters(codec=None),
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
@settings(deadline=None, max_examples=300)
def test_arbitrary_pairs_are_a_query_or_a_bad_request(pairs: list[tuple[str, str]]) -> None:
    try:
        query = read(*pairs)
    except BadRequest as refused:
        assert refused.errors  # noqa: PT017 - either way is right
        return
    assert 1 <= query.page_size <= 250
    assert query.fields is None or query.fields <= EMPLOYEES.fields.keys()
    assert query.filters.keys() <= set(LIST.filters)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=4, unique_by=lambda pair: pair[0]))
@settings(deadline=None, max_examples=100)
def test_the_order_of_distinct_parameters_says_nothing(pairs: list[tuple[str, str]]) -> None:
    found: set[tuple[str, ...]] = set()
    for order in permutations(pairs):
        try:
            found.add((read(*order).canonical(), read(*order).position()))
        except BadRequest as refused:
            found.add(tuple(sorted(refused.errors)))
    assert len(found) == 1
