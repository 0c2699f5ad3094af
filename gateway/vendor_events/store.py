"""The table of vendor webhooks. The secret is sealed, and the row is deleted with its account."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Row, bindparam, delete, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.db.engine import reading, writing
from gateway.db.schema import UtcDateTime, accounts
from gateway.db.schema import vendor_webhooks as table
from gateway.errors import StoreUnavailable
from gateway.model import Account, Secret, Status, Unsealable
from gateway.vault.vault import Vault, WrappedKey
from gateway.vendor_events.model import VendorWebhook, VendorWebhookState

CONTEXT = b"webhook secret"


class VendorWebhookStore:
    """One row for each account. All methods raise `StoreUnavailable` if the database cannot be reached."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def make_due(self, connection: AsyncConnection, account: Account) -> None:
        """Has an account's webhook checked soon: another token may be of another company, or may allow webhooks."""
        of_account = table.c.account_id == account.id
        await connection.execute(update(table).where(of_account).values(due_at=self._clock()))

    async def delete_of_account(self, connection: AsyncConnection, account: Account) -> None:
        """Deletes the row of an account. Events that the vendor still sends to it are refused."""
        await connection.execute(delete(table).where(table.c.account_id == account.id))

    async def find(self, account_id: str) -> VendorWebhook | None:
        query = (
            select(table, accounts.c.project_id, accounts.c.provider)
            .join(accounts, accounts.c.id == table.c.account_id)
            .where(table.c.account_id == account_id)
        )
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else self._read(row)

    async def lease(self, account_id: str, now: datetime, until: datetime, *, force: bool = False) -> int | None:
        """Leases an account's webhook until a moment and returns the lease number; inserts the row if there is none.

        Returns None if the webhook is not due, unless the lease is taken `force`, or if there is no such account.
        """
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        new = select(
            accounts.c.id,
            literal(0, Integer),
            literal(VendorWebhookState.NOT_REGISTERED.value),
            literal("it is being registered"),
            literal(0, Integer),
            bindparam("due", now, UtcDateTime),
        ).where(accounts.c.id == account_id)
        columns = ["account_id", "lease", "state", "reason", "failures", "due_at"]
        making = dialect.insert(table).from_select(columns, new).on_conflict_do_nothing()
        mine = table.c.account_id == account_id
        if not force:
            mine &= table.c.due_at <= now
        taking = update(table).where(mine).values(lease=table.c.lease + 1, due_at=until).returning(table.c.lease)
        async with writing(self._engine) as connection:
            await connection.execute(making)
            lease: int | None = (await connection.execute(taking)).scalar_one_or_none()
        return lease

    async def save(self, webhook: VendorWebhook, lease: int) -> bool:
        """Stores the result of a lease, except `last_event_at`. Returns False if the lease is stale or the row gone."""
        mine = (table.c.account_id == webhook.account_id) & (table.c.lease == lease)
        values = {
            "state": webhook.state.value,
            "reason": webhook.reason,
            "remote_id": webhook.remote_id,
            "url": webhook.url,
            "registered_at": webhook.registered_at,
            "failures": webhook.failures,
            "due_at": webhook.due_at,
            **self._sealed(webhook),
        }
        async with writing(self._engine) as connection:
            return (await connection.execute(update(table).where(mine).values(values))).rowcount == 1

    async def set_last_event(self, account_id: str, now: datetime) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(update(table).where(table.c.account_id == account_id).values(last_event_at=now))

    async def due(self, providers: Sequence[str], now: datetime, most: int) -> Sequence[tuple[str, str]]:
        """Returns (project id, account id) of active accounts whose webhook is due or missing, longest due first."""
        query = (
            select(accounts.c.project_id, accounts.c.id)
            .outerjoin(table, table.c.account_id == accounts.c.id)
            .where(accounts.c.status == Status.ACTIVE.value, accounts.c.provider.in_(providers))
            .where(or_(table.c.due_at.is_(None), table.c.due_at <= now))
            # Both databases can put what has none first, each in its own way; this order is the same in both.
            .order_by(table.c.due_at.is_not(None), table.c.due_at, accounts.c.id)
            .limit(most)
        )
        async with reading(self._engine) as connection:
            return [(row.project_id, row.id) for row in (await connection.execute(query)).all()]

    async def check_inactive(self, now: datetime, url: str) -> None:
        """Makes all webhooks due that are not registered, or whose URL is not below `url`.

        Their obstacle may have been removed, or the gateway may have moved. What the token does not allow, and what
        fails at the vendor, is no different after a start.
        """
        elsewhere = ~table.c.url.startswith(f"{url}/", autoescape=True)
        waiting = or_(table.c.state == VendorWebhookState.NOT_REGISTERED.value, elsewhere) & (table.c.due_at > now)
        async with writing(self._engine) as connection:
            await connection.execute(update(table).where(waiting).values(due_at=now))

    def _sealed(self, webhook: VendorWebhook) -> dict[str, object]:
        if webhook.secret is None:
            return {"master_key_id": None, "wrapped_key": None, "sealed": None}
        wrapped, cipher = self._vault.new_key(webhook.account_id)
        return {
            "master_key_id": wrapped.master_key_id,
            "wrapped_key": wrapped.wrapped,
            "sealed": cipher.seal(webhook.secret.reveal.encode(), CONTEXT),
        }

    def _read(self, row: Row[Any]) -> VendorWebhook:
        return VendorWebhook(
            account_id=row.account_id,
            project_id=row.project_id,
            provider=row.provider,
            state=VendorWebhookState(row.state),
            reason=row.reason,
            remote_id=row.remote_id,
            url=row.url,
            secret=self._opened(row),
            registered_at=row.registered_at,
            last_event_at=row.last_event_at,
            failures=row.failures,
            due_at=row.due_at,
        )

    def _opened(self, row: Row[Any]) -> Secret | None:
        """Returns the secret. None if it is damaged or of another master key: a new endpoint is registered then."""
        if row.sealed is None:
            return None
        with suppress(Unsealable, StoreUnavailable):
            cipher = self._vault.unwrap(row.account_id, WrappedKey(row.master_key_id, row.wrapped_key))
            return Secret(cipher.open(row.sealed, CONTEXT).decode())
        return None
