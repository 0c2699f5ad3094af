"""A record changes at the vendor, whose webhook says so: the product hears which it was, and not what it holds."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing
from typing import Any

import pytest

from connectors import ids
from tests.receiver import Receiver, receiving
from tests.web.hearing import hearing, link
from tests.web.support import Sandbox, Site
from tests.web.webhooks import LOCAL, ask, within

QUICK = {
    **LOCAL,
    "GATEWAY_RECORD_EVENTS_SETTLE_SECONDS": "0.05",
    "GATEWAY_RECORD_EVENTS_LOOK_SECONDS": "0.05",
}


@pytest.fixture(name="receiver")
def fixture_receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(name="watched")
async def fixture_watched(environ: dict[str, str], stack: AsyncExitStack, sandbox: Sandbox) -> AsyncIterator[Site]:
    async with hearing({**environ, **QUICK}, stack, sandbox) as site:
        yield site


def kept(site: Site, query: str) -> list[Any]:
    path = site.settings.database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


async def baseline(site: Site, *resources: str) -> None:
    seen = "SELECT resource FROM record_watches WHERE rights != '' ORDER BY resource"
    await within(lambda: kept(site, seen) == [(each,) for each in resources])


async def test_a_change_at_the_vendor_is_told_with_the_records_id_and_nothing_of_the_person_is_kept(
    watched: Site, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.steer("POST", "/choices", {"webhook_sending": "on_change"})
    account = await link(watched)
    await ask(watched, "POST", "/webhooks", {"url": receiver.url, "events": ["hris_employees.*"]}, status=201)
    await baseline(watched, "employees")
    people = {row["id"]: row for row in sandbox.steer("GET", "/rows/people")["rows"]}
    hashes = kept(watched, "SELECT resource, remote_id, length(hash) FROM record_hashes")
    assert sorted(hashes) == sorted(("employees", each, 16) for each in people)
    person = next(iter(people.values()))

    sandbox.steer("PATCH", f"/rows/people/{person['id']}", {"firstName": "Planted"})
    await within(lambda: bool(receiver.received))
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
    await within(lambda: len(receiver.received) == 2)
    metrics = (await watched.client.get("/metrics")).text
    assert 'gateway_record_events_total{event="hris_employees.updated"} 2.0' in metrics
    assert 'gateway_record_watches_total{outcome="baseline",resource="employees"} 1.0' in metrics
