"""What was erased is gone: from every row, and from the very bytes of the database's files."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from gateway.accounts.search import Search
from gateway.app.stores import Stores
from gateway.db.engine import open_engine, reading, writing
from gateway.db.schema import accounts, connect_sessions, credentials
from gateway.errors import StoreUnavailable
from gateway.model import Owner
from tests.fixtures.databases import TOKEN, Time, new_account, open_database

NEEDLE = "Planted Customer"


async def files_of(stores: Stores, url: str) -> Sequence[Path]:
    """Give the files that hold the tables: all of SQLite's, and PostgreSQL's without its log of writes (WAL)."""
    if url.startswith("sqlite"):
        return list(Path(url.removeprefix("sqlite+aiosqlite:///")).parent.iterdir())
    async with reading(stores.engine) as connection:
        await connection.execute(text("CHECKPOINT"))
        folder = (await connection.execute(text("SHOW data_directory"))).scalar_one()
        number = (
            await connection.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
        ).scalar_one()
    return [each for each in (Path(folder) / "base" / str(number)).iterdir() if each.is_file()]


async def found_in(stores: Stores, url: str, *needles: bytes) -> set[bytes]:
    content = b"\0".join([each.read_bytes() for each in await files_of(stores, url)])
    return {needle for needle in needles if needle in content}


async def test_an_owner_s_name_is_sealed_and_read_by_every_way(stores: Stores, url: str) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    assert await found_in(stores, url, NEEDLE.encode(), b"ann@example.com") == set()
    owner = Owner(id=account.owner.id, name=f"{NEEDLE} 2", username="ann@example.com")
    amended = await stores.accounts.update(replace(account, owner=owner))
    for found in (
        await stores.accounts.find(account.id),
        await stores.accounts.find_by_owner(account.project_id, account.provider, owner.id),
        await stores.accounts.find(account.id),
        (await stores.account_search.search(Search(text="planted customer 2")))[0],
        (await stores.accounts.all())[0],
    ):
        assert found is not None
        assert found.owner == owner
    assert await stores.account_search.search(Search(text="ann@example.com")) == []
    linked = await stores.accounts.find_account(account.project_id, account.id)
    assert linked is not None
    assert linked.account == amended
    assert await found_in(stores, url, NEEDLE.encode(), b"ann@example.com") == set()


async def test_after_an_unlinking_no_byte_of_it_is_in_the_files(stores: Stores, url: str) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    kept = await stores.accounts.store(await new_account(stores, "kept", "other"), TOKEN)
    async with writing(stores.engine) as connection:
        session = {
            "digest": "d",
            "project_id": account.project_id,
            "owner_id": account.owner.id,
            "owner_name": NEEDLE,
            "categories": [],
            "multiple": False,
            "replace_company": False,
            "kind": "",
            "details": {},
            "tries": 0,
            "created_at": account.created_at,
            "expires_at": account.created_at + timedelta(days=1),
        }
        await connection.execute(insert(connect_sessions).values(session))
        row = (await connection.execute(select(credentials).where(credentials.c.account_id == account.id))).one()
    needles = (row.sealed, row.wrapped_key, row.owner_sealed, NEEDLE.encode())
    await stores.accounts.unlink(account.project_id, account.id)
    assert await stores.purges.clean()
    assert not await stores.purges.clean(), "it is done once"
    assert await found_in(stores, url, *needles) == set()
    assert await stores.accounts.find_account(kept.project_id, kept.id) is not None


async def test_files_are_cleaned_again_where_it_could_not_be_done(stores: Stores, url: str) -> None:
    """A transaction from before still sees what was deleted, so it would be copied; and somebody may hold a table."""
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    if url.startswith("sqlite"):
        await stores.accounts.unlink(account.project_id, account.id)
    else:
        other = open_engine(url)
        async with reading(other) as connection:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            await connection.execute(select(accounts))
            await stores.accounts.unlink(account.project_id, account.id)
            assert not await stores.purges.clean()
            assert await stores.purges.unclean()
        async with reading(other) as connection:
            await connection.execute(text("LOCK TABLE accounts IN ACCESS SHARE MODE"))
            with pytest.raises(StoreUnavailable):
                await stores.purges.clean()
        await other.dispose()
    assert await stores.purges.clean()
    assert not await stores.purges.unclean()


async def test_two_processes_do_not_write_the_tables_at_once(stores: Stores, url: str) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    await stores.accounts.unlink(account.project_id, account.id)
    second = open_database(url, Time())
    done = [await stores.purges.clean(), await second.purges.clean()]
    await second.close()
    assert done == [True, False]


async def test_a_journal_that_a_reader_holds_is_cleaned_later_and_not_forgotten(stores: Stores, url: str) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    reader = open_engine(url)
    async with reader.connect() as connection:
        await connection.execute(text("SELECT count(*) FROM accounts"))
        await stores.accounts.unlink(account.project_id, account.id)
        await stores.purges.clean()
        assert await stores.purges.unclean() or not await found_in(stores, url, account.owner.id.encode())
    await reader.dispose()
    await stores.purges.clean()
    assert await stores.purges.unclean() == []
    assert await found_in(stores, url, account.owner.id.encode()) == set()
