"""The table of connect sessions. Of a token only its digest is stored. Unlinking an account deletes its sessions."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.elements import ColumnElement

from gateway.audit.events import AuditEvent, event
from gateway.audit.store import AuditStore
from gateway.db.engine import reading, writing
from gateway.db.schema import accounts
from gateway.db.schema import connect_sessions as table
from gateway.hub.session_request import ConnectSession, SessionRequest
from gateway.model import Account, Actor, Owner

RETENTION = timedelta(days=1)
"""How long an expired session is stored, so that its user is told what happened."""
Clean = Callable[[AsyncConnection], Awaitable[None]]


class SessionStore:
    """All methods raise `StoreUnavailable` if the database cannot be reached."""

    def __init__(self, engine: AsyncEngine, audit: AuditStore, clean: Clean) -> None:
        """`clean` writes, in a transaction, that deleted rows must be removed from the database's files."""
        self._engine = engine
        self._audit = audit
        self._clean = clean

    async def add(self, session: ConnectSession, by: Actor) -> ConnectSession:
        """Stores a new session and returns it with its number."""
        async with writing(self._engine) as connection:
            created = _read((await connection.execute(insert(table).values(_write(session)).returning(table))).one())
            record = event(
                AuditEvent.SESSION_CREATED,
                session.created_at,
                by,
                project_id=session.project_id,
                account_id=session.request.account_id,
                details={"session": str(created.id)},
            )
            await self._audit.write(connection, record)
        return created

    async def delete_of_owner(self, connection: AsyncConnection, account: Account) -> None:
        """Deletes the sessions of an account's owner, who could link again with them, if it is the owner's last one."""
        others = (accounts.c.project_id == account.project_id) & (accounts.c.owner_id == account.owner.id)
        query = select(accounts.c.id).where(others, accounts.c.id != account.id).limit(1)
        if (await connection.execute(query)).first() is None:
            of_owner = (table.c.project_id == account.project_id) & (table.c.owner_id == account.owner.id)
            await connection.execute(delete(table).where(of_owner))

    async def tidy(self, now: datetime) -> int:
        """Deletes sessions that expired longer ago than `RETENTION`, as they name people. Returns how many."""
        async with writing(self._engine) as connection:
            deleted = (await connection.execute(delete(table).where(table.c.expires_at < now - RETENTION))).rowcount
            if deleted:
                await self._clean(connection)
        return deleted

    async def find(self, digest: str) -> ConnectSession | None:
        return await self._one(table.c.digest == digest)

    async def find_number(self, number: int) -> ConnectSession | None:
        return await self._one(table.c.id == number)

    async def claim(self, number: int, now: datetime, given_up: datetime, most: int) -> bool:
        """Claims the session for one try, unless it is spent, claimed since `given_up`, or was tried `most` times."""
        untaken = table.c.claimed_at.is_(None) | (table.c.claimed_at < given_up)
        free = (table.c.id == number) & table.c.linked_id.is_(None) & untaken & (table.c.tries < most)
        change = update(table).where(free).values(claimed_at=now, tries=table.c.tries + 1)
        async with writing(self._engine) as connection:
            return (await connection.execute(change)).rowcount == 1

    async def release(self, number: int) -> None:
        """Ends a claim after a failed try."""
        unspent = (table.c.id == number) & table.c.linked_id.is_(None)
        async with writing(self._engine) as connection:
            await connection.execute(update(table).where(unspent).values(claimed_at=None))

    async def spend(self, number: int, account_id: str) -> None:
        """Stores the account that a claimed session has linked, which ends the session."""
        async with writing(self._engine) as connection:
            await connection.execute(update(table).where(table.c.id == number).values(linked_id=account_id))

    async def _one(self, which: ColumnElement[bool]) -> ConnectSession | None:
        async with reading(self._engine) as connection:
            row = (await connection.execute(select(table).where(which))).one_or_none()
        return None if row is None else _read(row)


def _write(session: ConnectSession) -> dict[str, object]:
    request = session.request
    return {
        "digest": session.digest,
        "project_id": session.project_id,
        "owner_id": request.owner.id,
        "owner_name": request.owner.name,
        "owner_username": request.owner.username,
        "provider": request.provider,
        "categories": list(request.categories),
        "account_id": request.account_id,
        "multiple": request.multiple,
        "replace_company": request.replace_company,
        "label": request.label,
        # The column takes no null: empty means that no kind was given.
        "kind": request.kind or "",
        "details": dict(request.metadata),
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "tries": 0,
    }


def _read(row: Row[Any]) -> ConnectSession:
    return ConnectSession(
        id=row.id,
        digest=row.digest,
        project_id=row.project_id,
        request=SessionRequest(
            owner=Owner(id=row.owner_id, name=row.owner_name, username=row.owner_username),
            provider=row.provider,
            categories=tuple(row.categories),
            account_id=row.account_id,
            multiple=row.multiple,
            replace_company=row.replace_company,
            label=row.label,
            kind=row.kind or None,
            metadata=row.details,
            expires_in=int((row.expires_at - row.created_at).total_seconds()),
        ),
        created_at=row.created_at,
        expires_at=row.expires_at,
        claimed_at=row.claimed_at,
        linked_id=row.linked_id,
    )
