"""What is not known of Humaans has at least two forms: the answer is the same in each, or degrades as it says.

Each row of `deploy/sandbox/choices.py` is taken in every form, through the whole gateway. Never is an answer wrong:
a field is the same, or empty with its reason.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from connectors import ids
from connectors.exchange import Answer, Request
from deploy.sandbox.app import create_app
from deploy.sandbox.choices import Choices, alternatives
from gateway.errors import BadRequest, Forbidden, NotFound, RateLimited, VendorFailure
from tests.connectors.humaans_bench import EXPAND, GET, INCLUDE, TODAY, AppVendor, bench_on, humaans
from tests.fakes.vendor import ReadBench

Record = Mapping[str, Any]
Usual = Mapping[str, Mapping[str, Record]]
WHOLE = {"page_size": "250", "expand": EXPAND, "include": INCLUDE}
OWNER, PUBLIC, PRIVATE, USER = "all-owner", "only-public-read", "only-private-read", "public-private-user"
OTHERS = (PUBLIC, PRIVATE, USER, "public-private-manager", "all-admin", "all-finance")
FORMS = [(name, value) for name, values in alternatives().items() for value in values]
# What is read from the role, or made from it.
ROLE_FIELDS = {"job_title", "department", "department_id", "manager_id", "remote_manager_id"}


@pytest.fixture(scope="module")
def usual() -> Usual:
    """Returns what each token is given where all is as it is thought to be."""
    return {token: asyncio.run(everybody(humaans(token))) for token in (OWNER, *OTHERS)}


async def everybody(bench: ReadBench[AppVendor], **query: Any) -> dict[str, Record]:
    return {record["remote_id"]: record for record in await bench.walk(**{**WHOLE, **query})}


def sorted_lists(record: Record) -> dict[str, Any]:
    """Lists inside a record have the vendor's order, of which nothing is promised."""
    return {
        name: sorted(value, key=str) if isinstance(value, list) and name != "citizenships" else value
        for name, value in record.items()
    }


def same(one: Mapping[str, Record], other: Mapping[str, Record]) -> bool:
    return {key: sorted_lists(record) for key, record in one.items()} == {
        key: sorted_lists(record) for key, record in other.items()
    }


def different_fields(one: Record, other: Record) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def given(name: str, value: str) -> dict[str, Any]:
    return {name: value}


def some_people() -> Iterator[str]:
    """Returns some people of the sandbox: remote, soon promoted, newly hired, leaving, and the odd one."""
    people = create_app(today=TODAY).state.world.people
    yield from (people[number]["id"] for number in (0, 53, 54, 57, 59))


@pytest.mark.parametrize(("name", "value"), FORMS)
async def test_an_owner_is_given_the_same_in_every_form(name: str, value: str, usual: Usual) -> None:
    expected = usual[OWNER]
    assert len(expected) == 60
    bench = humaans(OWNER, **given(name, value))
    assert same(await everybody(bench), expected)
    for key in some_people():
        record = (await bench.body(GET, key, expand=EXPAND, include=INCLUDE))["data"]
        assert sorted_lists(record) == sorted_lists(expected[key])


@pytest.mark.parametrize("token", OTHERS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit_above_max", "reject"),
        ("unknown_filter", "ignore"),
        ("list_order", "oldest_first"),
        ("list_order", "shuffled"),
        ("field_without_right", "null"),
        ("invisible_person", "forbidden"),
        ("error_code", "string"),
        ("error_body", "html"),
        ("location_label", "name"),
        ("inline_job_role", "on"),
        ("as_of", "ignored"),
        ("token_info", "missing"),
    ],
)
async def test_other_tokens_are_given_the_same_in_these_forms(token: str, name: str, value: str, usual: Usual) -> None:
    assert len(usual[token]) > 1
    assert same(await everybody(humaans(token, **given(name, value))), usual[token])


class Careless(AppVendor):
    """A vendor that looks at no filter at all."""

    async def send(self, base_url: str, request: Request) -> Answer:
        query = tuple(pair for pair in request.query if pair[0] in {"$limit", "$skip", "status"})
        return await super().send(base_url, Request(request.method, request.path, query, request.headers))


async def test_a_vendor_that_ignores_every_filter_gives_the_same(usual: Usual) -> None:
    expected = usual[OWNER]
    bench = bench_on(create_app(today=TODAY), vendor=Careless)
    assert same(await everybody(bench), expected)
    for key in some_people():
        record = (await bench.body(GET, key, expand=EXPAND, include=INCLUDE))["data"]
        assert sorted_lists(record) == sorted_lists(expected[key])
    email = expected[next(some_people())]["work_email"]
    found = await everybody(bench, filter__email=email)
    assert [record["work_email"] for record in found.values()] == [email]


# --- forms in which an answer degrades ------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["forbidden", "not_found", "empty"])
async def test_without_the_right_to_job_roles_their_fields_are_left_out_or_empty(how: str, usual: Usual) -> None:
    expected = usual[PUBLIC]
    bench = humaans(PUBLIC, job_roles_with_public_read="forbidden", endpoint_without_right=how)
    found = await everybody(bench)
    assert found.keys() == expected.keys()
    for key, record in found.items():
        differing = different_fields(record, expected[key])
        assert differing <= {*ROLE_FIELDS, "groups", "employments", "updated_at"}
        if how != "empty":
            # And what is made from the role among others: the newer of two moments, teams and the department.
            assert not record.keys() & {*ROLE_FIELDS, "groups", "employments", "updated_at"}
            continue
        # An empty list cannot be told from a company without roles.
        assert {record[name] for name in ROLE_FIELDS} == {None}
        assert [each for each in record["groups"] or () if each["type"]["value"] != "team"] == []
        assert not record["employments"]
    body = await bench.body(page_size="250", include="withheld", fields="id,job_title,department")
    reason = {"empty": "provider_null", "forbidden": "withheld_by_role", "not_found": "unmapped"}[how]
    assert [line["reason"] for line in body["withheld"]["job_title"]] == [reason]


