"""No filter that is sent to Humaans is sure: refused or ignored, it gives the same answers as where it works."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from connectors.contract import Operation
from connectors.exchange import Answer, Request
from connectors.hris.operations import OPERATIONS
from connectors.humaans.connector import HUMAANS
from connectors.spec import Collection
from deploy.sandbox.app import Sandbox, create_app
from gateway.cache.freshness import Directives
from gateway.errors import BadRequest, GatewayError, VendorFailure
from gateway.unified.vendor_facts import SECONDS
from tests.connectors.humaans_bench import TODAY, AppVendor, bench_on
from tests.fakes.core import refusal
from tests.fakes.vendor import ReadBench

FORMS = ("400", "422", "ignored")
ANEW = Directives(no_cache=True)


def filters() -> Mapping[tuple[str, str], Sequence[Collection]]:
    """Returns each path with each parameter that our tables send to it, and the lists that are asked for with it."""
    found: dict[tuple[str, str], list[Collection]] = {}
    for collection in HUMAANS.collections():
        for name in collection.query:
            found.setdefault((collection.path, name), []).append(collection)
    for endpoint in HUMAANS.endpoints:
        for name in endpoint.filters.values():
            assert isinstance(endpoint.listing, Collection)
            found.setdefault((endpoint.listing.path, name), []).append(endpoint.listing)
    return found


FILTERS = filters()


class Unwilling(AppVendor):
    """A Humaans that refuses a parameter, or does not look at it. Who knows no status lists everybody."""

    path = name = form = ""
    refused = 0

    async def send(self, base_url: str, request: Request) -> Answer:
        query = request.query
        if request.path == self.path:
            if self.form != "ignored" and self.name in dict(query):
                self.asked.append(request)
                self.refused += 1
                return refusal(int(self.form))
            query = tuple(pair for pair in query if pair[0] != self.name)
            query += (("status", "all"),) if self.name == "status" else ()
        return await super().send(base_url, Request(request.method, request.path, query, request.headers))


@cache
def sandbox() -> Sandbox:
    return create_app(60, today=TODAY)


def bench(path: str = "", name: str = "", form: str = "") -> ReadBench[AppVendor]:
    made = bench_on(sandbox(), vendor=Unwilling)
    assert isinstance(made.vendor, Unwilling)
    made.vendor.path, made.vendor.name, made.vendor.form = path, name, form
    return made


def readers(path: str) -> list[Operation]:
    """Returns the reads that may be made of a list at this path."""
    found = []
    for operation in OPERATIONS:
        endpoint = HUMAANS.endpoint(operation)
        if endpoint is not None and operation.reads:
            found.append(operation)
    return [each for each in found if path in asked_by(each)]


@cache
def people() -> tuple[str, ...]:
    """Returns the ids of some people: one with a promotion to come, a new hire, a leaver."""
    rows = sandbox().state.world.people
    return tuple(rows[number]["id"] for number in (53, 54, 57))


async def freshness_of(on: ReadBench[AppVendor], operation: Operation) -> list[Any]:
    """Returns all that an operation tells: of some employees, of some records, with and without a filter."""
    query = {"page_size": "100"} if operation.kind == "list" else {}
    query |= {name: ",".join(getattr(operation, name)) for name in ("expand", "include") if getattr(operation, name)}
    listed = next(
        each
        for each in OPERATIONS
        if each.kind == "list" and each.resource == operation.resource and each.of_employee == operation.of_employee
    )
    found: list[Any] = []
    for employee in people() if operation.of_employee else ("",):
        if operation.kind == "list":
            found.append(await on.body(operation, employee=employee, **query))
            if operation.id == "list_employees":
                address = found[0]["data"][3]["work_email"]
                on.memory.values.clear()
                found.append(await on.body(operation, filter__email=address, **query))
                assert len(found[-1]["data"]) == 1
            continue
        keys = [each["id"] for each in (await on.body(listed, employee=employee, page_size="100"))["data"]]
        on.memory.values.clear()
        found += [await on.body(operation, key, employee=employee, **query) for key in sorted(keys)[:3]]
    return [_without_cursors(each) for each in found]


def _without_cursors(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "next": bool(body.get("next"))}


@cache
def usual(operation: Operation) -> list[Any]:
    return asyncio.run(freshness_of(bench(), operation))


@cache
def asked_by(operation: Operation) -> frozenset[str]:
    """Returns the paths that Humaans is asked at for an operation."""
    on = bench()
    asyncio.run(freshness_of(on, operation))
    return frozenset(request.path for request in on.vendor.asked)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("path", "name"), sorted(FILTERS))
def test_an_answer_is_the_same_where_a_filter_is_refused_or_ignored(path: str, name: str, form: str) -> None:
    operations = readers(path)
    assert operations
    for operation in operations:
        on = bench(path, name, form)
        assert asyncio.run(freshness_of(on, operation)) == usual(operation), operation.id


def test_the_filters_are_all_that_are_sent() -> None:
    """What is asked of Humaans beside paging is in the tables, and so in the test above."""
    sent = set()
    for operation in OPERATIONS:
        if operation.reads and HUMAANS.endpoint(operation) is not None:
            on = bench()
            asyncio.run(freshness_of(on, operation))
            sent |= {(request.path, name) for request in on.vendor.asked for name, _ in request.query}
    assert {pair for pair in sent if pair[1] not in HUMAANS.paging.reserved} == FILTERS.keys()


def test_a_list_with_a_query_names_what_stands_in_for_it() -> None:
    for collection in HUMAANS.collections():
        assert bool(collection.query) == (collection.whole is not None), collection.label()
        if collection.whole is not None:
            assert (collection.whole.path, collection.whole.resource) == (collection.path, collection.resource)
            assert collection.whole.query.items() < collection.query.items()


@pytest.mark.parametrize("status", ["400", "422"])
async def test_a_refused_filter_is_remembered_for_some_hours_and_asked_again_with_a_new_token(status: str) -> None:
    on = bench("/job-roles", "effectiveDate[$gt]", status)
    vendor = on.vendor
    assert isinstance(vendor, Unwilling)
    for _ in range(3):
        await on.ask(directives=ANEW)
    assert vendor.refused == 1
    on.time.forward(SECONDS + 1)
    await on.ask(directives=ANEW)
    assert vendor.refused == 2
    on.register.change("a1", revision=7)
    await on.ask(directives=ANEW)
    assert vendor.refused == 3


async def test_another_worker_knows_of_a_refused_filter() -> None:
    one, other = (bench("/job-roles", "effectiveDate[$gt]", "400") for _ in range(2))
    await one.ask()
    other = bench_on(sandbox(), vendor=Unwilling, cache=one.memory)
    assert isinstance(other.vendor, Unwilling)
    other.vendor.path, other.vendor.name, other.vendor.form = "/job-roles", "effectiveDate[$gt]", "400"
    await other.ask(directives=ANEW)
    assert other.vendor.refused == 0


@pytest.mark.parametrize("status", ["400", "422"])
async def test_a_parameter_of_the_caller_that_is_refused_is_the_callers_fault(status: str) -> None:
    on = bench("/people", "shoeSize", status)
    for _ in range(2):
        with pytest.raises(BadRequest, match="Humaans does not accept proxy parameters shoeSize"):
            await on.ask(proxy__shoeSize="43")
    # And one that is taken stays, where ours is refused.
    on = bench("/people", "status", status)
    found = await on.body(proxy__firstName="Nobody")
    assert found["data"] == []


@pytest.mark.parametrize("path", sorted({path for path, _ in FILTERS}))
async def test_a_list_that_is_refused_without_a_filter_too_is_a_failure(path: str) -> None:
    on = bench(path, "$limit", "400")
    operation = next(each for each in readers(path) if each.kind == "list")
    with pytest.raises(GatewayError) as failed:
        await freshness_of(on, operation)
    assert isinstance(failed.value, VendorFailure)
    assert f"answered 400 to {path}" in failed.value.message
