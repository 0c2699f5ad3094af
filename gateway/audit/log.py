"""Writes changes of accounts and keys into the audit log, in the transaction that makes them, and calls listeners."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit.events import AuditEvent, AuditRecord, facts_of, key_change
from gateway.audit.store import AuditStore
from gateway.model import Account, Actor, ClientKey

TransactionListener: TypeAlias = Callable[[AsyncConnection, AuditRecord, Account], Awaitable[None]]
"""Writes into the transaction that changes an account; if it raises, the change is undone.

It gets the account as it is now, or as it was before it was unlinked.
"""
ChangeListener: TypeAlias = Callable[[AuditRecord], Awaitable[None]]
"""Is called after a change of an account or a key was committed. It must not raise."""


class AuditLog:
    def __init__(
        self,
        store: AuditStore,
        clock: Callable[[], datetime],
        *,
        within: Sequence[TransactionListener] = (),
        after: Sequence[ChangeListener] = (),
    ) -> None:
        self._store = store
        self._clock = clock
        self._within = within
        self._after = after

    async def linked(self, connection: AsyncConnection, account: Account, by: Actor) -> AuditRecord:
        return await self._write(connection, None, account, by)

    async def changed(
        self, connection: AsyncConnection, before: Account, after: Account, by: Actor, *, credential: bool = False
    ) -> AuditRecord:
        return await self._write(connection, before, after, by, credential=credential)

    async def unlinked(self, connection: AsyncConnection, account: Account, by: Actor) -> AuditRecord:
        return await self._write(connection, account, None, by)

    async def key(self, connection: AsyncConnection, key: ClientKey, what: AuditEvent, by: Actor) -> AuditRecord:
        record = key_change(key, what, self._clock(), by)
        await self._store.write(connection, record)
        return record

    async def tell(self, record: AuditRecord) -> None:
        """Calls the listeners `after`; to be called when the transaction is committed."""
        for listener in self._after:
            await listener(record)

    async def _write(
        self,
        connection: AsyncConnection,
        before: Account | None,
        after: Account | None,
        by: Actor,
        *,
        credential: bool = False,
    ) -> AuditRecord:
        account = after or before
        if account is None:
            raise ValueError("a change needs an account before or after it")
        facts = facts_of(before, after, credential=credential)
        record = AuditRecord(at=self._clock(), by=by, project_id=account.project_id, account_id=account.id, facts=facts)
        await self._store.write(connection, record)
        for listener in self._within:
            await listener(connection, record, account)
        return record
