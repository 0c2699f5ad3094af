"""The tables of watched lists and of keyed hashes of their records. Rows are deleted with their account."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias
from zlib import crc32

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    delete,
    false,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.db.engine import reading, writing
from gateway.db.schema import UtcDateTime, accounts
from gateway.db.schema import record_hashes as hashes
from gateway.db.schema import record_watches as table
from gateway.db.schema import webhook_endpoints as endpoints
from gateway.model import Account, Status
from gateway.record_events.diff import SnapshotVersion
from gateway.record_events.model import Batch, NextRun, WatchClaim, WatchState
from gateway.webhooks.outbox_store import OutboxStore

AT_A_TIME = 1000
NEW_A_SECOND = 10
"""Watches that are due in one second where many are created at once, as with the first endpoint of a project."""
Insert: TypeAlias = sqlite.Insert | postgresql.Insert


class RecordWatchStore:
    """One watch for each list of an account. All methods raise `StoreUnavailable` if the database is unavailable."""

    def __init__(self, engine: AsyncEngine, outbox: OutboxStore) -> None:
        self._engine = engine
        self._outbox = outbox

    async def wanted_events(self) -> Mapping[str, Sequence[str]]:
        """Returns by project id the events, or patterns of them, that enabled endpoints ask for."""
        query = select(endpoints.c.project_id, endpoints.c.events).where(endpoints.c.disabled_at.is_(None))
        found: defaultdict[str, list[str]] = defaultdict(list)
        async with reading(self._engine) as connection:
            for row in await connection.execute(query):
                found[row.project_id] += row.events
        return found

    async def arrange(self, wanted: Mapping[str, frozenset[str]], now: datetime, within: float) -> None:
        """Creates the watches of these resources for the accounts of these projects, and deletes all others.

        New watches are due soon; where they are many, spread over so many seconds that ten of them are due in each, but
        over at most `within` seconds.
        """
        projects: defaultdict[str, list[str]] = defaultdict(list)
        for project, resources in wanted.items():
            for resource in resources:
                projects[resource].append(project)
        async with writing(self._engine) as connection:
            # Watches without an endpoint are deleted. An endpoint that is added later gets no events of the past.
            theirs = [
                and_(table.c.resource == resource, table.c.account_id.in_(_accounts_of(of)))
                for resource, of in projects.items()
            ]
            await connection.execute(delete(table).where(~or_(*theirs)) if theirs else delete(table))
            for resource, of in sorted(projects.items()):
                await connection.execute(self._making(resource, of, now))
            await _spread_new(connection, now, within)

    async def claim(self, now: datetime, until: datetime) -> WatchClaim | None:
        """Claims the watch of an active account that has been due for longest; nobody else gets it before `until`."""
        due = (table.c.due_at <= now) & (table.c.rest_until <= now) & (accounts.c.status == Status.ACTIVE.value)
        both = table.join(accounts, accounts.c.id == table.c.account_id)
        first = select(table, accounts.c.project_id).select_from(both).where(due).order_by(table.c.due_at).limit(1)
        # Reads first, as a write locks all of SQLite and mostly nothing is due.
        async with reading(self._engine) as connection:
            if (await connection.execute(first)).first() is None:
                return None
        async with writing(self._engine) as connection:
            row = (await connection.execute(first.with_for_update(of=table, skip_locked=True))).one_or_none()
            if row is None:
                return None
            mine = (table.c.account_id == row.account_id) & (table.c.resource == row.resource)
            values = {"lease": row.lease + 1, "due_at": until, "rest_until": until}
            await connection.execute(update(table).where(mine).values(values))
        return WatchClaim(
            account_id=row.account_id,
            project_id=row.project_id,
            resource=row.resource,
            lease=row.lease + 1,
            until=until,
            failures=row.failures,
            state=WatchState(SnapshotVersion(row.rights, row.mapping), row.reading, row.held),
        )

    async def hashes(self, claim: WatchClaim) -> Mapping[str, bytes]:
        """Returns the hashes of the last snapshot by the vendor's record id."""
        of_claim = (hashes.c.account_id == claim.account_id) & (hashes.c.resource == claim.resource)
        query = select(hashes.c.remote_id, hashes.c.hash).where(of_claim).order_by(hashes.c.remote_id).limit(AT_A_TIME)
        found: dict[str, bytes] = {}
        last = ""
        async with reading(self._engine) as connection:
            while True:
                rows = (await connection.execute(query.where(hashes.c.remote_id > last))).all()
                found.update((row.remote_id, row.hash) for row in rows)
                if len(rows) < AT_A_TIME:
                    return found
                last = rows[-1].remote_id

    async def apply(self, claim: WatchClaim, revision: int, batch: Batch) -> bool:
        """Stores a batch in one transaction. Returns False if the claim is stale or the account has changed."""
        of_claim = (hashes.c.account_id == claim.account_id) & (hashes.c.resource == claim.resource)
        gone = [*batch.drop, *batch.put]
        row = {"account_id": claim.account_id, "resource": claim.resource}
        same = select(accounts.c.id).where(accounts.c.id == claim.account_id, accounts.c.revision == revision).exists()
        async with writing(self._engine) as connection:
            # This write locks the row, so that no other worker claims the watch before the transaction ends.
            held = update(table).where(_mine(claim), same).values(lease=claim.lease)
            if (await connection.execute(held)).rowcount != 1:
                return False
            await connection.execute(delete(hashes).where(of_claim, hashes.c.remote_id.in_(gone)))
            if batch.put:
                rows = [{**row, "remote_id": remote_id, "hash": value} for remote_id, value in batch.put.items()]
                await connection.execute(insert(hashes), rows)
            await self._outbox.enqueue(connection, batch.events)
        return True

    async def settle(self, claim: WatchClaim, state: WatchState, then: NextRun) -> None:
        """Ends a claim. A watch that was hastened meanwhile is due at the earlier moment."""
        hastened = table.c.due_at < bindparam("until", claim.until, UtcDateTime)
        values = {
            "rights": state.version.rights,
            "mapping": state.version.mapping,
            "reading": state.digest,
            "held": state.unconfirmed,
            "failures": then.failures,
            "rest_until": then.rest_until,
            "due_at": case((hastened, table.c.due_at), else_=bindparam("due", then.due, UtcDateTime)),
        }
        async with writing(self._engine) as connection:
            await connection.execute(update(table).where(_mine(claim)).values(values))

    async def hasten(self, account_id: str, resources: frozenset[str], at: datetime) -> None:
        """Makes watches due at a moment, unless they are due before."""
        later = (table.c.account_id == account_id) & table.c.resource.in_(resources) & (table.c.due_at > at)
        async with reading(self._engine) as connection:
            if (await connection.execute(select(table.c.lease).where(later).limit(1))).first() is None:
                return
        async with writing(self._engine) as connection:
            await connection.execute(update(table).where(later).values(due_at=at))

    async def delete_of_account(self, connection: AsyncConnection, account: Account) -> None:
        """Deletes the watches of an account with their hashes."""
        await connection.execute(delete(table).where(table.c.account_id == account.id))

    def _making(self, resource: str, projects: Sequence[str], now: datetime) -> Insert:
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        there = select(table.c.account_id).where(table.c.account_id == accounts.c.id, table.c.resource == resource)
        new = select(
            accounts.c.id,
            literal(resource),
            literal(0, Integer),
            bindparam("due", now, UtcDateTime),
            bindparam("rest", now, UtcDateTime),
            literal(0, Integer),
            literal(""),
            literal(""),
            literal(""),
            false(),
        ).where(accounts.c.project_id.in_(projects), ~there.exists())
        making: Insert = dialect.insert(table).from_select([column.name for column in table.c], new)
        return making.on_conflict_do_nothing()


async def _spread_new(connection: AsyncConnection, now: datetime, within: float) -> None:
    new = (table.c.due_at == now) & (table.c.lease == 0)
    rows = (await connection.execute(select(table.c.account_id, table.c.resource).where(new))).all()
    seconds = int(min(within, len(rows) / NEW_A_SECOND))
    if not seconds:
        return
    places = []
    for row in rows:
        place = crc32(f"{row.account_id}{row.resource}".encode()) % seconds
        places.append({"of": row.account_id, "list": row.resource, "at": now + timedelta(seconds=place)})
    mine = (table.c.account_id == bindparam("of")) & (table.c.resource == bindparam("list"))
    await connection.execute(update(table).where(mine).values(due_at=bindparam("at", type_=UtcDateTime)), places)


def _accounts_of(projects: Sequence[str]) -> ColumnElement[str]:
    return select(accounts.c.id).where(accounts.c.project_id.in_(projects)).scalar_subquery()


def _mine(claim: WatchClaim) -> ColumnElement[bool]:
    return (
        (table.c.account_id == claim.account_id) & (table.c.resource == claim.resource) & (table.c.lease == claim.lease)
    )
