"""Linked accounts and their sealed credentials: both are written in one transaction, or neither is.

Each change is written into the audit log in the same transaction, with the actor who made it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.accounts.listeners import CredentialListener, RelatedData
from gateway.accounts.sealed_rows import AccountRows, must_be_alone, of_owner, select_accounts, select_linked
from gateway.accounts.usage_store import UsageStore
from gateway.audit.events import AuditRecord, stops_keeping
from gateway.audit.log import AuditLog
from gateway.auth.key_store import KeyStore
from gateway.db.engine import empty_journal, reading, writing
from gateway.db.schema import accounts
from gateway.db.ttl_cache import TtlCache
from gateway.errors import GatewayError, StoreUnavailable
from gateway.model import (
    GATEWAY,
    Account,
    AccountFilter,
    Actor,
    ClientKey,
    LinkedAccount,
    Secret,
    Status,
    StatusReason,
)


class AccountStore:
    """Implements the protocol `Accounts`.

    `keys` looks up API keys. `cache` stores look-ups of accounts in this process for some seconds: a change by another
    process is seen after that time, or when `purge` is called.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        rows: AccountRows,
        clock: Callable[[], datetime],
        cache: TtlCache[str, LinkedAccount | None],
        *,
        keys: KeyStore,
        usage: UsageStore,
        audit_log: AuditLog,
        related: RelatedData,
    ) -> None:
        self._engine = engine
        self._rows = rows
        self._clock = clock
        self._cache = cache
        self._keys = keys
        self._usage = usage
        self._audit_log = audit_log
        self._related = related
        self._listener: CredentialListener | None = None

    def listen(self, listener: CredentialListener) -> None:
        """Has a listener called about credentials, outside of transactions. A `GatewayError` of it is ignored."""
        self._listener = listener

    # --- look-ups of a request ------------------------------------------------------------------------------

    async def find_key(self, secret: str) -> ClientKey | None:
        return await self._keys.find(secret)

    async def find_account(self, project_id: str, account_id: str) -> LinkedAccount | None:
        """Returns an account with its opened credential, or None if it is not of that project."""
        linked = await self._cache.get(account_id, lambda: self._look_up(account_id))
        return linked if linked is not None and linked.account.project_id == project_id else None

    def is_current(self, key: ClientKey, linked: LinkedAccount) -> bool:
        return self._keys.is_current(key) and self._cache.peek(linked.account.id) is linked

    def purge(self, account_id: str) -> None:
        """Deletes the cached look-up of an account that another process has changed."""
        self._cache.drop(account_id)

    # --- reading without credentials ------------------------------------------------------------------------

    async def find(self, account_id: str) -> Account | None:
        return await self._first(accounts.c.id == account_id)

    async def find_by_owner(self, project_id: str, provider: str, owner_id: str) -> Account | None:
        """Returns the oldest account of an owner with this provider."""
        return await self._first(of_owner(project_id, provider, owner_id))

    async def select(self, project_id: str, choice: AccountFilter) -> Sequence[Account]:
        """Returns a page of the chosen accounts of a project, oldest first."""
        query = select_accounts().where(accounts.c.project_id == project_id)
        for column, values in (
            (accounts.c.id, choice.ids),
            (accounts.c.provider, choice.providers),
            (accounts.c.owner_id, choice.owner_ids),
            (accounts.c.status, choice.statuses),
        ):
            query = query.where(column.in_(values)) if values else query
        return await self._read(query.offset(choice.skip).limit(choice.most))

    async def all(self, project_id: str | None = None) -> Sequence[Account]:
        """Returns the accounts of a project, or of all projects, oldest first."""
        query = select_accounts()
        return await self._read(query.where(accounts.c.project_id == project_id) if project_id is not None else query)

    # --- changes --------------------------------------------------------------------------------------------

    async def store(
        self, account: Account, credential: Secret, by: Actor = GATEWAY, *, alone: bool = False, replaced: bool = False
    ) -> Account:
        """Writes a new account (revision 0), or the account whose stored revision is the given one.

        The revision grows by one and the data key is a new one, so that nothing sealed before can be opened. With
        `replaced` the token is of another company: what is stored of the company before is deleted.
        Raises `Conflict` if the account was changed or unlinked since it was read, and `OwnerLinked` for a new account
        that is to be `alone` if its owner has one of this provider.
        """
        return await self._store(account, credential, by, given=True, alone=alone, replaced=replaced)

    async def renew(self, account: Account, credential: Secret, by: Actor = GATEWAY) -> Account:
        """As `store`, with the credential that is stored already."""
        return await self._store(account, credential, by, given=False)

    async def update(self, account: Account, by: Actor = GATEWAY) -> Account:
        """Writes an account without its credential. Raises `Conflict` if it was changed since it was read.

        Its data key stays, unless the change switches its caching off.
        """
        changed = replace(account, revision=account.revision + 1)
        async with writing(self._engine) as connection:
            before = await self._rows.lock(connection, accounts.c.id == account.id)
            await self._rows.replace(connection, changed)
            if before is not None and stops_keeping(before, changed):
                await self._rows.change_data_key(connection, changed)
            record = await self._audit_log.changed(connection, before or account, changed, by)
        await self._committed(record)
        return changed

    async def mark(
        self,
        account_id: str,
        status: Status,
        reason: StatusReason | None,
        *,
        by: Actor = GATEWAY,
        revision: int | None = None,
    ) -> None:
        """Sets the status. With a `revision`, only if the account still has it: a new link must not be undone."""
        async with writing(self._engine) as connection:
            before = await self._rows.lock(connection, accounts.c.id == account_id)
            if before is None or revision not in {None, before.revision}:
                return
            after = replace(
                before,
                status=status,
                status_reasons=(reason,) if reason else (),
                revision=before.revision + 1,
                updated_at=self._clock(),
            )
            await self._rows.replace(connection, after)
            # When to verify the account next depends on its status.
            await self._usage.look_again(connection, account_id, self._clock())
            record = await self._audit_log.changed(connection, before, after, by)
        await self._committed(record)

    async def note_verified(self, account_id: str) -> None:
        """Notes that the vendor was asked about the credential, and that nothing has changed."""
        async with writing(self._engine) as connection:
            await self._usage.verified(connection, account_id, self._clock())

    async def unlink(self, project_id: str, account_id: str, by: Actor = GATEWAY) -> Account | None:
        """Deletes an account with all that belongs to it in the database; returns what was deleted."""
        if self._listener is not None:
            linked = await self._find_readable(project_id, account_id)
            with suppress(GatewayError):
                if linked is not None:
                    await self._listener.before_delete(linked)
        of_account = (accounts.c.id == account_id) & (accounts.c.project_id == project_id)
        async with writing(self._engine) as connection:
            account = await self._rows.lock(connection, of_account)
            if account is not None:
                for delete_related in self._related.delete_of_account:
                    await delete_related(connection, account)
                # Credential, data key and usage are deleted with it: their foreign keys cascade.
                await connection.execute(delete(accounts).where(of_account))
                record = await self._audit_log.unlinked(connection, account, by)
        if account is None:
            self.purge(account_id)
            return None
        await self._committed(record)
        await self._empty_journal()
        return account

    # --- inside ---------------------------------------------------------------------------------------------

    async def _first(self, which: ColumnElement[bool]) -> Account | None:
        found = await self._read(select_accounts().where(which).limit(1))
        return found[0] if found else None

    async def _read(self, query: Select[*tuple[Any, ...]]) -> Sequence[Account]:
        async with reading(self._engine) as connection:
            rows = await connection.execute(query.order_by(accounts.c.created_at, accounts.c.id))
            return [self._rows.read(row) for row in rows.all()]

    async def _look_up(self, account_id: str) -> LinkedAccount | None:
        async with reading(self._engine) as connection:
            row = (await connection.execute(select_linked().where(accounts.c.id == account_id))).one_or_none()
        return None if row is None else self._rows.read_linked(row)

    async def _store(
        self,
        account: Account,
        credential: Secret,
        by: Actor,
        *,
        given: bool,
        alone: bool = False,
        replaced: bool = False,
    ) -> Account:
        """As `store`; `given` says that the caller has sent the credential."""
        listener = self._listener
        if listener is None:
            return await self._seal(account, credential, by, given=given, alone=alone, replaced=replaced)
        before = await self._find_readable(account.project_id, account.id) if account.revision else None
        if replaced and before is not None:
            with suppress(GatewayError):
                await listener.before_delete(before)
        stored = await self._seal(account, credential, by, given=given, alone=alone, replaced=replaced)
        linked = await self._find_readable(stored.project_id, stored.id)
        if linked is not None:
            with suppress(GatewayError):
                await listener.after_store(linked, before)
        return stored

    async def _seal(
        self,
        account: Account,
        credential: Secret,
        by: Actor,
        *,
        given: bool,
        alone: bool = False,
        replaced: bool = False,
    ) -> Account:
        """Writes an account with its credential; `given` says that the caller has sent the credential."""
        stored = replace(account, revision=account.revision + 1)
        async with writing(self._engine) as connection:
            if alone and account.revision == 0:
                await must_be_alone(connection, account)
            record = await self._write(connection, stored, credential, by, given=given)
            for change in (*(self._related.delete_of_company if replaced else ()), *self._related.follow_credential):
                await change(connection, stored)
        await self._committed(record)
        if replaced:
            await self._empty_journal()
        return stored

    async def _write(
        self, connection: AsyncConnection, account: Account, credential: Secret, by: Actor, *, given: bool
    ) -> AuditRecord:
        if account.revision == 1:
            await self._rows.insert(connection, account, credential)
            await self._usage.begin(connection, account.id, self._clock())
            return await self._audit_log.linked(connection, account, by)
        before = await self._rows.lock(connection, accounts.c.id == account.id)
        await self._rows.replace(connection, account, credential)
        await self._usage.verified(connection, account.id, self._clock())
        return await self._audit_log.changed(connection, before or account, account, by, credential=given)

    async def _committed(self, record: AuditRecord) -> None:
        self.purge(record.account_id or "")
        await self._audit_log.tell(record)

    async def _empty_journal(self) -> None:
        """Empties SQLite's journal, which still contains what was deleted. If it cannot now, later writes do so."""
        if self._engine.dialect.name == "sqlite":
            with suppress(StoreUnavailable):
                async with reading(self._engine) as connection:
                    await connection.run_sync(empty_journal)

    async def _find_readable(self, project_id: str, account_id: str) -> LinkedAccount | None:
        # A credential that cannot be opened must not be in the way of a new one, or of an unlink.
        with suppress(GatewayError):
            return await self.find_account(project_id, account_id)
        return None
