"""What is still to be purged after an account was unlinked or its caching was switched off.

It is written in the transaction of the change, so that a process that ends in between leaves nothing unpurged.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.audit.events import PURGING, AuditEvent, AuditRecord
from gateway.cache.invalidation import invalidation_of
from gateway.db.engine import empty_journal, reading, writing
from gateway.db.schema import accounts, audit_log, connect_sessions, credentials, vendor_webhooks
from gateway.db.schema import pending_purges as pending
from gateway.model import Account, Invalidation

CACHE, FILES = "cache", "files"
VACUUMED = (accounts, credentials, connect_sessions, vendor_webhooks)
"""Tables with credentials, data keys and names."""
SINCE = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS xid)::text")
STILL_SEEN = text(
    "SELECT coalesce(max(age(backend_xmin)), 0) > age(CAST(CAST(:since AS text) AS xid)) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)
"""Whether a transaction is open that began before a moment: it may still see what was deleted."""
TRIES, BETWEEN_TRIES = 20, 0.1
LOCK = 7_421_190_028
"""The number of an advisory lock: one process at a time vacuums."""
NO_ROW = 0
"""Stands for deleted rows without an audit record, such as expired sessions."""

_INVALIDATIONS = {AuditEvent.UNLINKED.value: Invalidation.GONE, AuditEvent.CACHE_PURGED.value: Invalidation.UNCACHED}
_ERASED = audit_log.c.event.in_([each.value for each in PURGING])


@dataclass(frozen=True, slots=True)
class PendingPurge:
    """An account that was unlinked, or whose caching was switched off; `row` is the id of the audit record."""

    row: int
    project_id: str
    account_id: str
    invalidation: Invalidation = Invalidation.GONE


class PurgeStore:
    """All methods raise `StoreUnavailable` if the database cannot be reached."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    async def write_pending(self, connection: AsyncConnection, change: AuditRecord, account: Account) -> None:
        """Writes what is to be purged after a change, in its transaction."""
        if invalidation_of(change) is None:
            return
        newest = select(func.max(audit_log.c.id)).where(audit_log.c.account_id == account.id, _ERASED)
        row = (await connection.execute(newest)).scalar_one()
        await connection.execute(
            insert(pending), [{"audit_id": row, "kind": kind, "at": change.at} for kind in (CACHE, FILES)]
        )

    async def clean_files(self, connection: AsyncConnection) -> None:
        """Has the files cleaned after a transaction that deletes rows without an audit record."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        new = dialect.insert(pending).values(audit_id=NO_ROW, kind=FILES, at=self._clock())
        upsert = new.on_conflict_do_update(index_elements=["audit_id", "kind"], set_={"at": new.excluded.at})
        await connection.execute(upsert)

    # --- the cache ------------------------------------------------------------------------------------------

    async def newest_row(self) -> int:
        """Returns the highest id of all audit records, 0 if there are none."""
        async with reading(self._engine) as connection:
            return (await connection.execute(select(func.max(audit_log.c.id)))).scalar_one() or 0

    async def since(self, after: int) -> Sequence[PendingPurge]:
        """Returns the purges of audit records with a higher id than `after`."""
        query = select(audit_log).where(audit_log.c.id > after, _ERASED).order_by(audit_log.c.id)
        async with reading(self._engine) as connection:
            return [_read(row) for row in (await connection.execute(query)).all()]

    async def unfinished(self) -> Sequence[PendingPurge]:
        """Returns the purges that no process has finished in the shared cache yet."""
        query = select(audit_log).join(pending, (pending.c.audit_id == audit_log.c.id) & (pending.c.kind == CACHE))
        async with reading(self._engine) as connection:
            return [_read(row) for row in (await connection.execute(query.order_by(audit_log.c.id))).all()]

    async def finish(self, row: int) -> None:
        """Stores that the shared cache has been purged for a row."""
        async with writing(self._engine) as connection:
            await connection.execute(delete(pending).where(pending.c.audit_id == row, pending.c.kind == CACHE))

    # --- the files ------------------------------------------------------------------------------------------

    async def clean(self) -> bool:
        """Removes deleted rows from the files of the database. Returns False if there are none, or if it must wait.

        SQLite: truncates the journal, and must wait while a reader is open. PostgreSQL: deleted rows stay in the pages
        of a table, even after a plain VACUUM, so VACUUM FULL rewrites the few small tables, locking each. It must wait
        if a lock is not free within 250 ms, while an older transaction still sees the rows, as they would be copied,
        and while another process does it.
        """
        waiting = await self.unclean()
        if not waiting:
            return False
        if self._engine.dialect.name == "sqlite":
            async with reading(self._engine) as connection:
                if not await connection.run_sync(empty_journal):
                    return False
        elif not await self._vacuum():
            return False
        await self.cleaned(waiting)
        return True

    async def _vacuum(self) -> bool:
        async with reading(self._engine) as found:
            connection = await found.execution_options(isolation_level="AUTOCOMMIT")
            if not (await connection.execute(select(func.pg_try_advisory_lock(LOCK)))).scalar_one():
                return False
            try:
                if not await _until_unseen(connection):
                    return False
                await connection.execute(text("SET lock_timeout = '250ms'"))
                for table in VACUUMED:
                    await connection.execute(text(f"VACUUM (FULL) {table.name}"))
            finally:
                await connection.execute(text("RESET lock_timeout"))
                await connection.execute(select(func.pg_advisory_unlock(LOCK)))
        return True

    async def unclean(self) -> Sequence[tuple[int, datetime]]:
        """Returns (audit row, moment) of the committed changes whose deleted rows may still be in the files."""
        query = select(pending.c.audit_id, pending.c.at).where(pending.c.kind == FILES)
        async with reading(self._engine) as connection:
            return [(row.audit_id, row.at) for row in (await connection.execute(query)).all()]

    async def cleaned(self, done: Sequence[tuple[int, datetime]]) -> None:
        """Stores that the files are clean of these changes. One with a newer moment stays."""
        async with writing(self._engine) as connection:
            for row, at in done:
                mine = (pending.c.audit_id == row) & (pending.c.kind == FILES) & (pending.c.at == at)
                await connection.execute(delete(pending).where(mine))


async def _until_unseen(connection: AsyncConnection) -> bool:
    """Waits two seconds at most for transactions that began before now. Returns False if one is still open."""
    since = (await connection.execute(SINCE)).scalar_one()
    for _ in range(TRIES):
        if not (await connection.execute(STILL_SEEN, {"since": since})).scalar_one():
            return True
        await asyncio.sleep(BETWEEN_TRIES)
    return False


def _read(row: Row[Any]) -> PendingPurge:
    return PendingPurge(row.id, row.project_id, row.account_id, _INVALIDATIONS[row.event])
