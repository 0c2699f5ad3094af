"""The database keeps accounts and keys, tells projects apart, shows no secret; on SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.app.stores import Stores
from gateway.auth.api_key import new_key
from gateway.db.engine import open_engine, reading, writing
from gateway.errors import Conflict, GatewayError, StoreUnavailable
from gateway.model import OwnerLinked, Secret, Status, Unsealable
from gateway.vault.vault import key_id
from tests.fixtures.databases import MASTER, REASON, START, TOKEN, Time, must_find, new_account, open_database

# --- accounts -----------------------------------------------------------------------------------------------


async def test_a_stored_account_comes_back_whole(stores: Stores, url: str, time: Time) -> None:
    account = replace(await new_account(stores), status=Status.ERROR, status_reasons=(REASON,))
    stored = await stores.accounts.store(account, TOKEN)
    assert stored == replace(account, revision=1)
    other_process = open_database(url, time)
    for each in (stores, other_process):
        linked = await must_find(each, stored)
        assert (linked.account, linked.credential) == (stored, TOKEN)
    await other_process.close()


async def test_an_account_is_found_in_its_own_project_only(stores: Stores) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    stranger = await stores.keys.ensure_project("stranger")
    assert await stores.accounts.find_account(account.project_id, account.id) is not None
    assert await stores.accounts.find_account(stranger.id, account.id) is None
    assert await stores.accounts.unlink(stranger.id, account.id) is None
    assert await stores.accounts.find_by_owner(stranger.id, "humaans", "customer-1") is None
    assert await stores.accounts.find_by_owner(account.project_id, "other", "customer-1") is None
    assert await stores.accounts.find_by_owner(account.project_id, "humaans", "customer-1") == account


async def test_storing_again_replaces_and_takes_a_new_data_key(stores: Stores) -> None:
    first = await stores.accounts.store(await new_account(stores), TOKEN)
    old = (await must_find(stores, first)).cipher
    second = await stores.accounts.store(replace(first, label="new"), Secret("another token"))
    linked = await must_find(stores, second)
    assert (linked.account.revision, linked.account.label, linked.credential.reveal) == (
        2,
        "new",
        "another token",
    )
    with pytest.raises(Unsealable):
        linked.cipher.open(old.seal(b"cached", b"here"), b"here")


async def test_of_two_changes_at_once_the_second_is_refused(stores: Stores) -> None:
    first = await stores.accounts.store(await new_account(stores), TOKEN)
    changed = await stores.accounts.store(replace(first, label="one"), TOKEN)
    with pytest.raises(Conflict):
        await stores.accounts.store(replace(first, label="two"), Secret("lost"))
    assert await stores.accounts.find(first.id) == changed
    assert (await must_find(stores, first)).credential == TOKEN


async def test_of_accounts_that_are_to_be_alone_one_is_made(stores: Stores, url: str, time: Time) -> None:
    other_process = open_database(url, time)
    asked = [
        each.accounts.store(await new_account(stores, f"a{number}"), TOKEN, alone=True)
        for number, each in enumerate([stores, other_process] * 5)
    ]
    done = await asyncio.gather(*asked, return_exceptions=True)
    [made] = [each for each in done if not isinstance(each, BaseException)]
    assert [type(each) for each in done if each is not made] == [OwnerLinked] * 9
    assert await stores.accounts.all() == [made]
    further = await stores.accounts.store(await new_account(stores, "further"), TOKEN)
    assert {each.id for each in await stores.accounts.all()} == {made.id, further.id}
    again = await stores.accounts.store(replace(made, label="again"), TOKEN, alone=True)
    assert again.revision == made.revision + 1
    await other_process.close()


async def test_an_account_that_was_unlinked_does_not_come_back(stores: Stores) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    await stores.accounts.unlink(account.project_id, account.id)
    with pytest.raises(Conflict):
        await stores.accounts.store(account, TOKEN)
    assert await stores.accounts.find(account.id) is None


async def test_the_first_store_of_an_id_that_is_taken_changes_nothing(stores: Stores) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    with pytest.raises(StoreUnavailable):
        await stores.accounts.store(await new_account(stores, project="stranger"), Secret("theirs"))
    assert (await must_find(stores, account)).credential == TOKEN


async def test_an_erased_account_leaves_nothing(stores: Stores, url: str) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    await must_find(stores, account)
    assert await stores.accounts.unlink(account.project_id, account.id) == account
    assert await stores.accounts.find_account(account.project_id, account.id) is None
    assert await stores.accounts.unlink(account.project_id, account.id) is None
    engine = open_engine(url)
    async with reading(engine) as connection:
        for table in ("accounts", "credentials"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
    await engine.dispose()
    if url.startswith("sqlite"):
        path = Path(url.partition("///")[2])
        for file in path.parent.iterdir():
            assert b"Planted Customer" not in file.read_bytes(), file.name


async def test_no_secret_stands_in_the_database_as_it_is(stores: Stores, url: str) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    _, key = await stores.keys.create_key(account.project_id, ["*"])
    cells: list[bytes] = []
    engine = open_engine(url)
    async with reading(engine) as connection:
        for table in ("projects", "api_keys", "accounts", "credentials"):
            for row in await connection.execute(text(f"SELECT * FROM {table}")):
                cells += [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
    await engine.dispose()
    assert any(b"customer-1" in cell for cell in cells)
    assert not [cell for cell in cells if b"Planted Customer" in cell]
    assert not [cell for cell in cells if TOKEN.reveal.encode() in cell or key.reveal.encode() in cell]


async def test_a_store_that_dies_halfway_leaves_nothing(stores: Stores, url: str) -> None:
    account = await new_account(stores)
    engine = open_engine(url)
    async with writing(engine) as connection:
        await connection.execute(text("ALTER TABLE credentials RENAME TO away"))
    # The account's row is written first, and then there is no table for the credential.
    with pytest.raises(StoreUnavailable):
        await stores.accounts.store(account, TOKEN)
    async with writing(engine) as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO credentials"))
    await engine.dispose()
    assert await stores.accounts.find(account.id) is None
    assert (await stores.accounts.store(account, TOKEN)).revision == 1


async def test_marking_sets_the_state_and_bumps_the_revision(stores: Stores, time: Time) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    await must_find(stores, account)
    time.passed = 60
    await stores.accounts.mark(account.id, Status.ERROR, REASON)
    marked = (await must_find(stores, account)).account
    assert marked == replace(account, status=Status.ERROR, status_reasons=(REASON,), revision=2, updated_at=time.now())
    await stores.accounts.mark(account.id, Status.ACTIVE, None)
    assert (await must_find(stores, account)).account.status_reasons == ()


async def test_marking_an_old_revision_changes_nothing(stores: Stores) -> None:
    first = await stores.accounts.store(await new_account(stores), TOKEN)
    relinked = await stores.accounts.store(first, Secret("better"))
    await stores.accounts.mark(first.id, Status.ERROR, REASON, revision=first.revision)
    assert (await must_find(stores, first)).account == relinked
    await stores.accounts.mark("no such account", Status.ERROR, REASON)


async def test_accounts_are_listed_by_project_oldest_first(stores: Stores) -> None:
    for number, project in enumerate(["acme", "other", "acme"]):
        account = await new_account(stores, f"a{number}", project)
        await stores.accounts.store(replace(account, created_at=START - timedelta(days=number)), TOKEN)
    acme = await stores.keys.ensure_project("acme")
    assert [account.id for account in await stores.accounts.all()] == ["a2", "a1", "a0"]
    assert [account.id for account in await stores.accounts.all(acme.id)] == ["a2", "a0"]


# --- what a process remembers -------------------------------------------------------------------------------


async def test_a_change_by_another_process_is_seen_when_the_memory_ends(stores: Stores, url: str, time: Time) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    _, secret = await stores.keys.create_key(account.project_id, ["*"])
    other_process = open_database(url, time)
    await must_find(stores, account)
    key = await stores.accounts.find_key(secret.reveal)
    assert key is not None
    await other_process.accounts.mark(account.id, Status.SUSPENDED, None)
    await other_process.keys.revoke_key(key.id)
    time.passed = 1.9
    assert (await must_find(stores, account)).account.status is Status.ACTIVE
    assert await stores.accounts.find_key(secret.reveal) is not None
    time.passed = 2
    assert (await must_find(stores, account)).account.status is Status.SUSPENDED
    assert await stores.accounts.find_key(secret.reveal) is None
    await other_process.close()


async def test_a_thousand_callers_at_once_share_one_look_up(stores: Stores) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    found = await asyncio.gather(*(must_find(stores, account) for _ in range(1000)))
    assert len({id(linked) for linked in found}) == 1


# --- faults -------------------------------------------------------------------------------------------------


async def test_another_master_key_is_refused_at_start_and_at_a_look_up(stores: Stores, url: str, time: Time) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    await stores.check()
    stranger = open_database(url, time, master=b"x" * 32)
    for asked in (stranger.check(), stranger.accounts.find_account(account.project_id, account.id)):
        with pytest.raises(StoreUnavailable, match=f"set GATEWAY_VAULT_MASTER_KEY to the key {key_id(MASTER)}"):
            await asked
    await stranger.close()


async def test_a_credential_moved_to_another_account_does_not_open(stores: Stores, url: str) -> None:
    one = await stores.accounts.store(await new_account(stores, "a1"), TOKEN)
    await stores.accounts.store(await new_account(stores, "a2"), Secret("other"))
    engine = open_engine(url)
    async with writing(engine) as connection:
        await connection.execute(text("DELETE FROM credentials WHERE account_id = 'a1'"))
        await connection.execute(text("UPDATE credentials SET account_id = 'a1'"))
    await engine.dispose()
    with pytest.raises(StoreUnavailable, match="the credential of account a1 is damaged"):
        await stores.accounts.find_account(one.project_id, one.id)


UNREACHABLE = (
    "postgresql+asyncpg://someone:planted-password@127.0.0.1:1/gateway",
    "postgresql+asyncpg://someone:planted-password@no-such-host.invalid/gateway",
    "sqlite+aiosqlite:////proc/no/such/planted-password.db",
)


@pytest.mark.parametrize("url", UNREACHABLE)
async def test_an_unreachable_database_is_one_sentence_without_its_password(url: str, time: Time) -> None:
    stores = open_database(url, time)
    with pytest.raises(StoreUnavailable, match="the database cannot be used now") as refused:
        await stores.accounts.find_account("p", "a")
    with pytest.raises(StoreUnavailable):
        await stores.accounts.find_key(new_key())  # Not None: that would refuse a good key.
    assert refused.value.__cause__ is not None
    assert "planted-password" not in f"{refused.value!r} {refused.value.__cause__!r}"
    assert "planted-password" not in repr(open_engine(url)) or url.startswith("sqlite")
    await stores.close()


async def test_connections_that_the_server_closed_fail_no_request(stores: Stores, url: str) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    if url.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    engine = open_engine(url)
    async with writing(engine) as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await engine.dispose()
    assert await stores.accounts.find_account(account.project_id, account.id) is not None


async def test_our_error_is_no_subclass_of_theirs() -> None:
    assert StoreUnavailable.__mro__ == (StoreUnavailable, GatewayError, Exception, BaseException, object)


async def test_no_repr_shows_a_credential(stores: Stores) -> None:
    linked = await must_find(stores, await stores.accounts.store(await new_account(stores), TOKEN))
    assert TOKEN.reveal not in f"{linked!r} {stores!r} {linked.cipher!r}"
