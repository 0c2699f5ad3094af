"""Wraps the stored data keys with the current master key. Sealed data and the cache stay as they are."""

from dataclasses import dataclass

from sqlalchemy import Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import reading, writing
from gateway.db.schema import credentials, vendor_webhooks, webhook_endpoints
from gateway.errors import StoreUnavailable
from gateway.model import Unsealable
from gateway.vault.vault import Vault, WrappedKey

AT_ONCE = 200
"""Rows of one transaction. It takes a few milliseconds, while other writers wait."""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """A table with wrapped keys, and the column of the id that is bound into the wrapping."""

    what: str
    table: Table
    owner: str


KEY_TABLES = (
    KeyTable("the credential of account", credentials, "account_id"),
    KeyTable("the secret of webhook", webhook_endpoints, "id"),
    KeyTable("the secret of the vendor's webhook of account", vendor_webhooks, "account_id"),
)


@dataclass(frozen=True, slots=True)
class RewrapResult:
    """Numbers of keys that were rewrapped and that did not need it. `closed` names those that cannot be opened."""

    master_key_id: str
    done: int
    already: int
    closed: tuple[str, ...]


async def rewrap(engine: AsyncEngine, vault: Vault) -> RewrapResult:
    """Wraps with the current master key what another one wraps. It may be stopped at any time and started again."""
    already = sum([await _already(engine, vault, keys) for keys in KEY_TABLES])
    done, closed = 0, list[str]()
    for keys in KEY_TABLES:
        after: str | None = ""
        while after is not None:
            count, left, after = await _some(engine, vault, keys, after)
            done += count
            closed += (f"{keys.what} {owner}" for owner in left)
    return RewrapResult(vault.current_id, done, already, tuple(closed))


async def _already(engine: AsyncEngine, vault: Vault, keys: KeyTable) -> int:
    query = select(func.count()).where(keys.table.c.master_key_id == vault.current_id)
    async with reading(engine) as connection:
        return int((await connection.execute(query)).scalar_one())


async def _some(engine: AsyncEngine, vault: Vault, keys: KeyTable, after: str) -> tuple[int, list[str], str | None]:
    """Rewraps the next rows after an id. Returns their number, the ids that cannot be opened, and where to continue."""
    table, owner = keys.table, keys.table.c[keys.owner]
    query = (
        select(owner.label("owner"), table.c.master_key_id, table.c.wrapped_key)
        .where(table.c.master_key_id != vault.current_id, owner > after)
        .order_by(owner)
        .limit(AT_ONCE)
        .with_for_update()
    )
    closed: list[str] = []
    async with writing(engine) as connection:
        rows = (await connection.execute(query)).all()
        for row in rows:
            try:
                wrapped = vault.rewrap(row.owner, WrappedKey(row.master_key_id, row.wrapped_key))
            except (Unsealable, StoreUnavailable):
                closed.append(row.owner)
                continue
            values = {"master_key_id": wrapped.master_key_id, "wrapped_key": wrapped.wrapped}
            await connection.execute(update(table).where(owner == row.owner).values(values))
    return len(rows) - len(closed), closed, rows[-1].owner if len(rows) == AT_ONCE else None
