"""Webhooks of accounts in SQLite and PostgreSQL: one at a time works on each, and their secrets are sealed."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from gateway.app.stores import Stores
from gateway.db.engine import reading
from gateway.db.schema import vendor_webhooks
from gateway.model import Account, Secret, Status
from gateway.vendor_events.model import VendorWebhook, VendorWebhookState
from tests.fixtures.databases import START, TOKEN, Time, new_account, open_database

URL = "https://gateway.test/hooks/humaans/a1"
SECRET = Secret("planted webhook secret")
SOON, LATER = START + timedelta(minutes=1), START + timedelta(hours=6)


async def linked(stores: Stores, account_id: str = "a1") -> Account:
    return await stores.accounts.store(await new_account(stores, account_id), TOKEN)


async def registered(stores: Stores, account_id: str = "a1") -> VendorWebhook:
    """Link an account with an endpoint that is due later."""
    await linked(stores, account_id)
    lease = await stores.vendor_webhooks.lease(account_id, START, SOON)
    webhook = await stores.vendor_webhooks.find(account_id)
    assert lease is not None
    assert webhook is not None
    stands = replace(
        webhook,
        state=VendorWebhookState.ACTIVE,
        reason="",
        remote_id="w1",
        url=URL,
        secret=SECRET,
        registered_at=START,
        due_at=LATER,
    )
    assert await stores.vendor_webhooks.save(stands, lease)
    return stands


async def test_a_hook_comes_back_whole_and_its_secret_is_not_to_be_read_in_the_database(stores: Stores) -> None:
    stands = await registered(stores)
    assert await stores.vendor_webhooks.find("a1") == stands
    assert await stores.vendor_webhooks.find("a2") is None
    async with reading(stores.engine) as connection:
        row = (await connection.execute(select(vendor_webhooks))).one()
    assert "planted" not in repr(tuple(row))


async def test_of_many_at_once_one_has_the_turn_and_it_is_taken_over_on_purpose_only(stores: Stores) -> None:
    await linked(stores)
    leases = await asyncio.gather(*(stores.vendor_webhooks.lease("a1", START, SOON) for _ in range(5)))
    assert sorted(leases, key=bool) == [None] * 4 + [1]
    assert await stores.vendor_webhooks.lease("a1", SOON - timedelta(seconds=1), LATER) is None
    assert await stores.vendor_webhooks.lease("a1", START, LATER, force=True) == 2
    assert await stores.vendor_webhooks.lease("a1", LATER, LATER) == 3


async def test_what_was_found_in_a_turn_that_is_over_is_not_kept(stores: Stores) -> None:
    stands = await registered(stores)
    lease = await stores.vendor_webhooks.lease("a1", LATER, LATER)
    assert lease == 2
    assert not await stores.vendor_webhooks.save(replace(stands, remote_id="w0"), 1)
    assert await stores.vendor_webhooks.save(replace(stands, remote_id="w2", secret=None), lease)
    found = await stores.vendor_webhooks.find("a1")
    assert found is not None
    assert (found.remote_id, found.secret) == ("w2", None)


async def test_an_event_that_comes_meanwhile_is_not_forgotten(stores: Stores) -> None:
    stands = await registered(stores)
    lease = await stores.vendor_webhooks.lease("a1", LATER, LATER)
    await stores.vendor_webhooks.set_last_event("a1", SOON)
    assert lease is not None
    assert await stores.vendor_webhooks.save(stands, lease)
    found = await stores.vendor_webhooks.find("a1")
    assert found is not None
    assert found.last_event_at == SOON


async def test_those_are_due_that_have_none_or_whose_time_has_come_if_they_are_active(stores: Stores) -> None:
    for account_id in ("b", "c", "d"):
        await linked(stores, account_id)
    await registered(stores)
    await stores.vendor_webhooks.lease("b", START, SOON)
    await stores.accounts.mark("d", Status.SUSPENDED, None)
    project = (await stores.keys.ensure_project("acme")).id

    async def due(seconds: int, *providers: str, most: int = 9) -> list[str]:
        found = await stores.vendor_webhooks.due(providers, START + timedelta(seconds=seconds), most)
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
async def test_those_that_do_not_stand_or_are_sent_elsewhere_are_checked_inactive(
    stores: Stores, address: str, due: datetime
) -> None:
    await registered(stores)
    await linked(stores, "b")
    await stores.vendor_webhooks.lease("b", START, LATER)
    await stores.vendor_webhooks.check_inactive(SOON, address)
    found = [await stores.vendor_webhooks.find(account_id) for account_id in ("a1", "b")]
    assert [each.due_at for each in found if each] == [due, SOON]


async def test_a_new_credential_leaves_the_secret_as_it_is_and_has_the_endpoint_looked_after(
    stores: Stores, time: Time
) -> None:
    stands = await registered(stores)
    account = await stores.accounts.find("a1")
    assert account is not None
    time.passed = 5
    await stores.accounts.store(account, Secret("another token"))
    assert await stores.vendor_webhooks.find("a1") == replace(stands, due_at=START + timedelta(seconds=5))


async def test_a_hook_goes_with_its_account_and_there_is_none_without_one(stores: Stores) -> None:
    stands = await registered(stores)
    await stores.accounts.unlink(stands.project_id, "a1")
    assert await stores.vendor_webhooks.find("a1") is None
    assert await stores.vendor_webhooks.lease("a1", LATER, LATER, force=True) is None
    assert not await stores.vendor_webhooks.save(stands, 1)


async def test_a_secret_of_another_master_key_is_none_so_that_a_new_endpoint_is_made(
    stores: Stores, url: str, time: Time
) -> None:
    stands = await registered(stores)
    other = open_database(url, time, master=bytes(32))
    assert await other.vendor_webhooks.find("a1") == replace(stands, secret=None)
    await other.close()
