"""Webhooks of accounts in SQLite and PostgreSQL: one at a time works on each, and their secrets are sealed."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from gateway.accounts.store import Database
from gateway.db.engine import reading
from gateway.db.schema import vendor_webhooks
from gateway.model import Account, Secret, Status
from gateway.vendor_events.model import VendorWebhook, VendorWebhookState
from tests.fixtures.databases import START, TOKEN, Time, new_account, open_database

URL = "https://gateway.test/hooks/humaans/a1"
SECRET = Secret("planted webhook secret")
SOON, LATER = START + timedelta(minutes=1), START + timedelta(hours=6)


async def linked(database: Database, account_id: str = "a1") -> Account:
    return await database.store(await new_account(database, account_id), TOKEN)


async def registered(database: Database, account_id: str = "a1") -> VendorWebhook:
    """Link an account with an endpoint that is due later."""
    await linked(database, account_id)
    turn = await database.hooks.take(account_id, START, SOON)
    hook = await database.hooks.find(account_id)
    assert turn is not None
    assert hook is not None
    stands = replace(
        hook,
        state=VendorWebhookState.ACTIVE,
        reason="",
        remote_id="w1",
        url=URL,
        secret=SECRET,
        registered_at=START,
        due_at=LATER,
    )
    assert await database.hooks.keep(stands, turn)
    return stands


async def test_a_hook_comes_back_whole_and_its_secret_is_not_to_be_read_in_the_database(database: Database) -> None:
    stands = await registered(database)
    assert await database.hooks.find("a1") == stands
    assert await database.hooks.find("a2") is None
    async with reading(database._engine) as connection:
        row = (await connection.execute(select(vendor_webhooks))).one()
    assert "planted" not in repr(tuple(row))


async def test_of_many_at_once_one_has_the_turn_and_it_is_taken_over_on_purpose_only(database: Database) -> None:
    await linked(database)
    turns = await asyncio.gather(*(database.hooks.take("a1", START, SOON) for _ in range(5)))
    assert sorted(turns, key=bool) == [None] * 4 + [1]
    assert await database.hooks.take("a1", SOON - timedelta(seconds=1), LATER) is None
    assert await database.hooks.take("a1", START, LATER, over=True) == 2
    assert await database.hooks.take("a1", LATER, LATER) == 3


async def test_what_was_found_in_a_turn_that_is_over_is_not_kept(database: Database) -> None:
    stands = await registered(database)
    turn = await database.hooks.take("a1", LATER, LATER)
    assert turn == 2
    assert not await database.hooks.keep(replace(stands, remote_id="w0"), 1)
    assert await database.hooks.keep(replace(stands, remote_id="w2", secret=None), turn)
    found = await database.hooks.find("a1")
    assert found is not None
    assert (found.remote_id, found.secret) == ("w2", None)


async def test_an_event_that_comes_meanwhile_is_not_forgotten(database: Database) -> None:
    stands = await registered(database)
    turn = await database.hooks.take("a1", LATER, LATER)
    await database.hooks.note_event("a1", SOON)
    assert turn is not None
    assert await database.hooks.keep(stands, turn)
    found = await database.hooks.find("a1")
    assert found is not None
    assert found.last_event_at == SOON


async def test_those_are_due_that_have_none_or_whose_time_has_come_if_they_are_active(database: Database) -> None:
    for account_id in ("b", "c", "d"):
        await linked(database, account_id)
    await registered(database)
    await database.hooks.take("b", START, SOON)
    await database.mark("d", Status.SUSPENDED, None)
    project = (await database.clients.project("acme")).id

    async def due(seconds: int, *providers: str, most: int = 9) -> list[str]:
        found = await database.hooks.due(providers, START + timedelta(seconds=seconds), most)
        assert all(of_project == project for of_project, _ in found)
        return [account_id for _, account_id in found]

    assert await due(0, "humaans") == ["c"]
    assert await due(60, "humaans", "other") == ["c", "b"]
    assert await due(6 * 3600, "humaans") == ["c", "b", "a1"]
    assert await due(6 * 3600, "humaans", most=1) == ["c"]
    assert await due(6 * 3600, "other") == await due(6 * 3600) == []


@pytest.mark.parametrize(
    ("address", "due"),
    [
        ("https://gateway.test", LATER),
        ("https://gateway.test/hooks", LATER),
        ("https://gateway.tes_", SOON),
        ("https://gateway.test.example", SOON),
        ("", SOON),
    ],
)
async def test_those_that_do_not_stand_or_are_sent_elsewhere_are_hastened(
    database: Database, address: str, due: datetime
) -> None:
    await registered(database)
    await linked(database, "b")
    await database.hooks.take("b", START, LATER)
    await database.hooks.hasten(SOON, address)
    found = [await database.hooks.find(account_id) for account_id in ("a1", "b")]
    assert [each.due_at for each in found if each] == [due, SOON]


async def test_a_new_credential_leaves_the_secret_as_it_is_and_has_the_endpoint_looked_after(
    database: Database, time: Time
) -> None:
    stands = await registered(database)
    account = await database.account("a1")
    assert account is not None
    time.passed = 5
    await database.store(account, Secret("another token"))
    assert await database.hooks.find("a1") == replace(stands, due_at=START + timedelta(seconds=5))


async def test_a_hook_goes_with_its_account_and_there_is_none_without_one(database: Database) -> None:
    stands = await registered(database)
    await database.erase(stands.project_id, "a1")
    assert await database.hooks.find("a1") is None
    assert await database.hooks.take("a1", LATER, LATER, over=True) is None
    assert not await database.hooks.keep(stands, 1)


async def test_a_secret_of_another_master_key_is_none_so_that_a_new_endpoint_is_made(
    database: Database, url: str, time: Time
) -> None:
    stands = await registered(database)
    other = open_database(url, time, master=bytes(32))
    assert await other.hooks.find("a1") == replace(stands, secret=None)
    await other.close()
