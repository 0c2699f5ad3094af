"""The master key can be changed: every stored key is wrapped anew, and all that it sealed stays."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import Table, select, update

from gateway.app.stores import Stores, make_stores
from gateway.db.engine import open_engine, reading, writing
from gateway.db.schema import credentials, metadata
from gateway.errors import StoreUnavailable
from gateway.model import Secret
from gateway.vault.rewrap import AT_ONCE, KEY_TABLES, rewrap
from gateway.vault.vault import Vault, key_id
from gateway.vendor_events.model import VendorWebhookState
from gateway.webhooks.endpoints import Endpoint
from tests.fixtures.databases import MASTER, START, TOKEN, Time, must_find, new_account, open_database, told_of

NEW = bytes(reversed(range(32)))
HOOK_SECRET, SIGNING_SECRET = Secret("of the vendor"), Secret("of the product")


@pytest.fixture
async def changing(url: str, time: Time) -> AsyncIterator[Stores]:
    """Give the database as a gateway sees it that has both keys."""
    stores = make_stores(open_engine(url), Vault(NEW, [MASTER]), clock=time.now, monotonic=time.monotonic)
    yield stores
    await stores.close()


async def fill(stores: Stores, account_id: str = "a1") -> None:
    """Store a row in every place of a wrapped key."""
    account = await stores.accounts.store(await new_account(stores, account_id), TOKEN)
    turn = await stores.vendor_webhooks.lease(account_id, START, START)
    hook = await stores.vendor_webhooks.find(account_id)
    assert turn is not None
    assert hook is not None
    assert await stores.vendor_webhooks.save(replace(hook, state=VendorWebhookState.ACTIVE, secret=HOOK_SECRET), turn)
    endpoint = Endpoint(
        id=f"w-{account_id}",
        project_id=account.project_id,
        url="https://w.example/",
        events=("*",),
        created_at=START,
        updated_at=START,
    )
    assert await stores.endpoints.add(endpoint, SIGNING_SECRET, told_of(endpoint))


async def master_keys(stores: Stores, table: Table) -> set[str]:
    async with reading(stores.engine) as connection:
        return set((await connection.scalars(select(table.c.master_key_id))).all())


def test_no_table_with_a_wrapped_key_is_left_out() -> None:
    assert {table for table in metadata.sorted_tables if "wrapped_key" in table.c} == {
        each.table for each in KEY_TABLES
    }


async def test_all_that_the_old_key_wrapped_opens_by_the_new_one_alone(
    stores: Stores, changing: Stores, url: str, time: Time
) -> None:
    await fill(stores)
    before = await must_find(changing, await new_account(stores))
    sealed = before.cipher.seal(b"an answer", b"kept")
    await fill(changing, "a2")
    done = await rewrap(changing.engine, changing.vault)
    assert (done.master_key_id, done.done, done.already, done.closed) == (key_id(NEW), 3, 3, ())
    assert [await master_keys(changing, each.table) for each in KEY_TABLES] == [{key_id(NEW)}] * 3
    alone = open_database(url, time, NEW)
    await alone.check()
    after = await must_find(alone, before.account)
    assert (after.account, after.credential) == (before.account, TOKEN)
    assert after.cipher.open(sealed, b"kept") == b"an answer"
    hook = await alone.vendor_webhooks.find("a1")
    assert hook is not None
    assert hook.secret == HOOK_SECRET
    await alone.close()
    again = await rewrap(changing.engine, changing.vault)
    assert (again.done, again.already) == (0, 6)


async def test_more_rows_than_are_taken_at_once_are_all_done(stores: Stores, changing: Stores) -> None:
    number = AT_ONCE + 1
    for each in range(number):
        await stores.accounts.store(await new_account(stores, f"a{each}"), TOKEN)
    assert (await rewrap(changing.engine, changing.vault)).done == number
    assert await master_keys(changing, credentials) == {key_id(NEW)}


async def test_what_cannot_be_opened_is_named_and_stays_as_it_was(stores: Stores, changing: Stores) -> None:
    for each in ("a1", "a2", "a3"):
        await stores.accounts.store(await new_account(stores, each), TOKEN)
    async with writing(stores.engine) as connection:
        of_one = update(credentials).where(credentials.c.account_id == "a2")
        await connection.execute(of_one.values(wrapped_key=b"damaged"))
    done = await rewrap(changing.engine, changing.vault)
    assert (done.done, done.closed) == (2, ("the credential of account a2",))
    assert await master_keys(changing, credentials) == {key_id(NEW), key_id(MASTER)}


async def test_a_gateway_without_the_old_key_is_refused_and_told_what_to_set(
    stores: Stores, url: str, time: Time
) -> None:
    await stores.accounts.store(await new_account(stores), TOKEN)
    alone = open_database(url, time, NEW)
    with pytest.raises(StoreUnavailable, match=f"{key_id(MASTER)} .* GATEWAY_VAULT_FURTHER_MASTER_KEYS"):
        await alone.check()
    await alone.close()
