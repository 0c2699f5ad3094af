"""The table of webhook endpoints with their sealed secrets, and the log of deliveries."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.audit.events import AuditRecord
from gateway.audit.store import AuditStore
from gateway.db.engine import after_commit, reading, writing
from gateway.db.schema import webhook_attempts as attempts
from gateway.db.schema import webhook_deliveries as deliveries
from gateway.db.schema import webhook_endpoints as endpoints
from gateway.errors import StoreUnavailable
from gateway.model import Secret, Unsealable
from gateway.vault.vault import Vault
from gateway.webhooks.deliveries import Attempt, Delivery, State
from gateway.webhooks.endpoints import MOST_ENDPOINTS, DeliveryFilter, Endpoint
from gateway.webhooks.events import Event
from gateway.webhooks.outbox_store import OLDER_SECRET, SECRET, Found, OutboxStore, cipher_of


class EndpointStore:
    """The endpoints of projects and their deliveries. What belongs to another project counts as missing."""

    def __init__(self, engine: AsyncEngine, vault: Vault, outbox: OutboxStore, audit: AuditStore) -> None:
        """Each change is written into the audit log in the same transaction."""
        self._audit = audit
        self._engine = engine
        self._vault = vault
        self._outbox = outbox

    async def add(self, endpoint: Endpoint, secret: Secret, record: AuditRecord) -> bool:
        """Stores a new endpoint; returns False when the project has as many as it may."""
        wrapped, cipher = self._vault.new_key(endpoint.id)
        row = {
            "id": endpoint.id,
            "project_id": endpoint.project_id,
            "master_key_id": wrapped.master_key_id,
            "wrapped_key": wrapped.wrapped,
            "secret": cipher.seal(secret.reveal.encode(), SECRET),
            "created_at": endpoint.created_at,
            **_write(endpoint),
        }
        there = select(func.count()).where(endpoints.c.project_id == endpoint.project_id)
        async with writing(self._engine) as connection:
            if (await connection.execute(there)).scalar_one() >= MOST_ENDPOINTS:
                return False
            await connection.execute(insert(endpoints).values(row))
            await self._audit.write(connection, record)
        return True

    async def of_project(self, project_id: str) -> Sequence[Endpoint]:
        return await self._endpoints(endpoints.c.project_id == project_id)

    async def all(self) -> Sequence[Endpoint]:
        """Returns the endpoints of all projects, oldest first."""
        return await self._endpoints(endpoints.c.id.is_not(None))

    async def find(self, project_id: str, endpoint_id: str) -> Endpoint | None:
        found = await self._endpoints((endpoints.c.project_id == project_id) & (endpoints.c.id == endpoint_id))
        return found[0] if found else None

    async def change(self, before: Endpoint, after: Endpoint, record: AuditRecord) -> Endpoint | None:
        """Stores only what differs, so that a change by someone else meanwhile is not undone."""
        old = _write(before)
        values = {name: value for name, value in _write(after).items() if value != old[name]}
        change = (
            update(endpoints).where(_of(after)).values(values or {"updated_at": after.updated_at}).returning(endpoints)
        )
        async with writing(self._engine) as connection:
            row = (await connection.execute(change)).one_or_none()
            if row is not None:
                await self._audit.write(connection, record)
            after_commit(connection, self._outbox.notify)
        return None if row is None else _read(row)

    async def remove(self, project_id: str, endpoint_id: str, record: AuditRecord) -> Endpoint | None:
        """Deletes an endpoint with its secrets and deliveries."""
        which = (endpoints.c.project_id == project_id) & (endpoints.c.id == endpoint_id)
        async with writing(self._engine) as connection:
            # Its deliveries go with it: the foreign key cascades.
            row = (await connection.execute(delete(endpoints).where(which).returning(endpoints))).one_or_none()
            if row is not None:
                await self._audit.write(connection, record)
        return None if row is None else _read(row)

    async def rotate(self, endpoint: Endpoint, secret: Secret, record: AuditRecord) -> Endpoint | None:
        """Replaces the secret. The present one stays valid until `older_until`."""
        async with writing(self._engine) as connection:
            row = (await connection.execute(select(endpoints).where(_of(endpoint)).with_for_update())).one_or_none()
            if row is None:
                return None
            cipher = cipher_of(self._vault, row)
            older = None
            if endpoint.older_until is not None:
                try:
                    older = cipher.seal(cipher.open(row.secret, SECRET), OLDER_SECRET)
                except Unsealable as error:
                    raise StoreUnavailable(f"the webhook {row.id} is damaged: remove it and add it again") from error
            values = {
                "secret": cipher.seal(secret.reveal.encode(), SECRET),
                "older_secret": older,
                "older_until": endpoint.older_until,
                "updated_at": record.at,
            }
            await self._audit.write(connection, record)
            change = update(endpoints).where(_of(endpoint)).values(values).returning(endpoints)
            return _read((await connection.execute(change)).one())

    async def send(self, endpoint: Endpoint, event: Event, now: datetime) -> Delivery:
        """Puts an event into the outbox for this endpoint alone, whichever events it asks for."""
        async with writing(self._engine) as connection:
            row = (await connection.execute(select(endpoints).where(_of(endpoint)))).one()
            delivery_id = await self._outbox.put(connection, row, event, now)
            return (await self._deliveries(connection, deliveries.c.id == delivery_id, DeliveryFilter()))[0]

    # --- the log --------------------------------------------------------------------------------------------

    async def deliveries(self, endpoint: Endpoint, pick: DeliveryFilter) -> Sequence[Delivery]:
        async with reading(self._engine) as connection:
            return await self._deliveries(connection, deliveries.c.endpoint_id == endpoint.id, pick)

    async def kept_events(self, endpoint: Endpoint) -> frozenset[str]:
        """Returns the names of the events that may still be sent: pending deliveries, and those stored for a replay."""
        kept = (deliveries.c.endpoint_id == endpoint.id) & deliveries.c.payload.is_not(None)
        async with reading(self._engine) as connection:
            return frozenset(await connection.scalars(select(deliveries.c.event).where(kept).distinct()))

    async def about(self, project_id: str, account_id: str, pick: DeliveryFilter) -> Sequence[Delivery]:
        """Returns the deliveries about one account to all endpoints of its project, even if it was unlinked."""
        of_project = select(endpoints.c.id).where(endpoints.c.project_id == project_id)
        which = (deliveries.c.account_id == account_id) & deliveries.c.endpoint_id.in_(of_project)
        async with reading(self._engine) as connection:
            return await self._deliveries(connection, which, pick)

    async def delivery(self, project_id: str, delivery_id: str) -> Delivery | None:
        of_project = select(endpoints.c.id).where(endpoints.c.project_id == project_id)
        which = (deliveries.c.id == delivery_id) & deliveries.c.endpoint_id.in_(of_project)
        async with reading(self._engine) as connection:
            found = await self._deliveries(connection, which, DeliveryFilter())
        return found[0] if found else None

    async def replay(self, delivery: Delivery, now: datetime) -> Delivery | None:
        """Makes a delivery due again; returns None when it no longer can be."""
        which = deliveries.c.id == delivery.id
        async with writing(self._engine) as connection:
            if await self._make_due(connection, which, now) != 1:
                return None
            return (await self._deliveries(connection, which, DeliveryFilter()))[0]

    async def replay_dead(self, endpoint: Endpoint, now: datetime) -> int:
        """Makes all dead deliveries of an endpoint due again where possible; returns how many."""
        dead = (deliveries.c.endpoint_id == endpoint.id) & (deliveries.c.state == State.DEAD.value)
        async with writing(self._engine) as connection:
            return await self._make_due(connection, dead, now)

    # --- inside ---------------------------------------------------------------------------------------------

    async def _endpoints(self, which: ColumnElement[bool]) -> Sequence[Endpoint]:
        query = select(endpoints).where(which).order_by(endpoints.c.created_at, endpoints.c.id)
        async with reading(self._engine) as connection:
            return [_read(row) for row in await connection.execute(query)]

    async def _make_due(self, connection: AsyncConnection, which: ColumnElement[bool], now: datetime) -> int:
        ended = which & (deliveries.c.state != State.PENDING.value) & deliveries.c.payload.is_not(None)
        values = {"state": State.PENDING.value, "reason": None, "tries": 0, "next_at": now, "ended_at": None}
        changed = await connection.execute(update(deliveries).where(ended).values(values))
        after_commit(connection, self._outbox.notify)
        return changed.rowcount

    async def _deliveries(
        self, connection: AsyncConnection, which: ColumnElement[bool], pick: DeliveryFilter
    ) -> Sequence[Delivery]:
        query = select(deliveries).where(which)
        if pick.state is not None:
            query = query.where(deliveries.c.state == pick.state.value)
        newest = query.order_by(deliveries.c.created_at.desc(), deliveries.c.id).offset(pick.skip).limit(pick.most)
        rows = (await connection.execute(newest)).all()
        made = select(attempts).where(attempts.c.delivery_id.in_([row.id for row in rows])).order_by(attempts.c.id)
        tries: defaultdict[str, list[Attempt]] = defaultdict(list)
        for row in await connection.execute(made):
            tries[row.delivery_id].append(
                Attempt(at=row.at, status=row.status, milliseconds=row.milliseconds, error=row.error)
            )
        return [_read_delivery(row, tuple(tries[row.id])) for row in rows]


def _of(endpoint: Endpoint) -> ColumnElement[bool]:
    return (endpoints.c.project_id == endpoint.project_id) & (endpoints.c.id == endpoint.id)


def _write(endpoint: Endpoint) -> dict[str, Any]:
    """Returns the columns that a caller may change."""
    return {
        "url": endpoint.url,
        "events": list(endpoint.events),
        "description": endpoint.description,
        "updated_at": endpoint.updated_at,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
        "failing_since": endpoint.failing_since,
    }


def _read(row: Found) -> Endpoint:
    return Endpoint(
        id=row.id,
        project_id=row.project_id,
        url=row.url,
        events=tuple(row.events),
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
        disabled_at=row.disabled_at,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        older_until=row.older_until,
    )


def _read_delivery(row: Found, made: tuple[Attempt, ...]) -> Delivery:
    return Delivery(
        id=row.id,
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        event=row.event,
        account_id=row.account_id,
        state=State(row.state),
        reason=row.reason,
        kept=row.payload is not None,
        created_at=row.created_at,
        next_at=row.next_at,
        ended_at=row.ended_at,
        attempts=made,
    )
