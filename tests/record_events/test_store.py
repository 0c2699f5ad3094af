"""Watches on SQLite and PostgreSQL: each is done by one worker, and what is told is kept with what it was told of."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import func, select, update

from gateway.accounts.store import Database
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
from gateway.record_events.diff import Sight
from gateway.record_events.model import Batch, Next, WatchClaim, WatchState
from gateway.webhooks.dispatcher import Room
from gateway.webhooks.endpoints import Endpoint
from gateway.webhooks.events import Event, Record, record_event
from tests.fixtures.databases import START, TOKEN, Time, new_account, open_database, told_of

HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=10)
EMPLOYEES = frozenset({"employees"})


async def link(database: Database, account_id: str = "a1", project: str = "acme") -> Account:
    return await database.store(await new_account(database, account_id, project), TOKEN)


async def listen(database: Database, name: str, events: Sequence[str], project: str = "acme") -> Endpoint:
    endpoint = Endpoint(
        id=name,
        project_id=(await database.clients.project(project)).id,
        url=f"https://{name}.example/",
        events=tuple(events),
        created_at=START,
        updated_at=START,
    )
    assert await database.endpoints.add(endpoint, Secret("whsec_b25l"), told_of(endpoint))
    return endpoint


async def arrange(database: Database, *resources: str, project: str = "acme", now: int = 0) -> None:
    found = await database.clients.project(project)
    wanted = {found.id: frozenset(resources or EMPLOYEES)}
    await database.watches.arrange(wanted, START + timedelta(seconds=now))


async def claim(database: Database, passed: float = 0) -> WatchClaim | None:
    now = START + timedelta(seconds=passed)
    return await database.watches.claim(now, now + LEASE)


async def taken(database: Database, passed: float = 0) -> WatchClaim:
    found = await claim(database, passed)
    assert found is not None
    return found


def told(account: Account, verb: str, *ids: str) -> list[Event]:
    name = f"hris_employees.{verb}"
    return [record_event(name, account, Record("employees", f"u-{each}", each), f"e-{each}", START) for each in ids]


async def count(database: Database, table: object = record_hashes) -> int:
    async with reading(database._engine) as connection:
        found = await connection.execute(select(func.count()).select_from(table))  # type: ignore[arg-type]
        return int(found.scalar_one())


async def outbox(database: Database) -> list[tuple[str, str]]:
    """Give what is on its way: endpoint and event."""
    columns = webhook_deliveries.c.endpoint_id, webhook_deliveries.c.event
    async with reading(database._engine) as connection:
        return [(row.endpoint_id, row.event) for row in await connection.execute(select(*columns).order_by(*columns))]


def later(seconds: float, failures: int = 0) -> Next:
    return Next(due=START + timedelta(seconds=seconds), rest_until=START, failures=failures)


async def test_of_a_company_that_is_replaced_nothing_stays_and_of_one_that_is_not_all_does(database: Database) -> None:
    """Hashes and ids of its records, answers of its writes, its webhook, and what deliveries say of it."""
    await listen(database, "one", ["*"])
    account = await link(database)
    await link(database, "a2")
    await arrange(database)
    for _ in range(2):
        found = await taken(database)
        events = told(account, "created", "p1") if found.account_id == "a1" else []
        assert await database.watches.apply(found, 1, Batch({"p1": b"h"}, (), events))
        turn = IdempotencyKey(found.account_id, "key", "request")
        await database.idempotency.begin(turn, START, START)
        await database.hooks.take(found.account_id, START, START + HOUR)
    tables = record_watches, record_hashes, idempotency, vendor_webhooks

    async def kept() -> list[int]:
        return [await count(database, each) for each in tables]

    assert await kept() == [2, 2, 2, 2]
    again = await database.store(account, Secret("another token"))
    assert await kept() == [2, 2, 2, 2]
    await database.store(again, Secret("another company's"), replaced=True)
    assert await kept() == [1, 1, 1, 1]
    async with reading(database._engine) as connection:
        rows = await connection.execute(select(webhook_deliveries.c.account_id, webhook_deliveries.c.delete_payload))
        assert {row.account_id for row in rows if not row.delete_payload} == {"a2"}


# --- who is watched -----------------------------------------------------------------------------------------


async def test_what_is_listened_for_is_read_from_enabled_endpoints(database: Database) -> None:
    await listen(database, "one", ["account.*"])
    await listen(database, "two", ["hris_employees.*", "account.error"])
    await listen(database, "other", ["*"], "stranger")
    off = await listen(database, "off", ["hris_time_off.*"])
    async with writing(database._engine) as connection:
        of_off = webhook_endpoints.c.id == off.id
        await connection.execute(update(webhook_endpoints).where(of_off).values(disabled_at=START))
    found = await database.watches.listening()
    acme, stranger = [(await database.clients.project(name)).id for name in ("acme", "stranger")]
    assert {project: sorted(events) for project, events in found.items()} == {
        acme: ["account.*", "account.error", "hris_employees.*"],
        stranger: ["*"],
    }


async def test_accounts_of_these_projects_are_watched_and_no_others(database: Database) -> None:
    await link(database)
    await link(database, "a2")
    await link(database, "b1", "stranger")
    await arrange(database, "employees", "time_off")
    account = await link(database, "a3")
    await arrange(database, "employees", "time_off")
    assert await count(database, record_watches) == 6
    found = [await taken(database) for _ in range(6)]
    assert {(each.account_id, each.resource) for each in found} == {
        (owner, resource) for owner in ("a1", "a2", "a3") for resource in ("employees", "time_off")
    }
    assert {each.project_id for each in found} == {account.project_id}
    assert {each.place for each in found} == {WatchState()}
    await database.watches.apply(found[0], 1, Batch({"p1": b"h"}, (), ()))
    await arrange(database, project="stranger")
    assert (await count(database, record_watches), await count(database)) == (1, 0)
    await database.watches.arrange({}, START)
    assert await count(database, record_watches) == 0


# --- claims -------------------------------------------------------------------------------------------------


async def test_of_any_number_of_workers_each_watch_is_taken_by_one(database: Database, url: str, time: Time) -> None:
    for number in range(10):
        await link(database, f"a{number}")
    await arrange(database)
    other = open_database(url, time)
    found = await asyncio.gather(*(claim(worker) for _ in range(15) for worker in (database, other)))
    assert sorted(each.account_id for each in found if each) == sorted(f"a{number}" for number in range(10))
    assert await claim(database, LEASE.total_seconds() - 1) is None
    again = await taken(other, LEASE.total_seconds())
    assert again.turn == 2
    await other.close()


async def test_a_watch_is_due_again_when_that_was_set_and_of_working_accounts_only(database: Database) -> None:
    await link(database)
    await arrange(database)
    place = WatchState(Sight("r", "m"), "digest", held=True)
    await database.watches.settle(await taken(database), place, later(100, failures=3))
    assert await claim(database, 99) is None
    await database.mark("a1", Status.SUSPENDED, None)
    assert await claim(database, 100) is None
    await database.mark("a1", Status.ACTIVE, None)
    found = await taken(database, 100)
    assert (found.place, found.failures, found.turn) == (place, 3, 2)


async def test_a_signal_hastens_and_never_delays_also_during_a_watch_but_not_into_its_rest(database: Database) -> None:
    await link(database)
    await arrange(database, "employees", "time_off")
    for each in [await taken(database), await taken(database)]:
        await database.watches.settle(each, WatchState(), later(3600))
    hasten = database.watches.hasten
    await hasten("a1", EMPLOYEES, START + timedelta(seconds=5))
    await hasten("a1", EMPLOYEES, START + timedelta(seconds=8))
    await hasten("a2", frozenset({"time_off"}), START)
    await hasten("a1", frozenset({"employments"}), START)
    assert await claim(database, 4) is None
    found = await taken(database, 5)
    assert found.resource == "employees"
    await hasten("a1", EMPLOYEES, START + timedelta(seconds=9))
    assert await claim(database, 60) is None
    rest = START + timedelta(seconds=70)
    await database.watches.settle(found, WatchState(), Next(due=START + HOUR, rest_until=rest))
    assert await claim(database, 69) is None
    assert (await taken(database, 70)).turn == found.turn + 1


# --- one transaction ----------------------------------------------------------------------------------------


async def test_hashes_and_what_is_told_of_them_are_kept_together(database: Database) -> None:
    account = await link(database)
    await listen(database, "every", ["*"])
    await listen(database, "some", ["hris_employees.deleted"])
    await listen(database, "accounts", ["account.*"])
    await arrange(database)
    found = await taken(database)
    first = {f"p{number}": bytes([number]) for number in range(3)}
    assert await database.watches.apply(found, 1, Batch(first, (), ()))
    assert await database.watches.hashes(found) == first
    assert await outbox(database) == []
    assert await database.watches.apply(found, 1, Batch({"p1": b"n"}, (), told(account, "updated", "p1")))
    assert await database.watches.apply(found, 1, Batch({}, ["p2"], told(account, "deleted", "p2")))
    assert await database.watches.hashes(found) == {"p0": b"\x00", "p1": b"n"}
    gone, changed = "hris_employees.deleted", "hris_employees.updated"
    assert await outbox(database) == [("every", gone), ("every", changed), ("some", gone)]
    room = Room(now=START, until=START + HOUR, token="t", most=9, spare=0, each=9, busy=Counter())
    claims = await database.outbox.take(room)
    assert sorted(str(orjson.loads(each.payload)["record_id"]) for each in claims) == ["u-p1", "u-p2", "u-p2"]


@pytest.mark.parametrize("fault", ["taken over", "changed", "unlinked"])
async def test_a_watch_that_no_longer_counts_writes_nothing(database: Database, fault: str) -> None:
    account = await link(database)
    await listen(database, "every", ["hris_employees.*"])
    await arrange(database)
    found = await taken(database)
    if fault == "taken over":
        await taken(database, LEASE.total_seconds())
    elif fault == "changed":
        await database.mark("a1", Status.ERROR, None)
    else:
        await database.erase(account.project_id, account.id)
    assert not await database.watches.apply(found, 1, Batch({"p1": b"h"}, (), told(account, "created", "p1")))
    await database.watches.settle(found, WatchState(reading="stale"), later(0))
    assert (await count(database), await outbox(database)) == (0, [])
    if fault == "taken over":
        assert (await taken(database, 2 * LEASE.total_seconds())).place == WatchState()


async def test_what_cannot_be_told_is_not_taken_for_told(database: Database) -> None:
    account = await link(database)
    endpoint = await listen(database, "every", ["hris_employees.*"])
    await arrange(database)
    found = await taken(database)
    async with writing(database._engine) as connection:
        of_endpoint = webhook_endpoints.c.id == endpoint.id
        await connection.execute(update(webhook_endpoints).where(of_endpoint).values(wrapped_key=b"damaged"))
    with pytest.raises(StoreUnavailable):
        await database.watches.apply(found, 1, Batch({"p1": b"h"}, (), told(account, "created", "p1")))
    assert (await count(database), await outbox(database)) == (0, [])


async def test_many_hashes_are_read_whole_and_go_with_their_account(database: Database) -> None:
    account = await link(database)
    await arrange(database)
    found = await taken(database)
    many = {f"id-{number}": number.to_bytes(2, "big") for number in range(2500)}
    items = list(many.items())
    for start in range(0, len(items), 200):
        assert await database.watches.apply(found, 1, Batch(dict(items[start : start + 200]), (), ()))
    assert await database.watches.hashes(found) == many
    await database.erase(account.project_id, account.id)
    assert (await count(database), await count(database, record_watches)) == (0, 0)
