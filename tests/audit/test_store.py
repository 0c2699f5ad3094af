"""The audit trail takes a row with each change and none without it, and gives none back; on SQLite and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.accounts.listeners import RelatedData
from gateway.accounts.sealed_rows import AccountRows
from gateway.accounts.store import AccountStore
from gateway.accounts.usage import UsageCounts
from gateway.accounts.usage_store import UsageStore
from gateway.app.stores import Stores, make_stores
from gateway.audit.events import AuditEvent, AuditRecord, event
from gateway.audit.log import AuditLog
from gateway.audit.store import AuditStore
from gateway.db.engine import open_engine, reading
from gateway.db.schema import metadata
from gateway.db.ttl_cache import TtlCache
from gateway.errors import Conflict, StoreUnavailable
from gateway.model import AT_A_CALL, AT_THE_COMMAND_LINE, Account, Actor, ActorKind, IdempotencyKey, Secret, Status
from gateway.vault.vault import Vault
from tests.fixtures.databases import MASTER, REASON, START, TOKEN, Time, new_account

BACKEND = Actor(ActorKind.KEY, "k1", "192.0.2.1")


async def kinds(stores: Stores, account_id: str | None = None) -> list[AuditEvent]:
    return [entry.what for entry in reversed(await stores.audit.read(account_id=account_id))]


async def live(stores: Stores, account_id: str = "a1") -> Account:
    """Do everything once that is done to an account and its key, but unlink it."""
    account = await stores.accounts.store(await new_account(stores, account_id), TOKEN, BACKEND)
    account = await stores.accounts.update(replace(account, label="other"), BACKEND)
    account = await stores.accounts.renew(
        replace(account, grant=replace(account.grant, scopes=frozenset())), TOKEN, BACKEND
    )
    account = await stores.accounts.store(account, Secret("another token"), BACKEND)
    await stores.accounts.mark(account.id, Status.ERROR, REASON, by=AT_A_CALL, revision=account.revision)
    await stores.accounts.mark(account.id, Status.ACTIVE, None, by=AT_THE_COMMAND_LINE)
    return account


async def test_every_change_has_its_row_with_who_and_when_and_from_where(stores: Stores, time: Time) -> None:
    time.passed = 60
    key, _ = await stores.keys.create_key((await new_account(stores)).project_id, ["*"], AT_THE_COMMAND_LINE)
    account = await live(stores)
    await stores.accounts.unlink(account.project_id, account.id, BACKEND)
    await stores.keys.revoke_key(key.id, AT_THE_COMMAND_LINE)
    await stores.keys.revoke_key(key.id, AT_THE_COMMAND_LINE)
    entries = list(reversed(await stores.audit.read()))
    assert [(entry.what, entry.by, entry.account_id or entry.key_id) for entry in entries] == [
        (AuditEvent.KEY_CREATED, AT_THE_COMMAND_LINE, key.id),
        (AuditEvent.LINKED, BACKEND, "a1"),
        (AuditEvent.UPDATED, BACKEND, "a1"),
        (AuditEvent.SCOPES_CHANGED, BACKEND, "a1"),
        (AuditEvent.RELINKED, BACKEND, "a1"),
        (AuditEvent.ERROR, AT_A_CALL, "a1"),
        (AuditEvent.RECOVERED, AT_THE_COMMAND_LINE, "a1"),
        (AuditEvent.UNLINKED, BACKEND, "a1"),
        (AuditEvent.KEY_REVOKED, AT_THE_COMMAND_LINE, key.id),
    ]
    assert {(entry.at, entry.project_id) for entry in entries} == {(time.now(), account.project_id)}
    assert entries[3].details == {"gained": [], "lost": ["private:read", "public:read"]}


async def test_what_changes_nothing_has_no_row(stores: Stores) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    await stores.accounts.mark("no such account", Status.ERROR, REASON)
    await stores.accounts.mark(account.id, Status.ERROR, REASON, revision=account.revision + 1)
    await stores.accounts.note_verified(account.id)
    assert await stores.accounts.unlink("another project", account.id) is None
    for stale in (
        stores.accounts.update(replace(account, revision=7)),
        stores.accounts.store(replace(account, revision=7), TOKEN),
    ):
        with pytest.raises(Conflict):
            await stale
    assert await kinds(stores) == [AuditEvent.LINKED]


async def test_the_trail_is_read_page_by_page_and_by_what_is_wanted(stores: Stores) -> None:
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    await stores.accounts.store(await new_account(stores, "a2"), TOKEN)
    await stores.accounts.store(await new_account(stores, "a3", "stranger"), TOKEN)
    await stores.accounts.mark("a2", Status.ERROR, REASON)

    async def read(**choice: object) -> list[tuple[str | None, AuditEvent]]:
        entries = await stores.audit.read(**choice)  # type: ignore[arg-type] # rows of a table
        return [(entry.account_id, entry.what) for entry in entries]

    whole = [("a2", AuditEvent.ERROR), ("a3", AuditEvent.LINKED), ("a2", AuditEvent.LINKED), ("a1", AuditEvent.LINKED)]
    assert await read() == whole
    assert await read(project_id=account.project_id) == [whole[0], *whole[2:]]
    assert await read(project_id=account.project_id, account_id="a3") == []
    assert await read(account_id="a2") == [whole[0], whole[2]]
    assert await read(what=(AuditEvent.LINKED, AuditEvent.UNLINKED)) == whole[1:]
    [first, second] = await stores.audit.read(most=2)
    assert await read(before=second.id, most=1) == whole[2:3]
    assert first.id > second.id


ATTACKS = ("UPDATE audit_log SET actor_id = 'somebody else'", "DELETE FROM audit_log WHERE account_id = 'a1'")
OWN_ATTACKS = {
    "sqlite": "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log",
    "postgresql": "TRUNCATE audit_log",
}


async def test_no_row_is_changed_or_deleted(stores: Stores, url: str) -> None:
    await stores.accounts.store(await new_account(stores), TOKEN, BACKEND)
    before = await stores.audit.read()
    engine = open_engine(url)
    for statement in (*ATTACKS, OWN_ATTACKS[engine.dialect.name]):
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    await engine.dispose()
    assert await stores.audit.read() == before != []


Act = Callable[[AccountStore, Account], Awaitable[object]]


@pytest.mark.parametrize(
    "act",
    [
        lambda accounts, account: accounts.store(account, Secret("another token")),
        lambda accounts, account: accounts.renew(account, Secret("another token")),
        lambda accounts, account: accounts.update(replace(account, label="other")),
        lambda accounts, account: accounts.mark(account.id, Status.ERROR, REASON),
        lambda accounts, account: accounts.unlink(account.project_id, account.id),
        lambda accounts, account: accounts.store(replace(account, id="a2", revision=0), TOKEN),
    ],
)
async def test_a_change_and_all_that_is_written_with_it_are_kept_together_or_not_at_all(
    stores: Stores, url: str, time: Time, act: Act
) -> None:
    """Who listens within the transaction undoes it by failing; who listens after it hears nothing then."""
    heard: list[AuditRecord] = []

    async def fail(connection: AsyncConnection, change: AuditRecord, account: Account) -> None:
        assert change.account_id == account.id
        written = await connection.execute(text("SELECT event FROM audit_log ORDER BY id DESC LIMIT 1"))
        assert written.scalar_one() == change.facts[-1].what
        raise ZeroDivisionError

    async def hear(change: AuditRecord) -> None:
        heard.append(change)

    account = await stores.accounts.store(await new_account(stores), TOKEN)
    engine, rows = open_engine(url), AccountRows(Vault(MASTER), time.now)
    failing = AccountStore(
        engine,
        rows,
        time.now,
        TtlCache(2, 10, time.monotonic),
        keys=stores.keys,
        usage=UsageStore(engine, rows),
        audit_log=AuditLog(AuditStore(engine), time.now, within=(fail,), after=(hear,)),
        related=RelatedData(),
    )
    with pytest.raises(ZeroDivisionError):
        await act(failing, account)
    assert (heard, await kinds(stores)) == ([], [AuditEvent.LINKED])
    other = make_stores(engine, Vault(MASTER), listeners=(hear,), clock=time.now, monotonic=time.monotonic)
    linked = await other.accounts.find_account(account.project_id, account.id)
    assert linked is not None
    assert (linked.account, linked.credential) == (account, TOKEN)
    assert await other.accounts.find("a2") is None
    await act(other.accounts, account)
    assert [(fact.what, change.account_id) for change in heard for fact in change.facts] == [
        (entry.what, entry.account_id) for entry in reversed((await stores.audit.read())[:-1])
    ]
    await other.close()


async def test_of_changes_at_once_each_is_told_from_the_one_before_it(stores: Stores) -> None:
    """Two processes each see what the other has done, and not what was there when they began."""
    account = await stores.accounts.store(await new_account(stores), TOKEN)
    # Connections are made one after another: without them at hand the changes would be too.
    await asyncio.gather(*(stores.accounts.find(account.id) for _ in range(10)))
    await asyncio.gather(*(stores.accounts.mark(account.id, Status.ERROR, REASON) for _ in range(30)))
    assert await kinds(stores) == [AuditEvent.LINKED, AuditEvent.ERROR, *[AuditEvent.UPDATED] * 29]


async def test_what_is_unlinked_leaves_ids_and_words_of_ours_in_the_trail_and_nothing_elsewhere(
    stores: Stores, url: str
) -> None:
    account = await live(stores, "planted-account")
    await stores.idempotency.begin(IdempotencyKey(account.id, "planted-digest", "planted-digest"), START, START)
    await stores.usage.add({account.id: UsageCounts(hits=1)}, START)
    engine = open_engine(url)
    planted = ("planted-account", "Planted", "customer-1", "planted-vendor-token", "planted-digest")

    async def found() -> dict[str, set[str]]:
        async with reading(engine) as connection:
            rows = {
                table.name: [str(tuple(row)) for row in await connection.execute(select(table))]
                for table in metadata.tables.values()
            }
        return {name: {word for word in planted for row in rows[name] if word in row} for name in rows}

    assert {name for name, words in (await found()).items() if words} == {
        *"accounts account_usage audit_log credentials idempotency".split()
    }
    await stores.accounts.unlink(account.project_id, account.id, BACKEND)
    assert {name: words for name, words in (await found()).items() if words} == {"audit_log": {"planted-account"}}
    await engine.dispose()


async def test_other_processes_find_out_what_was_unlinked(stores: Stores) -> None:
    assert (await stores.purges.newest_row(), await stores.purges.since(-1000)) == (0, [])
    for account_id in ("a1", "a2", "a3"):
        await stores.accounts.store(await new_account(stores, account_id), TOKEN)
    before = await stores.purges.newest_row()
    project_id = (await new_account(stores)).project_id
    for account_id in ("a3", "a1"):
        await stores.accounts.unlink(project_id, account_id)
    gone = await stores.purges.since(before)
    assert [(each.project_id, each.account_id) for each in gone] == [(project_id, "a3"), (project_id, "a1")]
    assert gone[-1].row == await stores.purges.newest_row()
    assert await stores.purges.since(gone[0].row) == gone[1:]


async def test_the_address_ends_after_its_time_and_nothing_else_of_a_row(stores: Stores) -> None:
    """Rows of long ago; the database refuses to empty the address of one that is younger than 30 days."""
    by = Actor(ActorKind.ADMIN, "a", "203.0.113.9")
    for at in (START, START + timedelta(days=1)):
        await stores.audit.note(event(AuditEvent.SIGNED_IN, at, by))
    before = await stores.audit.read()
    assert await stores.audit.forget_addresses(START) == 0
    assert await stores.audit.forget_addresses(START + timedelta(hours=1)) == 1
    after = await stores.audit.read()
    assert [each.by.address for each in after] == ["203.0.113.9", ""]
    assert [(each.id, each.at, each.what, each.by.kind, each.by.id, each.details) for each in after] == [
        (each.id, each.at, each.what, each.by.kind, each.by.id, each.details) for each in before
    ]
    await stores.audit.note(event(AuditEvent.SIGNED_IN, datetime.now(UTC), by))
    with pytest.raises(StoreUnavailable):
        await stores.audit.forget_addresses(datetime.now(UTC) + timedelta(days=1))
