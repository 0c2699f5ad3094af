"""Wrapping the stored data keys by the present master key. What they have sealed is not touched, nor is the cache."""

from dataclasses import dataclass

from sqlalchemy import Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import reading, writing
from gateway.db.schema import credentials, vendor_webhooks, webhook_endpoints
from gateway.errors import StoreUnavailable
from gateway.model import Unsealable
from gateway.vault.vault import Vault, WrappedKey

AT_ONCE = 200
"""Rows of one transaction: a few milliseconds, for which other writers wait."""


@dataclass(frozen=True, slots=True)
class Place:
    """A table with wrapped keys, and the column of the id that is bound into the wrapping."""

    what: str
    table: Table
    owner: str


PLACES = (
    Place("the credential of account", credentials, "account_id"),
    Place("the secret of webhook", webhook_endpoints, "id"),
    Place("the secret of the vendor's webhook of account", vendor_webhooks, "account_id"),
)


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many keys were wrapped anew, and how many had no need; `closed` are named, which could not be opened."""

    master_key_id: str
    done: int
    already: int
    closed: tuple[str, ...]


async def rewrap(engine: AsyncEngine, vault: Vault) -> Rewrapped:
    """Wrap by the vault's present master key what another one wraps. May be stopped at any time, and begun again."""
    already = sum([await _already(engine, vault, place) for place in PLACES])
    done, closed = 0, list[str]()
    for place in PLACES:
        after: str | None = ""
        while after is not None:
            count, left, after = await _some(engine, vault, place, after)
            done += count
            closed += (f"{place.what} {owner}" for owner in left)
    return Rewrapped(vault.current_id, done, already, tuple(closed))


async def _already(engine: AsyncEngine, vault: Vault, place: Place) -> int:
    query = select(func.count()).where(place.table.c.master_key_id == vault.current_id)
    async with reading(engine) as connection:
        return int((await connection.execute(query)).scalar_one())


async def _some(engine: AsyncEngine, vault: Vault, place: Place, after: str) -> tuple[int, list[str], str | None]:
    """Take the next rows by their owners' ids; give how many were done, which could not be, and where to go on."""
    table, owner = place.table, place.table.c[place.owner]
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
