"""The outbox: events are written in the transaction of the change that they report, and claimed from here to be sent.

The payload of an event is sealed with its endpoint's data key. It is deleted when it can no longer be replayed; if its
account was unlinked, as soon as it is delivered.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Delete,
    Row,
    Select,
    Update,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.audit.events import AuditRecord
from gateway.db.engine import after_commit, reading, writing
from gateway.db.schema import UtcDateTime
from gateway.db.schema import webhook_attempts as attempts
from gateway.db.schema import webhook_deliveries as deliveries
from gateway.db.schema import webhook_endpoints as endpoints
from gateway.errors import StoreUnavailable
from gateway.model import Account, Secret, Unsealable
from gateway.vault.vault import AccountCipher, Vault, WrappedKey
from gateway.webhooks.deliveries import Attempt, Capacity, Claim, Outcome, Retention, State
from gateway.webhooks.events import ACCOUNT_DELETED, Event, account_event, events_of, wants

SECRET = b"webhook secret"
OLDER_SECRET = b"older webhook secret"
MOST_AT_ONCE = 500
"""Rows of one transaction of `tidy`. Other writers wait for it."""

Found = Row[Any]


class OutboxStore:
    """All methods raise `StoreUnavailable` if the database cannot be reached."""

    def __init__(
        self, engine: AsyncEngine, vault: Vault, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._new_id = new_id
        self._listeners: list[Callable[[], None]] = []

    def wake(self, listener: Callable[[], None]) -> None:
        """Has a function called when a delivery may be due, so that the dispatcher of this process wakes up."""
        self._listeners.append(listener)

    async def check(self) -> None:
        """Raises `StoreUnavailable` if the vault cannot open the webhooks of this database."""
        async with reading(self._engine) as connection:
            for master_key_id in (await connection.scalars(select(endpoints.c.master_key_id).distinct())).all():
                self._vault.must_open(master_key_id)

    # --- writing events -------------------------------------------------------------------------------------

    async def write_change(self, connection: AsyncConnection, change: AuditRecord, account: Account) -> None:
        """Writes the events of a change. `account` is as it is now, or as it was before it was unlinked."""
        for name in events_of(fact.what for fact in change.facts):
            await self.write_account_event(connection, name, account)

    async def write_account_event(self, connection: AsyncConnection, name: str, account: Account) -> None:
        """Writes an event about an account, in the transaction that changes it."""
        await self.enqueue(connection, [account_event(name, account, self._new_id(), self._clock())])

    async def delete_payloads(self, connection: AsyncConnection, account: Account) -> None:
        """Deletes the payloads about an account. A pending delivery loses its payload when it ends."""
        of_account = deliveries.c.account_id == account.id
        ended = deliveries.c.state != State.PENDING.value
        payload = case((ended, null()), else_=deliveries.c.payload)
        await connection.execute(update(deliveries).where(of_account).values(delete_payload=True, payload=payload))

    async def enqueue(self, connection: AsyncConnection, events: Sequence[Event]) -> None:
        """Writes events of one project, each for the endpoints that ask for it. Call it within `writing`."""
        if not events:
            return
        enabled = select(endpoints).where(
            endpoints.c.project_id == events[0].project_id, endpoints.c.disabled_at.is_(None)
        )
        names = {event.name for event in events}
        now, rows = self._clock(), list[dict[str, Any]]()
        for endpoint in (await connection.execute(enabled)).all():
            wanted = {name for name in names if wants(endpoint.events, name)}
            if wanted:
                cipher = cipher_of(self._vault, endpoint)
                rows += [self._row(endpoint, cipher, event, now) for event in events if event.name in wanted]
        if rows:
            await connection.execute(insert(deliveries), rows)
            after_commit(connection, self.notify)

    async def put(self, connection: AsyncConnection, endpoint: Found, event: Event, now: datetime) -> str:
        """Writes an event for one endpoint and returns the id of the delivery."""
        row = self._row(endpoint, cipher_of(self._vault, endpoint), event, now)
        await connection.execute(insert(deliveries).values(row))
        after_commit(connection, self.notify)
        delivery_id: str = row["id"]
        return delivery_id

    def _row(self, endpoint: Found, cipher: AccountCipher, event: Event, now: datetime) -> dict[str, Any]:
        return {
            "id": self._new_id(),
            "endpoint_id": endpoint.id,
            "event_id": event.id,
            "event": event.name,
            "account_id": event.account_id,
            "payload": cipher.seal(orjson.dumps(event.payload), event.id.encode()),
            "delete_payload": False,
            "state": State.PENDING.value,
            "tries": 0,
            "next_at": now,
            "created_at": now,
        }

    def notify(self) -> None:
        """Calls the listeners: a delivery may be due."""
        for listener in self._listeners:
            listener()

    # --- sending --------------------------------------------------------------------------------------------

    async def take(self, capacity: Capacity) -> Sequence[Claim]:
        """Claims due deliveries of enabled endpoints, within the capacity; of a failing endpoint one at a time."""
        due = (deliveries.c.state == State.PENDING.value) & (deliveries.c.next_at <= capacity.now)
        # Reads first, as a write locks all of SQLite and mostly nothing is due.
        async with reading(self._engine) as connection:
            if (await connection.execute(select(deliveries.c.id).where(due).limit(1))).first() is None:
                return ()
            found = await connection.execute(_waiting(due, capacity))
            rows = [row for row in found if _room_for(row, capacity) > 0]
        if not rows:
            return ()
        claimed: dict[str, Found] = {}
        async with writing(self._engine) as connection:
            left = capacity.most
            for row in rows:
                few = min(left if row.failing_since is None else left - capacity.spare, _room_for(row, capacity))
                if few <= 0:
                    break
                of_endpoint = select(deliveries.c.id).where(due, deliveries.c.endpoint_id == row.id)
                # Each worker gets other rows: PostgreSQL skips locked ones, SQLite has one writer at a time.
                some = of_endpoint.order_by(deliveries.c.next_at).limit(few).with_for_update(skip_locked=True)
                ids = (await connection.scalars(some)).all()
                claimed |= dict.fromkeys(ids, row)
                left -= len(ids)
            if not claimed:
                return ()
            taking = (
                update(deliveries)
                .where(deliveries.c.id.in_(claimed))
                .values(claim=capacity.token, next_at=capacity.until)
            )
            taken = (await connection.execute(taking.returning(deliveries))).all()
            return [
                claim
                for row in taken
                if (claim := await self._claim(connection, claimed[row.id], row, capacity.now)) is not None
            ]

    async def settle(self, claim: Claim, attempt: Attempt, outcome: Outcome) -> bool:
        """Stores an attempt and its outcome. Returns False if the claim was lost meanwhile."""
        ours = (deliveries.c.id == claim.delivery_id) & (deliveries.c.claim == claim.token)
        now = self._clock()
        delivered = outcome.state is State.DELIVERED
        values: dict[str, Any] = {"claim": None, "state": outcome.state.value, "reason": outcome.reason}
        if outcome.state is State.PENDING:
            values |= {"tries": deliveries.c.tries + 1, "next_at": now + timedelta(seconds=outcome.wait)}
        else:
            unlinked = delivered and claim.event == ACCOUNT_DELETED
            payload = null() if unlinked else case((deliveries.c.delete_payload, null()), else_=deliveries.c.payload)
            values |= {"ended_at": now, "payload": payload}
        row = {
            "delivery_id": claim.delivery_id,
            "at": attempt.at,
            "status": attempt.status,
            "milliseconds": attempt.milliseconds,
            "error": attempt.error,
        }
        async with writing(self._engine) as connection:
            if (await connection.execute(update(deliveries).where(ours).values(values))).rowcount != 1:
                return False
            await connection.execute(insert(attempts).values(row))
            await _note_health(connection, claim, now, outcome, delivered=delivered)
        return True

    async def release(self, claim: Claim, now: datetime) -> None:
        """Ends a claim without an attempt, so that the delivery is due again."""
        ours = (deliveries.c.id == claim.delivery_id) & (deliveries.c.claim == claim.token)
        async with writing(self._engine) as connection:
            await connection.execute(update(deliveries).where(ours).values(claim=None, next_at=now))

    async def tidy(self, now: datetime, keeping: Retention) -> None:
        """Deletes old payloads, deliveries and secrets, and ends those to endpoints disabled long ago."""
        closed = select(endpoints.c.id).where(endpoints.c.disabled_at < now - keeping.replay)
        stuck = (deliveries.c.state == State.PENDING.value) & deliveries.c.endpoint_id.in_(closed)
        spent = (deliveries.c.ended_at < now - keeping.replay) & deliveries.c.payload.is_not(None)
        dead = {"state": State.DEAD.value, "reason": "disabled", "ended_at": now, "claim": None, "payload": None}
        await self._in_parts(stuck, update(deliveries).values(dead))
        await self._in_parts(spent, update(deliveries).values(payload=None))
        await self._in_parts(deliveries.c.ended_at < now - keeping.log, delete(deliveries))
        expired = (endpoints.c.older_until <= now) & endpoints.c.older_secret.is_not(None)
        async with writing(self._engine) as connection:
            await connection.execute(update(endpoints).where(expired).values(older_secret=None, older_until=None))

    # --- inside ---------------------------------------------------------------------------------------------

    async def _in_parts(self, which: ColumnElement[bool], change: Update | Delete) -> None:
        """Changes the matching deliveries, `MOST_AT_ONCE` in a transaction, so that others do not wait for long."""
        some = select(deliveries.c.id).where(which).limit(MOST_AT_ONCE)
        while True:
            async with reading(self._engine) as connection:
                ids = (await connection.scalars(some)).all()
            if not ids:
                return
            async with writing(self._engine) as connection:
                await connection.execute(change.where(deliveries.c.id.in_(ids), which))

    async def _claim(self, connection: AsyncConnection, endpoint: Found, row: Found, now: datetime) -> Claim | None:
        """Opens a claimed delivery. Returns None for a damaged one, which is dead then: it cannot be repaired."""
        try:
            cipher = self._vault.unwrap(endpoint.id, WrappedKey(endpoint.master_key_id, endpoint.wrapped_key))
            secrets = live_secrets(cipher, endpoint, now)
            payload = cipher.open(row.payload or b"", row.event_id.encode())
        except Unsealable:
            values = {"state": State.DEAD.value, "reason": "unreadable", "ended_at": now, "claim": None}
            await connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(values))
            return None
        return Claim(
            delivery_id=row.id,
            token=row.claim,
            endpoint_id=endpoint.id,
            url=endpoint.url,
            event_id=row.event_id,
            event=row.event,
            payload=payload,
            secrets=secrets,
            tries=row.tries,
            failing_since=endpoint.failing_since,
        )


def cipher_of(vault: Vault, endpoint: Found) -> AccountCipher:
    """Returns the cipher of an endpoint. Raises `StoreUnavailable` if its key is damaged or of another vault."""
    try:
        return vault.unwrap(endpoint.id, WrappedKey(endpoint.master_key_id, endpoint.wrapped_key))
    except Unsealable as error:
        raise StoreUnavailable(f"the webhook {endpoint.id} is damaged: remove it and add it again") from error


def live_secrets(cipher: AccountCipher, endpoint: Found, now: datetime) -> tuple[Secret, ...]:
    """Returns the secrets to sign with, oldest first."""
    found = [Secret(cipher.open(endpoint.secret, SECRET).decode())]
    if endpoint.older_secret is not None and endpoint.older_until is not None and now < endpoint.older_until:
        found.insert(0, Secret(cipher.open(endpoint.older_secret, OLDER_SECRET).decode()))
    return tuple(found)


async def _note_health(
    connection: AsyncConnection, claim: Claim, now: datetime, outcome: Outcome, *, delivered: bool
) -> None:
    """Stores since when an endpoint fails, and disables it if the outcome says so."""
    of_endpoint = endpoints.c.id == claim.endpoint_id
    if delivered:
        if claim.failing_since is not None:
            await connection.execute(update(endpoints).where(of_endpoint).values(failing_since=None))
        return
    values: Mapping[str, Any] = {"failing_since": func.coalesce(endpoints.c.failing_since, literal(now, UtcDateTime()))}
    if outcome.disable:
        values = {**values, "disabled_at": now, "disabled_reason": outcome.disable}
        of_endpoint &= endpoints.c.disabled_at.is_(None)
    await connection.execute(update(endpoints).where(of_endpoint).values(values))


def _waiting(due: ColumnElement[bool], capacity: Capacity) -> Select[*tuple[Any, ...]]:
    """Returns a query of the endpoints with due deliveries: failing ones last, then by the longest wait.

    It reads the index of each endpoint, so that it is fast with any number of waiting deliveries.
    """
    of_endpoint = due & (deliveries.c.endpoint_id == endpoints.c.id)
    oldest = select(func.min(deliveries.c.next_at)).where(of_endpoint).correlate(endpoints).scalar_subquery()
    waits = select(deliveries.c.id).where(of_endpoint).correlate(endpoints).exists()
    return (
        select(endpoints)
        .where(endpoints.c.disabled_at.is_(None), waits)
        .order_by(endpoints.c.failing_since.is_not(None), oldest)
        .limit(capacity.most + len(capacity.busy))
    )


def _room_for(endpoint: Found, capacity: Capacity) -> int:
    """Returns how many deliveries of an endpoint may start: of a failing one only one, so that others need not wait."""
    return (capacity.each if endpoint.failing_since is None else 1) - capacity.busy[endpoint.id]