async def test_a_public_token_may_see_more_people_but_no_more_of_them(usual: Usual) -> None:
    expected = usual[PUBLIC]
    found = await everybody(humaans(PUBLIC, public_token_people="all"))
    assert {key: found[key] for key in expected} == expected
    more = [found[key] for key in found.keys() - expected.keys()]
    assert {record["employment_status"]["value"] for record in more} == {"pending", "terminated"}
    assert {frozenset(record) for record in more} == {frozenset(record) for record in expected.values()}


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("omit", "withheld_by_role"),
        # A null cannot be told from a value that nobody has entered.
        ("null", "provider_null"),
    ],
)
async def test_what_a_role_withholds_is_empty_with_its_reason(form: str, reason: str) -> None:
    bench = humaans(USER, field_without_right=form)
    body = await bench.body(page_size="250", include="withheld", fields="remote_id,personal_email,gender")
    seen = [record for record in body["data"] if record["personal_email"]]
    assert len(seen) == 1  # the token's own person
    assert body["withheld"]["personal_email"] == [{"reason": reason, "records": len(body["data"]) - 1}]


@pytest.mark.parametrize("form", ["not_found", "forbidden"])
@pytest.mark.parametrize("kind", ["plain", "unified"])
async def test_a_person_whom_the_token_may_not_see_is_not_found(form: str, kind: str) -> None:
    bench = humaans(PUBLIC, invisible_person=form)
    people = bench.vendor.app.state.world.people
    leaver = next(person["id"] for person in people if person["status"] == "offboarded")
    for key in (leaver, "nobody"):
        with pytest.raises(NotFound, match="no such employee, or this account's token may not see"):
            await bench.ask(GET, key if kind == "plain" else ids.encode("employee", key))


@pytest.mark.parametrize("how", ["forbidden", "not_found", "empty"])
async def test_a_list_that_the_role_closes_is_empty_with_its_reason(how: str) -> None:
    """An admin's token has the scope for pay, but an admin's role sees their own alone."""
    bench = humaans("all-admin", endpoint_without_right=how)
    body = await bench.body(page_size="250", expand="employments")
    rates = [each["pay_rate"] for record in body["data"] for each in record["employments"]]
    assert sum(rate is not None for rate in rates) <= 3
    assert len(rates) > 60


@pytest.mark.parametrize("code", ["number", "string"])
@pytest.mark.parametrize("form", ["json", "html"])
async def test_the_vendors_refusal_is_reported_in_every_form_of_its_body(code: str, form: str) -> None:
    bench = humaans(error_code=code, error_body=form)
    with pytest.raises(BadRequest, match="Humaans does not accept proxy parameters shoeSize") as refused:
        await bench.ask(proxy__shoeSize="43")
    said = refused.value.provider_errors[0].message
    assert said == ("Invalid query parameter shoeSize" if form == "json" else "")
    assert "<" not in refused.value.message
    # Of a page of a firewall it cannot be said who has made it, so nothing follows from it.
    with pytest.raises(NotFound if form == "json" else VendorFailure):
        await bench.ask(GET, "nobody")


async def test_a_parameter_that_the_vendor_ignores_changes_nothing() -> None:
    bench = humaans(unknown_filter="ignore")
    assert await everybody(bench, proxy__shoeSize="43") == await everybody(bench)


@pytest.mark.parametrize(("form", "seconds"), [("sent", range(1, 61)), ("absent", range(60, 61))])
async def test_a_rate_limit_is_passed_on_with_or_without_retry_after(form: str, seconds: range) -> None:
    bench = humaans(rate_limit_requests=2, rate_limit_retry_after=form)
    with pytest.raises(RateLimited, match="Humaans limits how often this account may be asked") as limited:
        await bench.ask()
    assert limited.value.retry_after in seconds
    assert "answer" not in bench.memory.kinds()


async def test_a_leaver_whose_last_role_has_ended_has_it_in_lists_as_in_the_single_record() -> None:
    bench = humaans(leaver_role="ended")
    leaver = next(person for person in bench.vendor.app.state.world.people if person["status"] == "offboarded")
    listed = (await everybody(bench))[leaver["id"]]
    single = (await bench.body(GET, leaver["id"], expand=EXPAND, include=INCLUDE))["data"]
    assert listed == single
    assert listed["job_title"] is not None
    assert listed["employments"][0]["end_date"] == listed["termination_date"]
    assert listed["employments"][0]["active"] is False


@pytest.mark.parametrize("token", ["no-scopes", "only-compensations-read", "only-webhooks-manage"])
async def test_a_token_without_the_scope_is_not_even_asked(token: str) -> None:
    bench = humaans(token)
    with pytest.raises(Forbidden, match="Humaans token lacks the scope public:read or private:read"):
        await bench.ask()
    assert bench.vendor.asked == []


def test_the_forms_are_those_of_the_sandbox() -> None:
    assert {name for name, _ in FORMS} == alternatives().keys()
    assert all(Choices().changed({name: value}) for name, value in FORMS)
