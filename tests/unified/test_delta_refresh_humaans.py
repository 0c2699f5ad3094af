"""Lists of the sandbox are refreshed by their changes in whatever form it serves these, and are the sandbox's lists."""

import asyncio
from contextlib import suppress
from datetime import date
from random import Random
from typing import Any

import httpx
import pytest

from connectors.exchange import Answer, Request
from connectors.humaans import lists
from connectors.humaans.connector import HUMAANS
from connectors.spec import Collection
from deploy.sandbox.app import DEFAULT_SEED, Sandbox
from deploy.sandbox.catalogue import RESOURCES
from deploy.sandbox.choices import Choices, alternatives
from deploy.sandbox.company.build import make_world
from deploy.sandbox.errors import ApiError
from deploy.sandbox.state import State
from deploy.sandbox.tokens import by_name
from deploy.sandbox.writing import add, change, remove
from gateway.unified.list_fetcher import ListFetcher
from gateway.unified.list_request import ListRequest
from gateway.upstream.retry import RetryPolicy
from gateway.upstream.vendor import VendorClient
from tests.fakes.collections import CollectionsBench
from tests.fakes.core import NOW, Vendor, make_linked, unjittered

LINKED = make_linked("a1", *HUMAANS.scopes, provider="humaans")
SEEN = frozenset(lists.PEOPLE_CHANGES.loose)


class SandboxVendor(Vendor):
    """The sandbox, called in this process, with the clock of the test."""

    def __init__(self, choices: Choices, people: int = 1200) -> None:
        super().__init__()
        self.time = unjittered()
        self.state = State(make_world(people, NOW.date(), DEFAULT_SEED), choices, lambda: self.time.moment)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(Sandbox(self.state)), base_url="http://sandbox/api"
        )

    async def send(self, base_url: str, request: Request) -> Answer:  # noqa: ARG002 - an Upstream
        self.asked.append(request)
        headers = {"authorization": f"Bearer {by_name('all-owner').token}"}
        answer = await self.client.get(request.path, params=request.query, headers=headers)
        return Answer(answer.status_code, dict(answer.headers), answer.content)

    def people(self, status: str) -> list[dict[str, Any]]:
        return [row for row in self.state.store.rows("people") if row["status"] == status]


def bench_of(vendor: SandboxVendor, collection: Collection) -> CollectionsBench:
    return CollectionsBench(
        vendor, time=vendor.time, collection=collection, connector=HUMAANS, linked=LINKED, whole_seconds=3600
    )


async def refreshed(bench: CollectionsBench) -> tuple[list[Any], list[Any], int]:
    """Returns the rows of a list when it is stale, the vendor's rows, and the number of calls."""
    bench.time.forward(61)
    bench.vendor.asked.clear()
    snapshot = await bench.open()
    calls = len(bench.vendor.asked)
    for _ in range(50):
        await asyncio.sleep(0)
    rows = await bench.snapshots.rows(bench.new_cache(), snapshot, 0)
    context = bench.context()
    client = VendorClient(bench.vendor, RetryPolicy(retries=0, longest_wait=0.0), bench.time.clock())
    request = ListRequest.of(context, bench.collection)
    true = request.belonging(list(await ListFetcher(client, 4).rows(context.session, request)))
    return by_id(rows or ()), by_id(true), calls


def by_id(rows: Any) -> list[Any]:
    found = [{name: value for name, value in row.items() if name not in SEEN} for row in rows]
    return sorted(found, key=lambda row: str(row["id"]))


def happen(vendor: SandboxVendor, chance: Random, step: int) -> None:
    """Lets one thing happen in the company, or none. Raises `ApiError` where the sandbox refuses it."""
    state, people, roles = vendor.state, RESOURCES["people"], RESOURCES["job-roles"]
    person = chance.choice(vendor.people("active"))
    role = state.store.current_role(person["id"])
    match step % 8:
        case 1:
            change(people, person, {"firstName": f"Name {step}"}, state)
        case 2 if role:
            change(roles, role, {"jobTitle": f"Title {step}"}, state)
        case 3:
            remove(people, person["id"], state)
        case 4:
            made = {"firstName": "New", "lastName": "One", "email": f"new{step}@x.test", "locationId": "remote"}
            new = add(people, {**made, "employmentStartDate": "2026-11-01", "contractType": "x"}, state)
            add(roles, {"personId": new["id"], "jobTitle": "New", "effectiveDate": "2026-11-01"}, state)
        case 5:  # Somebody leaves.
            change(people, person, {"employmentEndDate": "2026-11-20"}, state)
        case 6 if role:  # A role follows another, whose end is set without a stamp.
            day = date(2026, 11, 1 + step % 20).isoformat()
            add(roles, {"personId": person["id"], "jobTitle": "Next", "effectiveDate": day}, state)


@pytest.mark.parametrize("form", alternatives()["updated_filter"])
@pytest.mark.parametrize("collection", [lists.PEOPLE, lists.ROLES_TODAY], ids=["people", "roles of today"])
async def test_whatever_happens_the_list_is_the_sandboxs(form: str, collection: Collection) -> None:
    vendor = SandboxVendor(Choices().changed({"updated_filter": form}))
    bench, chance = bench_of(vendor, collection), Random(form)
    await bench.open()
    counts = []
    for step in range(24):
        with suppress(ApiError):  # What the sandbox refuses does not happen.
            happen(vendor, chance, step)
        found, true, calls = await refreshed(bench)
        assert found == true, step
        counts.append(calls)
    assert (min(counts) <= 3) == (form == "honoured")


async def test_a_leaver_whose_day_has_come_is_seen_without_any_change_of_the_row() -> None:
    vendor = SandboxVendor(Choices())
    state, bench = vendor.state, bench_of(vendor, lists.PEOPLE)
    leaver = vendor.people("active")[5]
    change(RESOURCES["people"], leaver, {"employmentEndDate": "2026-11-24"}, state)
    await bench.open()
    await refreshed(bench)
    row = state.store.find("people", leaver["id"])
    assert row is not None
    state.store.put("people", {**row, "status": "offboarded"})
    found, true, calls = await refreshed(bench)
    assert found == true
    assert calls == 3
    assert (await refreshed(bench))[2] <= 3


@pytest.mark.parametrize("token", ["public:read", "private:read"])
async def test_only_who_sees_everything_asks_for_changes(token: str) -> None:
    vendor = SandboxVendor(Choices())
    bench = bench_of(vendor, lists.PEOPLE)
    bench.linked = make_linked("a1", token, provider="humaans")
    await bench.open()
    calls = [(await refreshed(bench))[2] for _ in range(3)]
    assert (min(calls) <= 3) == (token == "private:read")
