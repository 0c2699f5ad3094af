"""The audit trail takes a row with each change and none without it, and gives none back; on SQLite and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.accounts.store import Database
from gateway.accounts.usage import UsageCounts
from gateway.audit.events import AuditEvent, AuditRecord, event
from gateway.audit.log import ChangeListeners
from gateway.db.engine import open_engine, reading
from gateway.db.schema import metadata
from gateway.errors import Conflict, StoreUnavailable
from gateway.model import AT_A_CALL, AT_THE_COMMAND_LINE, Account, Actor, ActorKind, IdempotencyKey, Secret, Status
from gateway.vault.vault import Vault
from tests.fixtures.databases import MASTER, REASON, START, TOKEN, Time, new_account

BACKEND = Actor(ActorKind.KEY, "k1", "192.0.2.1")


async def kinds(database: Database, account_id: str | None = None) -> list[AuditEvent]:
    return [entry.what for entry in reversed(await database.audit.read(account_id=account_id))]


async def live(database: Database, account_id: str = "a1") -> Account:
    """Do everything once that is done to an account and its key, but unlink it."""
    account = await database.store(await new_account(database, account_id), TOKEN, BACKEND)
    account = await database.amend(replace(account, label="other"), BACKEND)
    account = await database.renew(replace(account, grant=replace(account.grant, scopes=frozenset())), TOKEN, BACKEND)
    account = await database.store(account, Secret("another token"), BACKEND)
    await database.mark(account.id, Status.ERROR, REASON, by=AT_A_CALL, revision=account.revision)
    await database.mark(account.id, Status.ACTIVE, None, by=AT_THE_COMMAND_LINE)
    return account


async def test_every_change_has_its_row_with_who_and_when_and_from_where(database: Database, time: Time) -> None:
    time.passed = 60
    key, _ = await database.clients.create_key((await new_account(database)).project_id, ["*"], AT_THE_COMMAND_LINE)
    account = await live(database)
    await database.erase(account.project_id, account.id, BACKEND)
    await database.clients.revoke_key(key.id, AT_THE_COMMAND_LINE)
    await database.clients.revoke_key(key.id, AT_THE_COMMAND_LINE)
    entries = list(reversed(await database.audit.read()))
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


async def test_what_changes_nothing_has_no_row(database: Database) -> None:
    account = await database.store(await new_account(database), TOKEN)
    await database.mark("no such account", Status.ERROR, REASON)
    await database.mark(account.id, Status.ERROR, REASON, revision=account.revision + 1)
    await database.confirm(account.id)
    assert await database.erase("another project", account.id) is None
    for stale in (database.amend(replace(account, revision=7)), database.store(replace(account, revision=7), TOKEN)):
        with pytest.raises(Conflict):
            await stale
    assert await kinds(database) == [AuditEvent.LINKED]


async def test_the_trail_is_read_page_by_page_and_by_what_is_wanted(database: Database) -> None:
    account = await database.store(await new_account(database), TOKEN)
    await database.store(await new_account(database, "a2"), TOKEN)
    await database.store(await new_account(database, "a3", "stranger"), TOKEN)
    await database.mark("a2", Status.ERROR, REASON)

    async def read(**choice: object) -> list[tuple[str | None, AuditEvent]]:
        entries = await database.audit.read(**choice)  # type: ignore[arg-type] # rows of a table
        return [(entry.account_id, entry.what) for entry in entries]

    whole = [("a2", AuditEvent.ERROR), ("a3", AuditEvent.LINKED), ("a2", AuditEvent.LINKED), ("a1", AuditEvent.LINKED)]
    assert await read() == whole
    assert await read(project_id=account.project_id) == [whole[0], *whole[2:]]
    assert await read(project_id=account.project_id, account_id="a3") == []
    assert await read(account_id="a2") == [whole[0], whole[2]]
    assert await read(what=(AuditEvent.LINKED, AuditEvent.UNLINKED)) == whole[1:]
    [first, second] = await database.audit.read(most=2)
    assert await read(before=second.id, most=1) == whole[2:3]
    assert first.id > second.id


ATTACKS = ("UPDATE audit_log SET actor_id = 'somebody else'", "DELETE FROM audit_log WHERE account_id = 'a1'")
OWN_ATTACKS = {
    "sqlite": "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log",
    "postgresql": "TRUNCATE audit_log",
}


async def test_no_row_is_changed_or_deleted(database: Database, url: str) -> None:
    await database.store(await new_account(database), TOKEN, BACKEND)
    before = await database.audit.read()
    engine = open_engine(url)
    for statement in (*ATTACKS, OWN_ATTACKS[engine.dialect.name]):
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    await engine.dispose()
    assert await database.audit.read() == before != []


async def opened(url: str, time: Time, ears: ChangeListeners) -> Database:
    return Database(open_engine(url), Vault(MASTER), ears=ears, clock=time.now, monotonic=time.monotonic)


Act = Callable[[Database, Account], Awaitable[object]]


@pytest.mark.parametrize(
    "act",
    [
        lambda database, account: database.store(account, Secret("another token")),
        lambda database, account: database.renew(account, Secret("another token")),
        lambda database, account: database.amend(replace(account, label="other")),
        lambda database, account: database.mark(account.id, Status.ERROR, REASON),
        lambda database, account: database.erase(account.project_id, account.id),
        lambda database, account: database.store(replace(account, id="a2", revision=0), TOKEN),
    ],
)
async def test_a_change_and_all_that_is_written_with_it_are_kept_together_or_not_at_all(
    database: Database, url: str, time: Time, act: Act
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

    account = await database.store(await new_account(database), TOKEN)
    failing = await opened(url, time, ChangeListeners(within=(fail,), after=(hear,)))
    with pytest.raises(ZeroDivisionError):
        await act(failing, account)
    assert (heard, await kinds(database)) == ([], [AuditEvent.LINKED])
    other = await opened(url, time, ChangeListeners(after=(hear,)))
    linked = await other.find_account(account.project_id, account.id)
    assert linked is not None
    assert (linked.account, linked.credential) == (account, TOKEN)
    assert await other.account("a2") is None
    await act(other, account)
    assert [(fact.what, change.account_id) for change in heard for fact in change.facts] == [
        (entry.what, entry.account_id) for entry in reversed((await database.audit.read())[:-1])
    ]
    await failing.close()
    await other.close()


async def test_of_changes_at_once_each_is_told_from_the_one_before_it(database: Database) -> None:
    """Two processes each see what the other has done, and not what was there when they began."""
    account = await database.store(await new_account(database), TOKEN)
    # Connections are made one after another: without them at hand the changes would be too.
    await asyncio.gather(*(database.account(account.id) for _ in range(10)))
    await asyncio.gather(*(database.mark(account.id, Status.ERROR, REASON) for _ in range(30)))
    assert await kinds(database) == [AuditEvent.LINKED, AuditEvent.ERROR, *[AuditEvent.UPDATED] * 29]


async def test_what_is_unlinked_leaves_ids_and_words_of_ours_in_the_trail_and_nothing_elsewhere(
    database: Database, url: str
) -> None:
    account = await live(database, "planted-account")
    await database.idempotency.begin(IdempotencyKey(account.id, "planted-digest", "planted-digest"), START, START)
    await database.usage.add({account.id: UsageCounts(hits=1)}, START)
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
    await database.erase(account.project_id, account.id, BACKEND)
    assert {name: words for name, words in (await found()).items() if words} == {"audit_log": {"planted-account"}}
    await engine.dispose()


async def test_other_processes_find_out_what_was_unlinked(database: Database) -> None:
    assert (await database.erasures.newest(), await database.erasures.erased(-1000)) == (0, [])
    for account_id in ("a1", "a2", "a3"):
        await database.store(await new_account(database, account_id), TOKEN)
    before = await database.erasures.newest()
    project_id = (await new_account(database)).project_id
    for account_id in ("a3", "a1"):
        await database.erase(project_id, account_id)
    gone = await database.erasures.erased(before)
    assert [(each.project_id, each.account_id) for each in gone] == [(project_id, "a3"), (project_id, "a1")]
    assert gone[-1].row == await database.erasures.newest()
    assert await database.erasures.erased(gone[0].row) == gone[1:]


async def test_the_address_ends_after_its_time_and_nothing_else_of_a_row(database: Database) -> None:
    """Rows of long ago; the database refuses to empty the address of one that is younger than 30 days."""
    by = Actor(ActorKind.ADMIN, "a", "203.0.113.9")
    for at in (START, START + timedelta(days=1)):
        await database.audit.note(event(AuditEvent.SIGNED_IN, at, by))
    before = await database.audit.read()
    assert await database.audit.forget_addresses(START) == 0
    assert await database.audit.forget_addresses(START + timedelta(hours=1)) == 1
    after = await database.audit.read()
    assert [each.by.address for each in after] == ["203.0.113.9", ""]
    assert [(each.id, each.at, each.what, each.by.kind, each.by.id, each.details) for each in after] == [
        (each.id, each.at, each.what, each.by.kind, each.by.id, each.details) for each in before
    ]
    await database.audit.note(event(AuditEvent.SIGNED_IN, datetime.now(UTC), by))
    with pytest.raises(StoreUnavailable):
        await database.audit.forget_addresses(datetime.now(UTC) + timedelta(days=1))
