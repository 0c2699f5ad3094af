"""The one place where a change of an account or a key is noted, in the transaction that makes it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.audit.events import AuditEvent, AuditRecord, facts_of, key_change
from gateway.audit.store import AuditStore
from gateway.model import Account, Actor, ClientKey


@dataclass(frozen=True, slots=True)
class ChangeListeners:
    """Who hears of the changes of accounts.

    `within` may write into the same transaction, which its fault undoes; it gets the account as it is now, or as
    it was before it was unlinked. `after` hears of changes of accounts and keys when they are kept, and must not raise.
    """

    within: tuple[Callable[[AsyncConnection, AuditRecord, Account], Awaitable[None]], ...] = ()
    after: tuple[Callable[[AuditRecord], Awaitable[None]], ...] = ()


NO_LISTENERS = ChangeListeners()


class AuditLog:
    """Writes each change into the trail, and lets the ears know."""

    def __init__(self, trail: AuditStore, ears: ChangeListeners, clock: Callable[[], datetime]) -> None:
        self._trail = trail
        self._ears = ears
        self._clock = clock

    async def linked(self, connection: AsyncConnection, account: Account, by: Actor) -> AuditRecord:
        return await self._write(connection, None, account, by)

    async def changed(
        self, connection: AsyncConnection, before: Account, after: Account, by: Actor, *, credential: bool = False
    ) -> AuditRecord:
        return await self._write(connection, before, after, by, credential=credential)

    async def unlinked(self, connection: AsyncConnection, account: Account, by: Actor) -> AuditRecord:
        return await self._write(connection, account, None, by)

    async def key(self, connection: AsyncConnection, key: ClientKey, what: AuditEvent, by: Actor) -> AuditRecord:
        change = key_change(key, what, self._clock(), by)
        await self._trail.write(connection, change)
        return change

    async def tell(self, change: AuditRecord) -> None:
        """Let those know who wait until a change is kept."""
        for hear in self._ears.after:
            await hear(change)

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
            raise ValueError("a change is of an account that was there, or is")
        facts = facts_of(before, after, credential=credential)
        change = AuditRecord(at=self._clock(), by=by, project_id=account.project_id, account_id=account.id, facts=facts)
        await self._trail.write(connection, change)
        for hear in self._ears.within:
            await hear(connection, change, account)
        return change
