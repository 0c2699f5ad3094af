"""The database keeps accounts and keys, tells projects apart, shows no secret; on SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.accounts.store import Database
from gateway.auth.api_key import new_key
from gateway.db.engine import open_engine, reading, writing
from gateway.errors import Conflict, GatewayError, StoreUnavailable
from gateway.model import OwnerLinked, Secret, Status, Unsealable
from gateway.vault.vault import key_id
from tests.fixtures.databases import MASTER, REASON, START, TOKEN, Time, must_find, new_account, open_database

# --- accounts -----------------------------------------------------------------------------------------------


async def test_a_stored_account_comes_back_whole(database: Database, url: str, time: Time) -> None:
    account = replace(await new_account(database), status=Status.ERROR, status_reasons=(REASON,))
    stored = await database.store(account, TOKEN)
    assert stored == replace(account, revision=1)
    other_process = open_database(url, time)
    for each in (database, other_process):
        linked = await must_find(each, stored)
        assert (linked.account, linked.credential) == (stored, TOKEN)
    await other_process.close()


async def test_an_account_is_found_in_its_own_project_only(database: Database) -> None:
    account = await database.store(await new_account(database), TOKEN)
    stranger = await database.clients.project("stranger")
    assert await database.find_account(account.project_id, account.id) is not None
    assert await database.find_account(stranger.id, account.id) is None
    assert await database.erase(stranger.id, account.id) is None
    assert await database.find_by_owner(stranger.id, "humaans", "customer-1") is None
    assert await database.find_by_owner(account.project_id, "other", "customer-1") is None
    assert await database.find_by_owner(account.project_id, "humaans", "customer-1") == account


async def test_storing_again_replaces_and_takes_a_new_data_key(database: Database) -> None:
    first = await database.store(await new_account(database), TOKEN)
    old = (await must_find(database, first)).cipher
    second = await database.store(replace(first, label="new"), Secret("another token"))
    linked = await must_find(database, second)
    assert (linked.account.revision, linked.account.label, linked.credential.reveal) == (
        2,
        "new",
        "another token",
    )
    with pytest.raises(Unsealable):
        linked.cipher.open(old.seal(b"cached", b"here"), b"here")


async def test_of_two_changes_at_once_the_second_is_refused(database: Database) -> None:
    first = await database.store(await new_account(database), TOKEN)
    changed = await database.store(replace(first, label="one"), TOKEN)
    with pytest.raises(Conflict):
        await database.store(replace(first, label="two"), Secret("lost"))
    assert await database.account(first.id) == changed
    assert (await must_find(database, first)).credential == TOKEN


async def test_of_accounts_that_are_to_be_alone_one_is_made(database: Database, url: str, time: Time) -> None:
    other_process = open_database(url, time)
    asked = [
        each.store(await new_account(database, f"a{number}"), TOKEN, alone=True)
        for number, each in enumerate([database, other_process] * 5)
    ]
    done = await asyncio.gather(*asked, return_exceptions=True)
    [made] = [each for each in done if not isinstance(each, BaseException)]
    assert [type(each) for each in done if each is not made] == [OwnerLinked] * 9
    assert await database.accounts() == [made]
    further = await database.store(await new_account(database, "further"), TOKEN)
    assert {each.id for each in await database.accounts()} == {made.id, further.id}
    again = await database.store(replace(made, label="again"), TOKEN, alone=True)
    assert again.revision == made.revision + 1
    await other_process.close()


async def test_an_account_that_was_unlinked_does_not_come_back(database: Database) -> None:
    account = await database.store(await new_account(database), TOKEN)
    await database.erase(account.project_id, account.id)
    with pytest.raises(Conflict):
        await database.store(account, TOKEN)
    assert await database.account(account.id) is None


async def test_the_first_store_of_an_id_that_is_taken_changes_nothing(database: Database) -> None:
    account = await database.store(await new_account(database), TOKEN)
    with pytest.raises(StoreUnavailable):
        await database.store(await new_account(database, project="stranger"), Secret("theirs"))
    assert (await must_find(database, account)).credential == TOKEN


async def test_an_erased_account_leaves_nothing(database: Database, url: str) -> None:
    account = await database.store(await new_account(database), TOKEN)
    await must_find(database, account)
    assert await database.erase(account.project_id, account.id) == account
    assert await database.find_account(account.project_id, account.id) is None
    assert await database.erase(account.project_id, account.id) is None
    engine = open_engine(url)
    async with reading(engine) as connection:
        for table in ("accounts", "credentials"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
    await engine.dispose()
    if url.startswith("sqlite"):
        path = Path(url.partition("///")[2])
        for file in path.parent.iterdir():
            assert b"Planted Customer" not in file.read_bytes(), file.name


async def test_no_secret_stands_in_the_database_as_it_is(database: Database, url: str) -> None:
    account = await database.store(await new_account(database), TOKEN)
    _, key = await database.clients.create_key(account.project_id, ["*"])
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


async def test_a_store_that_dies_halfway_leaves_nothing(database: Database, url: str) -> None:
    account = await new_account(database)
    engine = open_engine(url)
    async with writing(engine) as connection:
        await connection.execute(text("ALTER TABLE credentials RENAME TO away"))
    # The account's row is written first, and then there is no table for the credential.
    with pytest.raises(StoreUnavailable):
        await database.store(account, TOKEN)
    async with writing(engine) as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO credentials"))
    await engine.dispose()
    assert await database.account(account.id) is None
    assert (await database.store(account, TOKEN)).revision == 1


async def test_marking_sets_the_state_and_bumps_the_revision(database: Database, time: Time) -> None:
    account = await database.store(await new_account(database), TOKEN)
    await must_find(database, account)
    time.passed = 60
    await database.mark(account.id, Status.ERROR, REASON)
    marked = (await must_find(database, account)).account
    assert marked == replace(account, status=Status.ERROR, status_reasons=(REASON,), revision=2, updated_at=time.now())
    await database.mark(account.id, Status.ACTIVE, None)
    assert (await must_find(database, account)).account.status_reasons == ()


async def test_marking_an_old_revision_changes_nothing(database: Database) -> None:
    first = await database.store(await new_account(database), TOKEN)
    relinked = await database.store(first, Secret("better"))
    await database.mark(first.id, Status.ERROR, REASON, revision=first.revision)
    assert (await must_find(database, first)).account == relinked
    await database.mark("no such account", Status.ERROR, REASON)


async def test_accounts_are_listed_by_project_oldest_first(database: Database) -> None:
    for number, project in enumerate(["acme", "other", "acme"]):
        account = await new_account(database, f"a{number}", project)
        await database.store(replace(account, created_at=START - timedelta(days=number)), TOKEN)
    acme = await database.clients.project("acme")
    assert [account.id for account in await database.accounts()] == ["a2", "a1", "a0"]
    assert [account.id for account in await database.accounts(acme.id)] == ["a2", "a0"]


# --- what a process remembers -------------------------------------------------------------------------------


async def test_a_change_by_another_process_is_seen_when_the_memory_ends(
    database: Database, url: str, time: Time
) -> None:
    account = await database.store(await new_account(database), TOKEN)
    _, secret = await database.clients.create_key(account.project_id, ["*"])
    other_process = open_database(url, time)
    await must_find(database, account)
    key = await database.find_key(secret.reveal)
    assert key is not None
    await other_process.mark(account.id, Status.SUSPENDED, None)
    await other_process.clients.revoke_key(key.id)
    time.passed = 1.9
    assert (await must_find(database, account)).account.status is Status.ACTIVE
    assert await database.find_key(secret.reveal) is not None
    time.passed = 2
    assert (await must_find(database, account)).account.status is Status.SUSPENDED
    assert await database.find_key(secret.reveal) is None
    await other_process.close()


async def test_a_thousand_callers_at_once_share_one_look_up(database: Database) -> None:
    account = await database.store(await new_account(database), TOKEN)
    found = await asyncio.gather(*(must_find(database, account) for _ in range(1000)))
    assert len({id(linked) for linked in found}) == 1


# --- faults -------------------------------------------------------------------------------------------------


async def test_another_master_key_is_refused_at_start_and_at_a_look_up(
    database: Database, url: str, time: Time
) -> None:
    account = await database.store(await new_account(database), TOKEN)
    await database.check()
    stranger = open_database(url, time, master=b"x" * 32)
    for asked in (stranger.check(), stranger.find_account(account.project_id, account.id)):
        with pytest.raises(StoreUnavailable, match=f"set GATEWAY_VAULT_MASTER_KEY to the key {key_id(MASTER)}"):
            await asked
    await stranger.close()


async def test_a_credential_moved_to_another_account_does_not_open(database: Database, url: str) -> None:
    one = await database.store(await new_account(database, "a1"), TOKEN)
    await database.store(await new_account(database, "a2"), Secret("other"))
    engine = open_engine(url)
    async with writing(engine) as connection:
        await connection.execute(text("DELETE FROM credentials WHERE account_id = 'a1'"))
        await connection.execute(text("UPDATE credentials SET account_id = 'a1'"))
    await engine.dispose()
    with pytest.raises(StoreUnavailable, match="the credential of account a1 is damaged"):
        await database.find_account(one.project_id, one.id)


UNREACHABLE = (
    "postgresql+asyncpg://someone:planted-password@127.0.0.1:1/gateway",
    "postgresql+asyncpg://someone:planted-password@no-such-host.invalid/gateway",
    "sqlite+aiosqlite:////proc/no/such/planted-password.db",
)


@pytest.mark.parametrize("url", UNREACHABLE)
async def test_an_unreachable_database_is_one_sentence_without_its_password(url: str, time: Time) -> None:
    database = open_database(url, time)
    with pytest.raises(StoreUnavailable, match="the database cannot be used now") as refused:
        await database.find_account("p", "a")
    with pytest.raises(StoreUnavailable):
        await database.find_key(new_key())  # Not None: that would refuse a good key.
    assert refused.value.__cause__ is not None
    assert "planted-password" not in f"{refused.value!r} {refused.value.__cause__!r}"
    assert "planted-password" not in repr(open_engine(url)) or url.startswith("sqlite")
    await database.close()


async def test_connections_that_the_server_closed_fail_no_request(database: Database, url: str) -> None:
    account = await database.store(await new_account(database), TOKEN)
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
    assert await database.find_account(account.project_id, account.id) is not None


async def test_our_error_is_no_subclass_of_theirs() -> None:
    assert StoreUnavailable.__mro__ == (StoreUnavailable, GatewayError, Exception, BaseException, object)


async def test_no_repr_shows_a_credential(database: Database) -> None:
    linked = await must_find(database, await database.store(await new_account(database), TOKEN))
    assert TOKEN.reveal not in f"{linked!r} {database!r} {linked.cipher!r}"
