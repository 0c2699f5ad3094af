"""The table of dashboard sessions that were ended by signing out. A copy of their cookie is refused."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import reading, writing
from gateway.db.schema import ended_admin_sessions as table


class SignInStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def end(self, sign_in: str, until: datetime) -> None:
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        row = dialect.insert(table).values(digest=_digest(sign_in), until=until)
        async with writing(self._engine) as connection:
            await connection.execute(row.on_conflict_do_nothing())

    async def has_ended(self, sign_in: str) -> bool:
        query = select(table.c.digest).where(table.c.digest == _digest(sign_in))
        async with reading(self._engine) as connection:
            return (await connection.execute(query)).first() is not None

    async def tidy(self, now: datetime) -> None:
        """Deletes those whose cookie has expired."""
        async with writing(self._engine) as connection:
            await connection.execute(delete(table).where(table.c.until < now))


def _digest(sign_in: str) -> str:
    return sha256(sign_in.encode()).hexdigest()
