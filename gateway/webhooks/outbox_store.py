"""The outbox: events are written in the transaction of what they tell of, and claimed from here to be sent.

What an event says is sealed with its endpoint's data key. It is dropped once it has arrived where it speaks of an
account that is no more, and for all others when it need not be sent again.
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
from gateway.db.schema import Moment
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
"""Rows that one transaction of tidying takes: others wait for it."""

Found = Row[Any]


class OutboxStore:
    """`hear` is told of changes, within the transactions that make them."""

    def __init__(
        self, engine: AsyncEngine, vault: Vault, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._new_id = new_id
        self._listeners: list[Callable[[], None]] = []

    def wake(self, listener: Callable[[], None]) -> None:
        """Have something called when there is more to send: for whoever sends in this process."""
        self._listeners.append(listener)

    async def check(self) -> None:
        """Refuse a database whose webhooks the vault cannot open."""
        async with reading(self._engine) as connection:
            for master_key_id in (await connection.scalars(select(endpoints.c.master_key_id).distinct())).all():
                self._vault.must_open(master_key_id)

    # --- what has happened ----------------------------------------------------------------------------------

    async def hear(self, connection: AsyncConnection, change: AuditRecord, account: Account) -> None:
        """Tell of a change: of the account as it is now, or as it was before it was unlinked."""
        for name in events_of(fact.what for fact in change.facts):
            await self.note(connection, name, account)

    async def note(self, connection: AsyncConnection, name: str, account: Account) -> None:
        """Tell of an account, within the transaction that changes it: both are kept, or neither."""
        await self.enqueue(connection, account_event(name, account, self._new_id(), self._clock()))

    async def delete_payloads(self, connection: AsyncConnection, account: Account) -> None:
        """Deletes what deliveries say of an account; of a delivery that is on its way, when it ends."""
        of_account = deliveries.c.account_id == account.id
        ended = deliveries.c.state != State.PENDING.value
        kept = case((ended, null()), else_=deliveries.c.payload)
        await connection.execute(update(deliveries).where(of_account).values(delete_payload=True, payload=kept))

    async def enqueue(self, connection: AsyncConnection, event: Event) -> int:
        """Put an event in the outbox for each endpoint that wants it; tell for how many. Within `writing`."""
        listening = select(endpoints).where(
            endpoints.c.project_id == event.project_id, endpoints.c.disabled_at.is_(None)
        )
        rows = [row for row in await connection.execute(listening) if wants(row.events, event.name)]
        for row in rows:
            await self.put(connection, row, event, self._clock())
        return len(rows)

    async def enqueue_all(self, connection: AsyncConnection, events: Sequence[Event]) -> None:
        """Put events of one project in the outbox, each for the endpoints that want it. Within `writing`."""
        if not events:
            return
        listening = select(endpoints).where(
            endpoints.c.project_id == events[0].project_id, endpoints.c.disabled_at.is_(None)
        )
        now, rows = self._clock(), []
        for endpoint in (await connection.execute(listening)).all():
            cipher = cipher_of(self._vault, endpoint)
            wanted = {name for name in {event.name for event in events} if wants(endpoint.events, name)}
            rows += [self._row(endpoint, cipher, event, now) for event in events if event.name in wanted]
        if rows:
            await connection.execute(insert(deliveries), rows)
            after_commit(connection, self.tell)

    async def put(self, connection: AsyncConnection, endpoint: Found, event: Event, now: datetime) -> str:
        """Put an event in the outbox for one endpoint; give the delivery's id."""
        row = self._row(endpoint, cipher_of(self._vault, endpoint), event, now)
        await connection.execute(insert(deliveries).values(row))
        after_commit(connection, self.tell)
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

    def tell(self) -> None:
        """Let those know who wait for more to send."""
        for listener in self._listeners:
            listener()

    # --- as sending needs it --------------------------------------------------------------------------------

    async def take(self, room: Capacity) -> Sequence[Claim]:
        due = (deliveries.c.state == State.PENDING.value) & (deliveries.c.next_at <= room.now)
        # Looked at first without the lock that a write takes in SQLite: mostly nothing is due.
        async with reading(self._engine) as connection:
            if (await connection.execute(select(deliveries.c.id).where(due).limit(1))).first() is None:
                return ()
            found = await connection.execute(_waiting(due, room))
            rows = [row for row in found if _room_for(row, room) > 0]
        if not rows:
            return ()
        claimed: dict[str, Found] = {}
        async with writing(self._engine) as connection:
            left = room.most
            for row in rows:
                few = min(left if row.failing_since is None else left - room.spare, _room_for(row, room))
                if few <= 0:
                    break
                of_endpoint = select(deliveries.c.id).where(due, deliveries.c.endpoint_id == row.id)
                # Of several workers each takes others: PostgreSQL passes over what is locked, SQLite has one writer.
                some = of_endpoint.order_by(deliveries.c.next_at).limit(few).with_for_update(skip_locked=True)
                ids = (await connection.scalars(some)).all()
                claimed |= dict.fromkeys(ids, row)
                left -= len(ids)
            if not claimed:
                return ()
            taking = update(deliveries).where(deliveries.c.id.in_(claimed)).values(claim=room.token, next_at=room.until)
            taken = (await connection.execute(taking.returning(deliveries))).all()
            return [
                claim
                for row in taken
                if (claim := await self._claim(connection, claimed[row.id], row, room.now)) is not None
            ]

    async def settle(self, claim: Claim, attempt: Attempt, outcome: Outcome) -> bool:
        ours = (deliveries.c.id == claim.delivery_id) & (deliveries.c.claim == claim.token)
        now = self._clock()
        arrived = outcome.state is State.DELIVERED
        values: dict[str, Any] = {"claim": None, "state": outcome.state.value, "reason": outcome.reason}
        if outcome.state is State.PENDING:
            values |= {"tries": deliveries.c.tries + 1, "next_at": now + timedelta(seconds=outcome.wait)}
        else:
            gone = arrived and claim.event == ACCOUNT_DELETED
            kept = null() if gone else case((deliveries.c.delete_payload, null()), else_=deliveries.c.payload)
            values |= {"ended_at": now, "payload": kept}
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
            await _note_health(connection, claim, now, outcome, arrived=arrived)
        return True

    async def release(self, claim: Claim, now: datetime) -> None:
        ours = (deliveries.c.id == claim.delivery_id) & (deliveries.c.claim == claim.token)
        async with writing(self._engine) as connection:
            await connection.execute(update(deliveries).where(ours).values(claim=None, next_at=now))

    async def tidy(self, now: datetime, keeping: Retention) -> None:
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
        """Change the deliveries that are meant, so few at a time that nobody has to wait for it."""
        some = select(deliveries.c.id).where(which).limit(MOST_AT_ONCE)
        while True:
            async with reading(self._engine) as connection:
                ids = (await connection.scalars(some)).all()
            if not ids:
                return
            async with writing(self._engine) as connection:
                await connection.execute(change.where(deliveries.c.id.in_(ids), which))

    async def _claim(self, connection: AsyncConnection, endpoint: Found, row: Found, now: datetime) -> Claim | None:
        """Open what was claimed. What is damaged would be damaged the next time too, so it ends here."""
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
    """Give what seals for an endpoint. Raises `StoreUnavailable` for a row whose key is damaged or of another vault."""
    try:
        return vault.unwrap(endpoint.id, WrappedKey(endpoint.master_key_id, endpoint.wrapped_key))
    except Unsealable as error:
        raise StoreUnavailable(f"the webhook {endpoint.id} is damaged: remove it and add it again") from error


