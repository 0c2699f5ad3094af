"""The table of the audit log: rows are written in the transaction of each change, and read in pages.

A row never changes, except that its address is removed after a time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.audit.events import AuditEntry, AuditEvent, AuditRecord
from gateway.db.engine import reading, writing
from gateway.db.schema import audit_log as table
from gateway.model import Actor, ActorKind


class AuditStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def write(self, connection: AsyncConnection, change: AuditRecord) -> None:
        """Writes a row for each event, in the caller's transaction."""
        rows = [
            {
                "at": change.at,
                "project_id": change.project_id,
                "account_id": change.account_id,
                "key_id": change.key_id,
                "event": fact.what.value,
                "actor": change.by.kind.value,
                "actor_id": change.by.id,
                "address": change.by.address,
                "details": dict(fact.details),
            }
            for fact in change.facts
        ]
        await connection.execute(insert(table), rows)

    async def note(self, change: AuditRecord) -> None:
        """Writes the rows in a transaction of their own."""
        async with writing(self._engine) as connection:
            await self.write(connection, change)

    async def forget_addresses(self, before: datetime) -> int:
        """Removes the addresses of older rows and returns how many. Nothing else of a row can be changed."""
        old = (table.c.at < before) & (table.c.address != "")
        async with writing(self._engine) as connection:
            return (await connection.execute(update(table).where(old).values(address=""))).rowcount

    async def read(
        self,
        *,
        project_id: str | None = None,
        account_id: str | None = None,
        what: Sequence[AuditEvent] = (),
        before: int | None = None,
        most: int = 100,
    ) -> Sequence[AuditEntry]:
        """Returns at most `most` entries with an id below `before`, newest first."""
        query = select(table)
        for column, wanted in ((table.c.project_id, project_id), (table.c.account_id, account_id)):
            query = query.where(column == wanted) if wanted is not None else query
        if what:
            query = query.where(table.c.event.in_(what))
        if before is not None:
            query = query.where(table.c.id < before)
        async with reading(self._engine) as connection:
            found = await connection.execute(query.order_by(table.c.id.desc()).limit(most))
            return [_read(row) for row in found.all()]


def _read(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        by=Actor(ActorKind(row.actor), row.actor_id, row.address),
        project_id=row.project_id,
        account_id=row.account_id,
        key_id=row.key_id,
        what=AuditEvent(row.event),
        details=row.details,
    )
