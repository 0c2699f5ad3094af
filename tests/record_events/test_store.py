"""Watches on SQLite and PostgreSQL: each is done by one worker, and what is told is kept with what it was told of."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import func, select, update

from gateway.app.stores import Stores
from gateway.db.engine import reading, writing
from gateway.db.schema import (
    idempotency,
    record_hashes,
    record_watches,
    vendor_webhooks,
    webhook_deliveries,
    webhook_endpoints,
)
from gateway.errors import StoreUnavailable
from gateway.model import Account, IdempotencyKey, Secret, Status
from gateway.record_events.diff import SnapshotVersion
from gateway.record_events.model import Batch, NextRun, WatchClaim, WatchState
from gateway.webhooks.deliveries import Capacity
from gateway.webhooks.endpoints import Endpoint
from gateway.webhooks.events import Event, Record, record_event
from tests.fixtures.databases import START, TOKEN, Time, new_account, open_database, told_of

HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=10)
EMPLOYEES = frozenset({"employees"})


async def link(stores: Stores, account_id: str = "a1", project: str = "acme") -> Account:
    return await stores.accounts.store(await new_account(stores, account_id, project), TOKEN)


async def listen(stores: Stores, name: str, events: Sequence[str], project: str = "acme") -> Endpoint:
    endpoint = Endpoint(
        id=name,
        project_id=(await stores.keys.ensure_project(project)).id,
        url=f"https://{name}.example/",
        events=tuple(events),
        created_at=START,
        updated_at=START,
    )
    assert await stores.endpoints.add(endpoint, Secret("whsec_b25l"), told_of(endpoint))
    return endpoint


async def arrange(stores: Stores, *resources: str, project: str = "acme", now: int = 0) -> None:
    found = await stores.keys.ensure_project(project)
    wanted = {found.id: frozenset(resources or EMPLOYEES)}
    await stores.record_watches.arrange(wanted, START + timedelta(seconds=now), 3600)


async def claim(stores: Stores, passed: float = 0) -> WatchClaim | None:
    now = START + timedelta(seconds=passed)
    return await stores.record_watches.claim(now, now + LEASE)


async def taken(stores: Stores, passed: float = 0) -> WatchClaim:
    found = await claim(stores, passed)
    assert found is not None
    return found


def told(account: Account, verb: str, *ids: str) -> list[Event]:
    name = f"hris_employees.{verb}"
    return [record_event(name, account, Record("employees", f"u-{each}", each), f"e-{each}", START) for each in ids]


async def count(stores: Stores, table: object = record_hashes) -> int:
    async with reading(stores.engine) as connection:
        found = await connection.execute(select(func.count()).select_from(table))  # type: ignore[arg-type]
        return int(found.scalar_one())


async def outbox(stores: Stores) -> list[tuple[str, str]]:
    """Returns the pending deliveries: endpoint and event."""
    columns = webhook_deliveries.c.endpoint_id, webhook_deliveries.c.event
    async with reading(stores.engine) as connection:
        return [(row.endpoint_id, row.event) for row in await connection.execute(select(*columns).order_by(*columns))]


def later(seconds: float, failures: int = 0) -> NextRun:
    return NextRun(due=START + timedelta(seconds=seconds), rest_until=START, failures=failures)


async def test_of_a_company_that_is_replaced_nothing_stays_and_of_one_that_is_not_all_does(stores: Stores) -> None:
    """Hashes and ids of its records, answers of its writes, its webhook, and what deliveries say of it."""
    await listen(stores, "one", ["*"])
    account = await link(stores)
    await link(stores, "a2")
    await arrange(stores)
    for _ in range(2):
        found = await taken(stores)
        events = told(account, "created", "p1") if found.account_id == "a1" else []
        assert await stores.record_watches.apply(found, 1, Batch({"p1": b"h"}, (), events))
        turn = IdempotencyKey(found.account_id, "key", "request")
        await stores.idempotency.begin(turn, START, START)
        await stores.vendor_webhooks.lease(found.account_id, START, START + HOUR)
    tables = record_watches, record_hashes, idempotency, vendor_webhooks

    async def kept() -> list[int]:
        return [await count(stores, each) for each in tables]

    assert await kept() == [2, 2, 2, 2]
    again = await stores.accounts.store(account, Secret("another token"))
    assert await kept() == [2, 2, 2, 2]
    await stores.accounts.store(again, Secret("another company's"), replaced=True)
    assert await kept() == [1, 1, 1, 1]
    async with reading(stores.engine) as connection:
        rows = await connection.execute(select(webhook_deliveries.c.account_id, webhook_deliveries.c.delete_payload))
        assert {row.account_id for row in rows if not row.delete_payload} == {"a2"}


# --- who is watched -----------------------------------------------------------------------------------------


async def test_what_is_listened_for_is_read_from_enabled_endpoints(stores: Stores) -> None:
    await listen(stores, "one", ["account.*"])
    await listen(stores, "two", ["hris_employees.*", "account.error"])
    await listen(stores, "other", ["*"], "stranger")
    off = await listen(stores, "off", ["hris_time_off.*"])
    async with writing(stores.engine) as connection:
        of_off = webhook_endpoints.c.id == off.id
        await connection.execute(update(webhook_endpoints).where(of_off).values(disabled_at=START))
    found = await stores.record_watches.wanted_events()
    acme, stranger = [(await stores.keys.ensure_project(name)).id for name in ("acme", "stranger")]
    assert {project: sorted(events) for project, events in found.items()} == {
        acme: ["account.*", "account.error", "hris_employees.*"],
        stranger: ["*"],
    }


async def test_accounts_of_these_projects_are_watched_and_no_others(stores: Stores) -> None:
    await link(stores)
    await link(stores, "a2")
    await link(stores, "b1", "stranger")
    await arrange(stores, "employees", "time_off")
    account = await link(stores, "a3")
    await arrange(stores, "employees", "time_off")
    assert await count(stores, record_watches) == 6
    found = [await taken(stores) for _ in range(6)]
    assert {(each.account_id, each.resource) for each in found} == {
        (owner, resource) for owner in ("a1", "a2", "a3") for resource in ("employees", "time_off")
    }
    assert {each.project_id for each in found} == {account.project_id}
    assert {each.state for each in found} == {WatchState()}
    await stores.record_watches.apply(found[0], 1, Batch({"p1": b"h"}, (), ()))
    await arrange(stores, project="stranger")
    assert (await count(stores, record_watches), await count(stores)) == (1, 0)
    await stores.record_watches.arrange({}, START, 3600)
    assert await count(stores, record_watches) == 0


# --- claims -------------------------------------------------------------------------------------------------


async def test_of_any_number_of_workers_each_watch_is_taken_by_one(stores: Stores, url: str, time: Time) -> None:
    for number in range(10):
        await link(stores, f"a{number}")
    await arrange(stores)
    other = open_database(url, time)
    found = await asyncio.gather(*(claim(worker) for _ in range(15) for worker in (stores, other)))
    assert sorted(each.account_id for each in found if each) == sorted(f"a{number}" for number in range(10))
    assert await claim(stores, LEASE.total_seconds() - 1) is None
    again = await taken(other, LEASE.total_seconds())
    assert again.lease == 2
    await other.close()


async def test_a_watch_is_due_again_when_that_was_set_and_of_working_accounts_only(stores: Stores) -> None:
    await link(stores)
    await arrange(stores)
    place = WatchState(SnapshotVersion("r", "m"), "digest", unconfirmed=True)
    await stores.record_watches.settle(await taken(stores), place, later(100, failures=3))
    assert await claim(stores, 99) is None
    await stores.accounts.mark("a1", Status.SUSPENDED, None)
    assert await claim(stores, 100) is None
    await stores.accounts.mark("a1", Status.ACTIVE, None)
    found = await taken(stores, 100)
    assert (found.state, found.failures, found.lease) == (place, 3, 2)


async def test_a_signal_hastens_and_never_delays_also_during_a_watch_but_not_into_its_rest(stores: Stores) -> None:
    await link(stores)
    await arrange(stores, "employees", "time_off")
    for each in [await taken(stores), await taken(stores)]:
        await stores.record_watches.settle(each, WatchState(), later(3600))
    hasten = stores.record_watches.hasten
    await hasten("a1", EMPLOYEES, START + timedelta(seconds=5))
    await hasten("a1", EMPLOYEES, START + timedelta(seconds=8))
    await hasten("a2", frozenset({"time_off"}), START)
    await hasten("a1", frozenset({"employments"}), START)
    assert await claim(stores, 4) is None
    found = await taken(stores, 5)
    assert found.resource == "employees"
    await hasten("a1", EMPLOYEES, START + timedelta(seconds=9))
    assert await claim(stores, 60) is None
    rest = START + timedelta(seconds=70)
    await stores.record_watches.settle(found, WatchState(), NextRun(due=START + HOUR, rest_until=rest))
    assert await claim(stores, 69) is None
    assert (await taken(stores, 70)).lease == found.lease + 1


# --- one transaction ----------------------------------------------------------------------------------------


async def test_hashes_and_what_is_told_of_them_are_kept_together(stores: Stores) -> None:
    account = await link(stores)
    await listen(stores, "every", ["*"])
    await listen(stores, "some", ["hris_employees.deleted"])
    await listen(stores, "accounts", ["account.*"])
    await arrange(stores)
    found = await taken(stores)
    first = {f"p{number}": bytes([number]) for number in range(3)}
    assert await stores.record_watches.apply(found, 1, Batch(first, (), ()))
    assert await stores.record_watches.hashes(found) == first
    assert await outbox(stores) == []
    assert await stores.record_watches.apply(found, 1, Batch({"p1": b"n"}, (), told(account, "updated", "p1")))
    assert await stores.record_watches.apply(found, 1, Batch({}, ["p2"], told(account, "deleted", "p2")))
    assert await stores.record_watches.hashes(found) == {"p0": b"\x00", "p1": b"n"}
    gone, changed = "hris_employees.deleted", "hris_employees.updated"
    assert await outbox(stores) == [("every", gone), ("every", changed), ("some", gone)]
    room = Capacity(now=START, until=START + HOUR, token="t", most=9, spare=0, each=9, busy=Counter())
    claims = await stores.outbox.take(room)
    assert sorted(str(orjson.loads(each.payload)["record_id"]) for each in claims) == ["u-p1", "u-p2", "u-p2"]


@pytest.mark.parametrize("fault", ["taken over", "changed", "unlinked"])
async def test_a_watch_that_no_longer_counts_writes_nothing(stores: Stores, fault: str) -> None:
    account = await link(stores)
    await listen(stores, "every", ["hris_employees.*"])
    await arrange(stores)
    found = await taken(stores)
    if fault == "taken over":
        await taken(stores, LEASE.total_seconds())
    elif fault == "changed":
        await stores.accounts.mark("a1", Status.ERROR, None)
    else:
        await stores.accounts.unlink(account.project_id, account.id)
    assert not await stores.record_watches.apply(found, 1, Batch({"p1": b"h"}, (), told(account, "created", "p1")))
    await stores.record_watches.settle(found, WatchState(digest="stale"), later(0))
    assert (await count(stores), await outbox(stores)) == (0, [])
    if fault == "taken over":
        assert (await taken(stores, 2 * LEASE.total_seconds())).state == WatchState()


async def test_what_cannot_be_told_is_not_taken_for_told(stores: Stores) -> None:
    account = await link(stores)
    endpoint = await listen(stores, "every", ["hris_employees.*"])
    await arrange(stores)
    found = await taken(stores)
    async with writing(stores.engine) as connection:
        of_endpoint = webhook_endpoints.c.id == endpoint.id
        await connection.execute(update(webhook_endpoints).where(of_endpoint).values(wrapped_key=b"damaged"))
    with pytest.raises(StoreUnavailable):
        await stores.record_watches.apply(found, 1, Batch({"p1": b"h"}, (), told(account, "created", "p1")))
    assert (await count(stores), await outbox(stores)) == (0, [])


async def test_many_hashes_are_read_whole_and_go_with_their_account(stores: Stores) -> None:
    account = await link(stores)
    await arrange(stores)
    found = await taken(stores)
    many = {f"id-{number}": number.to_bytes(2, "big") for number in range(2500)}
    items = list(many.items())
    for start in range(0, len(items), 200):
        assert await stores.record_watches.apply(found, 1, Batch(dict(items[start : start + 200]), (), ()))
    assert await stores.record_watches.hashes(found) == many
    await stores.accounts.unlink(account.project_id, account.id)
    assert (await count(stores), await count(stores, record_watches)) == (0, 0)
