"""Linked accounts and their sealed credentials, kept together or not at all."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.adapters.accounts.clients import Clients, Tell, tell_nobody
from gateway.adapters.accounts.engine import empty_journal, reading, writing
from gateway.adapters.accounts.memo import Memo
from gateway.adapters.accounts.register import AccountRegister
from gateway.adapters.accounts.repeats import RepeatBook
from gateway.adapters.accounts.rows import read_account, write_account, write_reasons
from gateway.adapters.accounts.schema import accounts, credentials
from gateway.adapters.accounts.sessions import SessionBook
from gateway.adapters.vault import Vault, WrappedKey
from gateway.core.errors import Conflict, StoreUnavailable
from gateway.core.model import Account, Change, Choice, ClientKey, Linked, Secret, Status, StatusReason, Unsealable

CREDENTIAL = b"credential"
MEMO_ENTRIES = 10_000


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """Implements the doors `Accounts`, `Ledger` and `Directory`.

    `clients` has the projects and keys, `repeats` what is done once only, `sessions` the
    permissions to link, `register` the accounts of all projects.

    Keys and accounts are remembered for `memo_seconds` in this process: so late are changes by others seen.
    """

    def __init__(  # noqa: PLR0913 - time and a way to others are arguments, too
        self,
        engine: AsyncEngine,
        vault: Vault,
        *,
        memo_seconds: float = 2.0,
        tell: Tell = tell_nobody,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._tell = tell
        self._memo: Memo[str, Linked | None] = Memo(memo_seconds, MEMO_ENTRIES, monotonic)
        self.repeats = RepeatBook(engine)
        self.sessions = SessionBook(engine)
        self.register = AccountRegister(engine)
        self.clients = Clients(engine, clock, Memo(memo_seconds, MEMO_ENTRIES, monotonic), tell)

    def drop(self, account_id: str) -> None:
        """Forget what is remembered of an account in this process."""
        self._memo.drop(account_id)

    async def close(self) -> None:
        await self.clients.close()
        await self._engine.dispose()

    async def check(self) -> None:
        """Refuse a database that cannot be reached, or whose data keys the vault cannot unwrap."""
        async with reading(self._engine) as connection:
            found = await connection.scalars(select(credentials.c.master_key_id).distinct())
            for master_key_id in found.all():
                self._vault.must_open(master_key_id)

    # --- as a request needs it ------------------------------------------------------------------------------

    async def find_key(self, secret: str) -> ClientKey | None:
        return await self.clients.find(secret)

    async def find_account(self, project_id: str, account_id: str) -> Linked | None:
        linked = await self._memo.get(account_id, lambda: self._look_up(account_id))
        return linked if linked is not None and linked.account.project_id == project_id else None

    def remembers(self, key: ClientKey, linked: Linked) -> bool:
        return self.clients.remembers(key) and self._memo.peek(linked.account.id) is linked

    async def mark(
        self, account_id: str, status: Status, reason: StatusReason | None, *, revision: int | None = None
    ) -> None:
        """Set the state; with a `revision` only if the account has not changed since, as by a re-link."""
        of_account = accounts.c.id == account_id
        if revision is not None:
            of_account &= accounts.c.revision == revision
        change = (
            update(accounts)
            .where(of_account)
            .values(
                status=status.value,
                status_reasons=write_reasons(*([reason] if reason else [])),
                revision=accounts.c.revision + 1,
                updated_at=self._clock(),
            )
        )
        async with writing(self._engine) as connection:
            changed = (await connection.execute(change)).rowcount
        if changed:
            await self._changed(account_id)

    # --- as linking needs it --------------------------------------------------------------------------------

    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:
        of_project = select(accounts).where(accounts.c.project_id == project_id)
        found = await self._accounts(of_project.where(accounts.c.provider == provider, accounts.c.owner_id == owner_id))
        return found[0] if found else None

    async def store(self, account: Account, credential: Secret) -> Account:
        """Write a new account (revision 0), or replace one whose stored revision is the given one.

        So what is unlinked meanwhile does not come back, and of two changes at once the second is refused.
        Each store makes a new data key: what was sealed before cannot be opened any more.
        """
        wrapped, cipher = self._vault.new_key(account.id)
        sealed = cipher.seal(credential.reveal.encode(), CREDENTIAL)
        stored = replace(account, revision=account.revision + 1)
        row = {
            "account_id": account.id,
            "master_key_id": wrapped.master_key_id,
            "wrapped_key": wrapped.wrapped,
            "sealed": sealed,
            "updated_at": self._clock(),
        }
        async with writing(self._engine) as connection:
            await self._write(connection, stored)
            await connection.execute(delete(credentials).where(credentials.c.account_id == account.id))
            await connection.execute(insert(credentials).values(row))
        await self._changed(account.id)
        return stored

    async def erase(self, project_id: str, account_id: str) -> Account | None:
        of_account = (accounts.c.id == account_id) & (accounts.c.project_id == project_id)
        async with writing(self._engine) as connection:
            # The credential and its data key go with it: the foreign key cascades.
            deleted = await connection.execute(delete(accounts).where(of_account).returning(accounts))
            row = deleted.one_or_none()
        if row is None:
            return None
        await self._changed(account_id)
        await self._scrub()
        return read_account(row)

    # --- as the platform API needs it -----------------------------------------------------------------------

    async def choose(self, project_id: str, choice: Choice) -> Sequence[Account]:
        """Give accounts of a project, oldest first; an account is chosen and paged by the database."""
        query = select(accounts).where(accounts.c.project_id == project_id)
        for column, wanted in (
            (accounts.c.id, choice.ids),
            (accounts.c.provider, choice.providers),
            (accounts.c.owner_id, choice.owner_ids),
            (accounts.c.status, choice.statuses),
        ):
            query = query.where(column.in_(wanted)) if wanted else query
        return await self._accounts(query.offset(choice.skip).limit(choice.most))

    async def amend(self, account: Account) -> Account:
        """Write an account that is there already; its credential and data key stay."""
        amended = replace(account, revision=account.revision + 1)
        async with writing(self._engine) as connection:
            await self._replace(connection, amended)
        await self._changed(account.id)
        return amended

    # --- as an operator needs it ----------------------------------------------------------------------------

    async def account(self, account_id: str) -> Account | None:
        found = await self._accounts(select(accounts).where(accounts.c.id == account_id))
        return found[0] if found else None

    async def accounts(self, project_id: str | None = None) -> Sequence[Account]:
        """Give the accounts of a project, or of all, oldest first."""
        query = select(accounts)
        if project_id is not None:
            query = query.where(accounts.c.project_id == project_id)
        return await self._accounts(query)

    # --- inside ---------------------------------------------------------------------------------------------

    async def _accounts(self, query: Select[*tuple[Any, ...]]) -> Sequence[Account]:
        async with reading(self._engine) as connection:
            found = await connection.execute(query.order_by(accounts.c.created_at, accounts.c.id))
            return [read_account(row) for row in found.all()]

    async def _changed(self, account_id: str) -> None:
        """Forget what is remembered of an account, here and wherever else."""
        self.drop(account_id)
        await self._tell(Change.ACCOUNT, account_id)

    async def _look_up(self, account_id: str) -> Linked | None:
        query = (
            select(accounts, credentials.c.master_key_id, credentials.c.wrapped_key, credentials.c.sealed)
            .join(credentials, credentials.c.account_id == accounts.c.id)
            .where(accounts.c.id == account_id)
        )
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        try:
            cipher = self._vault.unwrap(account_id, WrappedKey(row.master_key_id, row.wrapped_key))
            credential = Secret(cipher.open(row.sealed, CREDENTIAL).decode())
        except Unsealable as error:
            raise StoreUnavailable(
                f"the credential of account {account_id} is damaged: link the account again"
            ) from error
        return Linked(read_account(row), credential, cipher)

    async def _write(self, connection: AsyncConnection, account: Account) -> None:
        if account.revision == 1:
            await connection.execute(insert(accounts).values(write_account(account)))
            return
        await self._replace(connection, account)

    async def _replace(self, connection: AsyncConnection, account: Account) -> None:
        unchanged = (
            (accounts.c.id == account.id)
            & (accounts.c.project_id == account.project_id)
            & (accounts.c.revision == account.revision - 1)
        )
        if (await connection.execute(update(accounts).where(unchanged).values(write_account(account)))).rowcount != 1:
            raise Conflict("the account was changed or unlinked at the same time: look at it and try again")

    async def _scrub(self) -> None:
        """Empty SQLite's journal, which still holds what was erased; without it the next writes do so."""
        if self._engine.dialect.name != "sqlite":
            return
        with suppress(StoreUnavailable):
            async with reading(self._engine) as connection:
                await connection.run_sync(empty_journal)
