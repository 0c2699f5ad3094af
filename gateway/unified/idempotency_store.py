"""The table of idempotency keys, with what became of the first write under each."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.db.engine import writing
from gateway.db.schema import idempotency
from gateway.model import Account, IdempotencyKey, IdempotencyRecord, IdempotencyState


class IdempotencyStore:
    """Stores idempotency keys. If two processes reserve a key at once, only one of them gets it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, key: IdempotencyKey, now: datetime, since: datetime) -> IdempotencyRecord | None:
        """Reserves a key, or returns its earlier record. Deletes all records from before `since`."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        row = {
            "account_id": key.account_id,
            "key_digest": key.key,
            "request_digest": key.request,
            "state": IdempotencyState.STARTED.value,
            "status": 0,
            "sealed": b"",
            "created_at": now,
        }
        taking = dialect.insert(idempotency).values(row).on_conflict_do_nothing()
        async with writing(self._engine) as connection:
            await connection.execute(delete(idempotency).where(idempotency.c.created_at < since))
            if (await connection.execute(taking)).rowcount == 1:
                return None
            found = (await connection.execute(select(idempotency).where(_of(key)))).one()
        return IdempotencyRecord(
            found.request_digest, IdempotencyState(found.state), found.status, found.sealed, found.created_at
        )

    async def end(self, key: IdempotencyKey, state: IdempotencyState, status: int = 0, sealed: bytes = b"") -> None:
        """Stores the outcome of the write, and its sealed answer."""
        change = update(idempotency).where(_of(key)).values(state=state.value, status=status, sealed=sealed)
        async with writing(self._engine) as connection:
            await connection.execute(change)

    async def release(self, key: IdempotencyKey) -> None:
        """Deletes a key."""
        async with writing(self._engine) as connection:
            await connection.execute(delete(idempotency).where(_of(key)))

    async def delete_of_account(self, connection: AsyncConnection, account: Account) -> None:
        """Deletes all keys of an account."""
        await connection.execute(delete(idempotency).where(idempotency.c.account_id == account.id))


def _of(key: IdempotencyKey) -> ColumnElement[bool]:
    return (idempotency.c.account_id == key.account_id) & (idempotency.c.key_digest == key.key)
