"""What is still to be done after something of an account was erased, until it is done.

It is written in the transaction that erases, so that no process and no cache that ends in between leaves anything.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.accounts.unlink import PendingPurge
from gateway.audit.events import ERASING, AuditEvent, AuditRecord
from gateway.cache.invalidation import invalidation_of
from gateway.db.engine import empty_journal, reading, writing
from gateway.db.schema import accounts, audit_log, connect_sessions, credentials, vendor_webhooks
from gateway.db.schema import pending_purges as pending
from gateway.model import Account, Invalidation

CACHE, FILES = "cache", "files"
WRITTEN_ANEW = (accounts, credentials, connect_sessions, vendor_webhooks)
"""Tables with credentials, data keys and names."""
SINCE = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS xid)::text")
STILL_SEEN = text(
    "SELECT coalesce(max(age(backend_xmin)), 0) > age(CAST(CAST(:since AS text) AS xid)) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)
"""Whether a transaction is open that began before a moment: it may still see what was deleted."""
TRIES, BETWEEN_TRIES = 20, 0.1
LOCK = 7_421_190_028
"""The number of an advisory lock: one process at a time writes tables anew."""
NO_ROW = 0
"""For what no row of the trail tells of: rows that have ended by the clock."""

_NEWS = {AuditEvent.UNLINKED.value: Invalidation.GONE, AuditEvent.CACHE_ERASED.value: Invalidation.UNCACHED}
_ERASED = audit_log.c.event.in_([each.value for each in ERASING])


class PurgeStore:
    """Implements the door `PurgeLog`; an ear within each change of an account."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    async def hear(self, connection: AsyncConnection, change: AuditRecord, account: Account) -> None:
        """Note what is to be done after a change that erases something, in its transaction."""
        if invalidation_of(change) is None:
            return
        newest = select(func.max(audit_log.c.id)).where(audit_log.c.account_id == account.id, _ERASED)
        row = (await connection.execute(newest)).scalar_one()
        await connection.execute(
            insert(pending), [{"audit_id": row, "kind": kind, "at": change.at} for kind in (CACHE, FILES)]
        )

    async def clean_files(self, connection: AsyncConnection) -> None:
        """Have the files cleaned: rows were deleted in this transaction that no row of the trail tells of."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        making = dialect.insert(pending).values(audit_id=NO_ROW, kind=FILES, at=self._clock())
        again = making.on_conflict_do_update(index_elements=["audit_id", "kind"], set_={"at": making.excluded.at})
        await connection.execute(again)

    # --- the cache ------------------------------------------------------------------------------------------

    async def newest_row(self) -> int:
        async with reading(self._engine) as connection:
            return (await connection.execute(select(func.max(audit_log.c.id)))).scalar_one() or 0

    async def since(self, after: int) -> Sequence[PendingPurge]:
        query = select(audit_log).where(audit_log.c.id > after, _ERASED).order_by(audit_log.c.id)
        async with reading(self._engine) as connection:
            return [_gone(row) for row in (await connection.execute(query)).all()]

    async def unfinished(self) -> Sequence[PendingPurge]:
        query = select(audit_log).join(pending, (pending.c.audit_id == audit_log.c.id) & (pending.c.kind == CACHE))
        async with reading(self._engine) as connection:
            return [_gone(row) for row in (await connection.execute(query.order_by(audit_log.c.id))).all()]

    async def finish(self, row: int) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(delete(pending).where(pending.c.audit_id == row, pending.c.kind == CACHE))

    # --- the files ------------------------------------------------------------------------------------------

    async def clean(self) -> bool:
        """Take out of the database's files what was erased; False where nothing was, or another process does it.

        SQLite's journal is emptied, or later where a reader is still open. PostgreSQL leaves what was deleted in the
        pages of a table until others overwrite it, after a plain VACUUM too: the few small tables are written anew
        (VACUUM FULL), each locked for that long. What waits for its lock longer than 250 ms gives up and is tried again
        later, and so it is while an older transaction still sees the rows, which would be copied. Raises
        `StoreUnavailable`.
        """
        waiting = await self.unclean()
        if not waiting:
            return False
        if self._engine.dialect.name == "sqlite":
            async with reading(self._engine) as connection:
                if not await connection.run_sync(empty_journal):
                    return False
        elif not await self._write_anew():
            return False
        await self.cleaned(waiting)
        return True

    async def _write_anew(self) -> bool:
        async with reading(self._engine) as found:
            connection = await found.execution_options(isolation_level="AUTOCOMMIT")
            if not (await connection.execute(select(func.pg_try_advisory_lock(LOCK)))).scalar_one():
                return False
            try:
                if not await _until_unseen(connection):
                    return False
                await connection.execute(text("SET lock_timeout = '250ms'"))
                for table in WRITTEN_ANEW:
                    await connection.execute(text(f"VACUUM (FULL) {table.name}"))
            finally:
                await connection.execute(text("RESET lock_timeout"))
                await connection.execute(select(func.pg_advisory_unlock(LOCK)))
        return True

    async def unclean(self) -> Sequence[tuple[int, datetime]]:
        """Give what the files are to be cleaned for; all of it has been committed."""
        query = select(pending.c.audit_id, pending.c.at).where(pending.c.kind == FILES)
        async with reading(self._engine) as connection:
            return [(row.audit_id, row.at) for row in (await connection.execute(query)).all()]

    async def cleaned(self, done: Sequence[tuple[int, datetime]]) -> None:
        """Note that the files were cleaned since; what came up again meanwhile stays."""
        async with writing(self._engine) as connection:
            for row, at in done:
                mine = (pending.c.audit_id == row) & (pending.c.kind == FILES) & (pending.c.at == at)
                await connection.execute(delete(pending).where(mine))


async def _until_unseen(connection: AsyncConnection) -> bool:
    """Wait a moment for transactions that began before now; False where one of them goes on."""
    since = (await connection.execute(SINCE)).scalar_one()
    for _ in range(TRIES):
        if not (await connection.execute(STILL_SEEN, {"since": since})).scalar_one():
            return True
        await asyncio.sleep(BETWEEN_TRIES)
    return False


def _gone(row: Row[Any]) -> PendingPurge:
    return PendingPurge(row.id, row.project_id, row.account_id, _NEWS[row.event])
