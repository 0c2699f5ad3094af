"""Projects and the API keys of their backends. Of a key only its digest is stored."""

import asyncio
import hmac
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.audit.events import AuditEvent
from gateway.audit.log import AuditLog
from gateway.auth import api_key as apikey
from gateway.db.engine import reading, writing
from gateway.db.schema import api_keys, projects
from gateway.db.ttl_cache import TtlCache
from gateway.errors import Conflict, StoreUnavailable
from gateway.model import (
    GATEWAY,
    Actor,
    ClientKey,
    Project,
    Secret,
)

NOTE_USE_EVERY = timedelta(minutes=1)


class KeyStore:
    """Look-ups of keys are cached by digest, so that no key stays in memory either."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Callable[[], datetime],
        cache: TtlCache[str, ClientKey | None],
        audit_log: AuditLog,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._cache = cache
        self._audit_log = audit_log
        self._uses: set[asyncio.Task[None]] = set()

    async def find(self, secret: str) -> ClientKey | None:
        if not apikey.is_well_formed(secret):
            return None
        digest = apikey.digest(secret)
        return await self._cache.get(digest, lambda: self._look_up(digest))

    def is_current(self, key: ClientKey) -> bool:
        return self._cache.peek(key.digest) is key

    def purge(self, key_id: str) -> None:
        """Deletes the cached look-up of a key that another process has created or revoked."""
        self._cache.drop_where(lambda key: key is not None and key.id == key_id)

    async def ensure_project(self, name: str) -> Project:
        """Returns the project of that name; creates it if there is none."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        new = {"id": apikey.new_id(), "name": name, "created_at": self._clock()}
        async with writing(self._engine) as connection:
            # Two processes may ask for a new name at once.
            await connection.execute(dialect.insert(projects).values(new).on_conflict_do_nothing())
            found = await connection.execute(select(projects).where(projects.c.name == name))
            return read_project(found.one())

    async def find_project(self, name: str) -> Project | None:
        async with reading(self._engine) as connection:
            found = await connection.execute(select(projects).where(projects.c.name == name))
            row = found.one_or_none()
        return None if row is None else read_project(row)

    async def projects(self) -> Sequence[Project]:
        async with reading(self._engine) as connection:
            found = await connection.execute(select(projects).order_by(projects.c.name))
            return [read_project(row) for row in found.all()]

    async def create_key(self, project_id: str, scopes: Iterable[str], by: Actor = GATEWAY) -> tuple[ClientKey, Secret]:
        """Creates a key and returns it with its secret, which cannot be shown again."""
        secret = Secret(apikey.new_key())
        key = ClientKey(
            id=apikey.new_id(),
            project_id=project_id,
            prefix=apikey.shown_part(secret.reveal),
            digest=apikey.digest(secret.reveal),
            scopes=frozenset(scopes),
            created_at=self._clock(),
        )
        row = {
            "id": key.id,
            "project_id": project_id,
            "prefix": key.prefix,
            "digest": key.digest,
            "scopes": sorted(key.scopes),
            "created_at": key.created_at,
        }
        async with writing(self._engine) as connection:
            await connection.execute(insert(api_keys).values(row))
            change = await self._audit_log.key(connection, key, AuditEvent.KEY_CREATED, by)
        await self._audit_log.tell(change)
        return key, secret

    async def all(self, project_id: str | None = None) -> Sequence[ClientKey]:
        """Returns the keys of a project, or of all, oldest first, with revoked ones."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        if project_id is not None:
            query = query.where(api_keys.c.project_id == project_id)
        async with reading(self._engine) as connection:
            return [read_key(row) for row in (await connection.execute(query)).all()]

    async def revoke_key(self, id_or_prefix: str, by: Actor = GATEWAY) -> ClientKey | None:
        """Revokes the key with this id or prefix and returns it, or None if there is none.

        Raises `Conflict` if several keys have the prefix. Processes that cannot be told notice when their cache ends.
        """
        named = or_(api_keys.c.id == id_or_prefix, api_keys.c.prefix == id_or_prefix)
        now = self._clock()
        async with writing(self._engine) as connection:
            rows = (await connection.execute(select(api_keys).where(named))).all()
            if len(rows) > 1:
                raise Conflict(f"{len(rows)} keys begin with {id_or_prefix}: name the key by its id")
            if not rows:
                return None
            key, change = read_key(rows[0]), None
            live = (api_keys.c.id == key.id) & api_keys.c.revoked_at.is_(None)
            # Only one of two callers at once writes a row of the audit log.
            if (await connection.execute(update(api_keys).where(live).values(revoked_at=now))).rowcount == 1:
                change = await self._audit_log.key(connection, key, AuditEvent.KEY_REVOKED, by)
        self._cache.drop(key.digest)
        if change is not None:
            await self._audit_log.tell(change)
        return replace(key, revoked_at=key.revoked_at or now)

    async def close(self) -> None:
        """Waits for the notes of last uses that are still being written."""
        await asyncio.gather(*self._uses, return_exceptions=True)

    async def _look_up(self, digest: str) -> ClientKey | None:
        async with reading(self._engine) as connection:
            found = await connection.execute(select(api_keys).where(api_keys.c.digest == digest))
            row = found.one_or_none()
        if row is None or row.revoked_at is not None or not hmac.compare_digest(row.digest, digest):
            return None
        key = read_key(row)
        if key.last_used_at is None or self._clock() - key.last_used_at >= NOTE_USE_EVERY:
            note = asyncio.ensure_future(self._note_use(key.id))
            # The event loop keeps weak references to tasks only.
            self._uses.add(note)
            note.add_done_callback(self._uses.discard)
        return key

    async def _note_use(self, key_id: str) -> None:
        now = self._clock()
        unnoted = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= now - NOTE_USE_EVERY)
        query = update(api_keys).where(api_keys.c.id == key_id, unnoted).values(last_used_at=now)
        # A request must not fail because the last use of its key cannot be noted.
        with suppress(StoreUnavailable):
            async with writing(self._engine) as connection:
                await connection.execute(query)


def read_project(row: Row[Any]) -> Project:
    return Project(id=row.id, name=row.name, created_at=row.created_at)


def read_key(row: Row[Any]) -> ClientKey:
    return ClientKey(
        id=row.id,
        project_id=row.project_id,
        prefix=row.prefix,
        digest=row.digest,
        scopes=frozenset(row.scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
