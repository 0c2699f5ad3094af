"""A record is the same wherever it is shown: in lists and alone, cold and warm, by itself and within another."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import cycle, pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Operation
from connectors.hris.operations import OPERATIONS
from connectors.humaans import employments
from connectors.humaans.connector import HUMAANS
from connectors.spec import Endpoint
from deploy.sandbox.app import create_app
from deploy.sandbox.choices import alternatives
from gateway.cache.freshness import Directives
from tests.connectors.humaans_bench import EXPAND, GET, INCLUDE, LIST, TODAY, AppVendor, humaans
from tests.fakes.vendor import ReadBench

Records = Mapping[str, Mapping[str, Any]]
ROLE_FORMS: list[dict[str, Any]] = [
    {"role_ends": ends, "leaver_role": leaver, "list_order": order}
    for (ends, leaver), order in zip(
        product(alternatives()["role_ends"], alternatives()["leaver_role"]),
        cycle(alternatives()["list_order"]),
        strict=False,
    )
]
FORMS: list[dict[str, Any]] = [{name: value} for name, values in alternatives().items() for value in values[1:]]
TOKENS = ("all-owner", "only-public-read", "only-private-read", "public-private-user", "public-private-manager")
EMPLOYMENTS = next(each for each in OPERATIONS if each.id == "list_employments")
OF_EMPLOYEE = next(each for each in OPERATIONS if each.id == "list_employee_employments")


def pairs() -> Iterator[tuple[Operation, Operation, Endpoint]]:
    """Returns each list of all records of a resource with the read of one of them."""
    for listed, single in product(OPERATIONS, OPERATIONS):
        kinds = (listed.kind, single.kind, listed.of_employee, single.of_employee)
        endpoint = HUMAANS.endpoint(listed)
        if listed.resource == single.resource and kinds == ("list", "get", False, False) and endpoint:
            yield listed, single, endpoint


PAIRS = tuple(pairs())


def everything(operation: Operation, endpoint: Endpoint) -> list[dict[str, str]]:
    """Returns the queries for the usual fields with all that can be added, and for all fields by name."""
    added = {name: ",".join(getattr(operation, name)) for name in ("expand", "include") if getattr(operation, name)}
    return [added, {"fields": ",".join(endpoint.table.resource.fields), **added}]


async def listed(bench: ReadBench[AppVendor], operation: Operation, query: Mapping[str, str], **about: str) -> Records:
    found = (await bench.body(operation, **about, **query, page_size="250"))["data"]
    assert found
    return {each["id"]: each for each in found}


async def alone(bench: ReadBench[AppVendor], operation: Operation, key: str, query: Mapping[str, str]) -> Any:
    return (await bench.body(operation, key, **query))["data"]


def cold(bench: ReadBench[AppVendor]) -> None:
    bench.memory.values.clear()


async def compare(bench: ReadBench[AppVendor], every: int) -> None:
    """Compare the records of all resources; of those that are made of roles each, or each `every`th."""
    for (operation, single, endpoint), which in product(PAIRS, (0, 1)):
        query = everything(operation, endpoint)[which]
        of_roles = operation.resource in {"employees", "employments"} and not which
        some = slice(None, None, every if of_roles else 9)
        cold(bench)
        expected = await listed(bench, operation, query)
        for key in list(expected)[some]:
            # After the list; alone; and the list after that.
            assert await alone(bench, single, key, query) == expected[key], operation.id
        for key in list(expected)[some]:
            cold(bench)
            assert await alone(bench, single, key, query) == expected[key], operation.id
        assert await listed(bench, operation, query) == expected


@pytest.mark.parametrize("form", ROLE_FORMS, ids=lambda form: "-".join(form.values()))
async def test_every_record_is_the_same_in_lists_and_alone(form: dict[str, Any]) -> None:
    await compare(humaans(**form), 1)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: "-".join(map(str, form.items())))
async def test_a_record_is_the_same_in_lists_and_alone_in_every_form(form: dict[str, Any]) -> None:
    await compare(humaans(**form), 16)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("form", [{}, {"role_ends": "open", "leaver_role": "ended"}], ids=["usual", "other"])
async def test_a_record_is_the_same_in_lists_and_alone_for_every_token(token: str, form: dict[str, Any]) -> None:
    bench = humaans(token, **form)
    for query in everything(LIST, next(endpoint for listing, _, endpoint in PAIRS if listing is LIST)):
        cold(bench)
        expected = await listed(bench, LIST, query)
        for key in expected:
            cold(bench)
            assert await alone(bench, GET, key, query) == expected[key]


# --- leavers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page_size", ["1", "7", "250"])
async def test_a_leaver_whose_last_role_has_ended_has_it_in_every_page(page_size: str) -> None:
    bench = humaans(leaver_role="ended")
    people = create_app(today=TODAY).state.world.people
    leavers = {person["id"] for person in people if person["status"] == "offboarded"}
    found = {each["remote_id"]: each for each in await bench.walk(page_size=page_size)}
    assert leavers
    assert all(found[key]["job_title"] for key in leavers)
    usual = {each["remote_id"]: each for each in await humaans().walk(page_size=page_size)}
    assert found == usual


async def test_the_roles_of_all_times_are_read_where_a_leaver_wants_one_alone() -> None:
    """And are remembered to be wanted: then the roles of today and those to come need not be read before."""
    usual = humaans()
    await usual.ask(page_size="250")
    calls = [request.query[:-2] for request in usual.vendor.asked if request.path == "/job-roles"]
    assert calls == [(("$asOf", "2026-11-24"),), (("effectiveDate[$gt]", "2026-11-24"),)]
    ended = humaans(leaver_role="ended")
    for expected in (3, 1, 1):
        ended.vendor.asked.clear()
        await ended.ask(page_size="250", directives=Directives(no_cache=True))
        asked = [request.query[:-2] for request in ended.vendor.asked if request.path == "/job-roles"]
        assert len(asked) == expected
        assert asked[-1] == ()


DAYS = st.none() | st.dates(TODAY - timedelta(days=4), TODAY + timedelta(days=4)).map(str)


@given(
    days=st.lists(st.tuples(DAYS, DAYS, st.sampled_from(["", "2020-01-01", "2020-01-02"])), max_size=5),
    start=DAYS,
    end=DAYS,
    status=st.sampled_from(["active", "newHire", "offboarded", None]),
    order=st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=500)
def test_the_short_lists_say_the_same_as_the_whole_one_or_it_is_wanted(
    days: list[tuple[Any, Any, str]], start: Any, end: Any, status: Any, order: Any
) -> None:
    join = employments.CURRENT_ROLE
    roles = [
        {"id": f"r{number}", "personId": "p", "effectiveDate": begin, "endDate": until, "createdAt": created}
        for number, (begin, until, created) in enumerate(days)
    ]
    person = {"id": "p", "status": status, "employmentStartDate": start, "employmentEndDate": end}
    short = [
        row
        for collection in join.collections
        for row in roles
        if collection.sift is not None and collection.sift(row, "", TODAY)
    ]
    shuffled = order.sample(roles, len(roles))
    assert join.further is not None
    if not join.further.wanted(person, short, TODAY):
        assert join.pick(person, short, TODAY) == join.pick(person, shuffled, TODAY)
    assert join.pick(person, roles, TODAY) == join.pick(person, shuffled, TODAY)


# --- employments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ROLE_FORMS, ids=lambda form: "-".join(form.values()))
async def test_an_employment_is_the_same_by_itself_and_within_an_employee(form: dict[str, Any]) -> None:
    bench = humaans(**form)
    people = await listed(bench, LIST, {"expand": EXPAND, "include": INCLUDE})
    known = await listed(bench, EMPLOYMENTS, {})
    within = {each["id"]: each for person in people.values() for each in person["employments"]}
    assert within.keys() == known.keys()
    for key, employment in within.items():
        shared = employment.keys() & known[key].keys()
        assert {"active", "end_date", "pay_rate"} <= shared
        assert {name: employment[name] for name in shared} == {name: known[key][name] for name in shared}
    for person in people.values():
        cold(bench)
        own = (await bench.body(OF_EMPLOYEE, employee=person["id"]))["data"]
        assert {each["id"]: each for each in own} == {each["id"]: known[each["id"]] for each in person["employments"]}


@pytest.mark.parametrize("form", ROLE_FORMS, ids=lambda form: "-".join(form.values()))
async def test_a_history_has_at_most_one_active_employment_and_no_two_days_twice(form: dict[str, Any]) -> None:
    bench = humaans(**form)
    people = await listed(bench, LIST, {"expand": EXPAND})
    usual = await listed(humaans(), LIST, {"expand": EXPAND})
    for key, person in people.items():
        roles = sorted(person["employments"], key=lambda each: each["effective_date"])
        assert sum(each["active"] for each in roles) <= 1
        assert all(one["end_date"] < other["effective_date"] for one, other in pairwise(roles))
        if person["employment_status"]["value"] == "terminated":
            assert not any(each["active"] for each in roles)
            assert roles[-1]["end_date"] == person["termination_date"]
        # Whether the vendor says when a role has ended makes no difference.
        assert roles == sorted(usual[key]["employments"], key=lambda each: each["effective_date"])


async def test_what_an_employment_lacks_is_joined_for_the_fields_that_want_it_alone() -> None:
    bench = humaans(role_ends="open")
    whole = await listed(bench, EMPLOYMENTS, {})
    endpoint = HUMAANS.endpoint(EMPLOYMENTS)
    assert endpoint is not None
    for name in endpoint.table.resource.fields:
        cold(bench)
        alone_ = await listed(bench, EMPLOYMENTS, {"fields": f"id,{name}"})
        for key, record in alone_.items():
            if name in whole[key]:
                assert record[name] == whole[key][name], name
    cold(bench)
    bench.vendor.asked.clear()
    await bench.ask(EMPLOYMENTS, fields="id,job_title")
    assert {request.path for request in bench.vendor.asked} == {"/job-roles"}


@pytest.mark.parametrize("no_cache", [True, False])
async def test_a_list_that_is_joined_to_itself_is_read_once(*, no_cache: bool) -> None:
    bench = humaans()
    await bench.ask(EMPLOYMENTS, directives=Directives(no_cache=no_cache, no_store=no_cache))
    paths = [request.path for request in bench.vendor.asked]
    assert sorted(paths) == ["/compensation-types", "/compensations", "/job-roles", "/people"]


def role(number: int, begins: Any, ends: Any = None, created: str = "2020-01-01") -> dict[str, Any]:
    return {"id": f"r{number}", "personId": "p", "effectiveDate": begins, "endDate": ends, "createdAt": created}


@given(
    days=st.lists(st.tuples(DAYS, DAYS, st.sampled_from(["", "2020-01-01", "2020-01-02"])), max_size=5),
    left_on=DAYS,
    order=st.randoms(use_true_random=False),
    today=st.dates(TODAY - timedelta(days=6), TODAY + timedelta(days=6)),
)
@settings(deadline=None, max_examples=500)
def test_of_open_roles_one_at_most_is_active_on_any_day(
    days: list[tuple[Any, Any, str]], left_on: Any, order: Any, today: date
) -> None:
    roles = [role(number, begins, None, created) for number, (begins, _, created) in enumerate(days)]
    person = {"id": "p", "employmentEndDate": left_on}
    found = employments.roles_of(person, order.sample(roles, len(roles)), today)
    assert found == employments.roles_of(person, roles, today)
    acting = [
        each
        for each in found
        if employments.active(each["effectiveDate"], each["endDate"], each["leftOn"], today, each["followedOn"])
    ]
    assert len(acting) <= 1
    begun = [each for each in roles if each["effectiveDate"] and each["effectiveDate"] <= str(today)]
    there = not left_on or str(today) <= left_on
    assert bool(acting) == (bool(begun) and there)
    for each in found:
        alone_ = employments.among_others(each, (person, roles))
        assert (alone_["leftOn"], alone_["followedOn"]) == (each["leftOn"], each["followedOn"])


def test_a_role_that_the_vendor_has_ended_has_its_own_end_date() -> None:
    """Two at once that both have their end are two at once: the vendor says so."""
    roles = [role(1, "2020-01-01", "2026-12-31"), role(2, "2026-01-01", "2026-06-30")]
    found = employments.roles_of({}, roles, TODAY)
    ends = {each["id"]: employments.last_day(each["endDate"], None, each["followedOn"]) for each in found}
    assert ends == {"r1": "2026-12-31", "r2": "2026-06-30"}


def test_the_pairs_are_those_of_the_connector() -> None:
    assert {listing.resource for listing, _, _ in PAIRS} >= {"employees", "employments", "companies", "locations"}
