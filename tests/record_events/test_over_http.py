"""A record changes at the vendor, whose webhook says so: the product hears which it was, and not what it holds."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from typing import Any

import pytest

from connectors import ids
from tests.fixtures.gateway import Sandbox, Site, open_site
from tests.fixtures.public_gateway import link, open_public_site
from tests.fixtures.receiver import Receiver
from tests.fixtures.webhooks import LOCAL, ask

QUICK = {
    **LOCAL,
    "GATEWAY_RECORD_EVENTS_SETTLE_SECONDS": "0.05",
    "GATEWAY_RECORD_EVENTS_SCAN_SECONDS": "0.05",
}


@pytest.fixture(name="watched")
async def fixture_watched(environ: dict[str, str], stack: AsyncExitStack, sandbox: Sandbox) -> AsyncIterator[Site]:
    async with open_public_site({**environ, **QUICK}, stack, sandbox) as site:
        yield site


def kept(site: Site, query: str) -> list[Any]:
    path = site.settings.database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as stores:
        return stores.execute(query).fetchall()


def total(metrics: str, name: str) -> float:
    return sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith(name))


async def eventually(happens: Callable[[], bool]) -> None:
    """Wait for long: on a busy machine a watch is long, and so is the rest after it."""
    for _ in range(600):
        if happens():
            return
        await asyncio.sleep(0.05)
    pytest.fail("not within 30 seconds")


async def baseline(site: Site, *resources: str) -> None:
    seen = "SELECT resource FROM record_watches WHERE rights != '' ORDER BY resource"
    await eventually(lambda: kept(site, seen) == [(each,) for each in resources])


async def test_a_change_at_the_vendor_is_told_with_the_records_id_and_nothing_of_the_person_is_kept(
    watched: Site, sandbox: Sandbox, receiver: Receiver, environ: dict[str, str], stack: AsyncExitStack
) -> None:
    other = await open_site({**environ, **QUICK}, stack)
    sandbox.steer("POST", "/choices", {"webhook_sending": "on_change"})
    account = await link(watched)
    await ask(watched, "POST", "/webhooks", {"url": receiver.url, "events": ["hris_employees.*"]}, status=201)
    await baseline(watched, "employees")
    people = {row["id"]: row for row in sandbox.steer("GET", "/rows/people")["rows"]}
    hashes = kept(watched, "SELECT resource, remote_id, length(hash) FROM record_hashes")
    assert sorted(hashes) == sorted(("employees", each, 16) for each in people)
    everything = repr([kept(watched, f"SELECT * FROM {table}") for table in ("record_watches", "record_hashes")])
    personal = {str(row[column]) for row in people.values() for column in ("firstName", "lastName", "email")}
    assert len(personal) > 100
    assert not {word for word in personal if word in everything}
    person = next(iter(people.values()))

    sandbox.steer("PATCH", f"/rows/people/{person['id']}", {"firstName": "Planted"})
    await eventually(lambda: bool(receiver.received))
    [got] = receiver.received
    assert got.json == {
        "project_id": got.json["project_id"],
        "account_id": account,
        "event": "hris_employees.updated",
        "event_date": got.json["event_date"],
        "record_type": "employees",
        "record_id": ids.encode("employee", person["id"]),
        "record_remote_id": person["id"],
        "sent_at": got.json["sent_at"],
    }
    told = (await watched.get(f"/employees/{got.json['record_id']}")).json()["data"]
    assert told["first_name"] == "Planted"
    sandbox.steer("PATCH", f"/rows/people/{person['id']}", {"firstName": person["firstName"]})
    await eventually(lambda: len(receiver.received) == 2)
    metrics = "".join([(await site.client.get("/metrics")).text for site in (watched, other)])
    assert total(metrics, 'gateway_record_events_total{event="hris_employees.updated"}') == 2
    assert total(metrics, 'gateway_record_watches_total{outcome="baseline",resource="employees"}') == 1


async def test_what_is_written_through_the_gateway_is_told_too(
    watched: Site, sandbox: Sandbox, receiver: Receiver
) -> None:
    await link(watched)
    wanted = {"url": receiver.url, "events": ["hris_time_off.created", "hris_employments.*"]}
    await ask(watched, "POST", "/webhooks", wanted, status=201)
    await baseline(watched, "employments", "time_off")
    employee = (await watched.get(page_size="1")).json()["data"][0]["id"]
    [policy] = (await watched.get("/time_off_policies", page_size="1")).json()["data"]
    answer = await watched.client.post(
        f"/unified/hris/employees/{employee}/time_off",
        json={
            "start_date": "2027-03-01T00:00:00.000",
            "end_date": "2027-03-02T00:00:00.000",
            "time_off_policy_id": policy["id"],
        },
        auth=(watched.key, ""),
        headers={"x-account-id": watched.account},
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    await eventually(lambda: bool(receiver.received))
    [got] = receiver.received
    assert (got.json["event"], got.json["record_id"]) == ("hris_time_off.created", made["id"])
    sandbox.steer("DELETE", f"/rows/time-away/{made['remote_id']}")


async def test_where_it_is_switched_off_nothing_is_watched(
    environ: dict[str, str], stack: AsyncExitStack, receiver: Receiver
) -> None:
    site = await open_site({**environ, **QUICK, "GATEWAY_RECORD_EVENTS_ENABLED": "false"}, stack)
    site.key = await site.make_key()
    await site.link("all-owner")
    await ask(site, "POST", "/webhooks", {"url": receiver.url}, status=201)
    await asyncio.sleep(0.3)
    assert kept(site, "SELECT * FROM record_watches") == []