def live_secrets(cipher: AccountCipher, endpoint: Found, now: datetime) -> tuple[Secret, ...]:
    """Give the secrets to sign with, oldest first."""
    found = [Secret(cipher.open(endpoint.secret, SECRET).decode())]
    if endpoint.older_secret is not None and endpoint.older_until is not None and now < endpoint.older_until:
        found.insert(0, Secret(cipher.open(endpoint.older_secret, OLDER_SECRET).decode()))
    return tuple(found)


async def _note_health(
    connection: AsyncConnection, claim: Claim, now: datetime, outcome: Outcome, *, arrived: bool
) -> None:
    """Note since when an endpoint fails, and disable it where that is decided."""
    of_endpoint = endpoints.c.id == claim.endpoint_id
    if arrived:
        if claim.failing_since is not None:
            await connection.execute(update(endpoints).where(of_endpoint).values(failing_since=None))
        return
    values: Mapping[str, Any] = {"failing_since": func.coalesce(endpoints.c.failing_since, literal(now, Moment()))}
    if outcome.disable:
        values = {**values, "disabled_at": now, "disabled_reason": outcome.disable}
        of_endpoint &= endpoints.c.disabled_at.is_(None)
    await connection.execute(update(endpoints).where(of_endpoint).values(values))


def _waiting(due: ColumnElement[bool], room: Capacity) -> Select[*tuple[Any, ...]]:
    """Give the endpoints that something waits for: those that are well first, and who has waited longest first.

    By the index of each endpoint, so that it does not matter how much there is that waits.
    """
    of_endpoint = due & (deliveries.c.endpoint_id == endpoints.c.id)
    oldest = select(func.min(deliveries.c.next_at)).where(of_endpoint).correlate(endpoints).scalar_subquery()
    waits = select(deliveries.c.id).where(of_endpoint).correlate(endpoints).exists()
    return (
        select(endpoints)
        .where(endpoints.c.disabled_at.is_(None), waits)
        .order_by(endpoints.c.failing_since.is_not(None), oldest)
        .limit(room.most + len(room.busy))
    )


def _room_for(endpoint: Found, room: Capacity) -> int:
    """Give how many deliveries of an endpoint may be begun: of one that fails one at a time, so it holds up nobody."""
    return (room.each if endpoint.failing_since is None else 1) - room.busy[endpoint.id]
