"""Counts and times of an account's calls and verifications, in a table beside the accounts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Row, String, bindparam, case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.accounts.sealed_rows import AccountRows, select_accounts
from gateway.accounts.usage import Due, Usage, UsageCounts
from gateway.db.engine import reading, writing
from gateway.db.schema import account_usage as table
from gateway.db.schema import accounts


class UsageStore:
    """Each account has a row from when it is linked until it is unlinked."""

    def __init__(self, engine: AsyncEngine, rows: AccountRows) -> None:
        self._engine = engine
        self._rows = rows

    async def begin(self, connection: AsyncConnection, account_id: str, now: datetime) -> None:
        """Inserts the row of a new account, whose token has just been verified, in the caller's transaction."""
        row = {"account_id": account_id, "check_at": now, "verified_at": now}
        await connection.execute(insert(table).values(**row, failures=0, hits=0, misses=0, errors=0))

    async def verified(self, connection: AsyncConnection, account_id: str, now: datetime) -> None:
        """Notes that the vendor was asked about the token. The account is due, so that the next time is decided."""
        of_account = table.c.account_id == account_id
        await connection.execute(update(table).where(of_account).values(verified_at=now, check_at=now, failures=0))

    async def look_again(self, connection: AsyncConnection, account_id: str, now: datetime) -> None:
        """Makes an account due, in the transaction that changes its status."""
        change = update(table).where(table.c.account_id == account_id).values(check_at=now, failures=0)
        await connection.execute(change)

    async def claim(self, now: datetime, until: datetime) -> Due | None:
        """Leases the account that has been due for longest: no other worker gets it before `until`."""
        due = (
            select(table.c.account_id)
            .where(table.c.check_at <= now)
            .order_by(table.c.check_at)
            .limit(1)
            # On PostgreSQL; SQLite lets one transaction write at a time.
            .with_for_update(skip_locked=True)
        )
        async with writing(self._engine) as connection:
            taken = (await connection.execute(due)).scalar_one_or_none()
            if taken is None:
                return None
            await connection.execute(update(table).where(table.c.account_id == taken).values(check_at=until))
            both = select_accounts().join(table, table.c.account_id == accounts.c.id).add_columns(*_COLUMNS)
            row = (await connection.execute(both.where(accounts.c.id == taken))).one()
        return Due(self._rows.read(row), _read(row))

    async def schedule(self, account_id: str, at: datetime, failures: int) -> None:
        """Sets when an account is due next, and how many checks in a row have failed."""
        change = update(table).where(table.c.account_id == account_id).values(check_at=at, failures=failures)
        async with writing(self._engine) as connection:
            await connection.execute(change)

    async def add(self, tallies: Mapping[str, UsageCounts], at: datetime) -> None:
        """Adds counts by account id, in one statement. Accounts that were unlinked meanwhile are ignored."""
        # All processes use the same order, so that two of them cannot wait for each other.
        rows = [
            {
                "of": account_id,
                "more_hits": tally.hits,
                "more_misses": tally.misses,
                "more_errors": tally.errors,
                "now": at,
                "proven": tally.proven,
                "code": tally.error_code,
            }
            for account_id, tally in sorted(tallies.items())
        ]
        if not rows:
            return
        async with writing(self._engine) as connection:
            await connection.execute(_ADD, rows)

    async def read(self, account_ids: Sequence[str]) -> Mapping[str, Usage]:
        """Returns the usage by account id."""
        query = select(*_COLUMNS, table.c.account_id).where(table.c.account_id.in_(account_ids))
        async with reading(self._engine) as connection:
            return {row.account_id: _read(row) for row in (await connection.execute(query)).all()}


_COLUMNS: list[Any] = [column for column in table.c if column.name != "account_id"]


_NOW = bindparam("now", type_=table.c.called_at.type)
_PROVEN = bindparam("proven", type_=Boolean)
_CODE = bindparam("code", type_=String)
_FAILED = bindparam("more_errors", type_=BigInteger) > 0

_ADD = (
    update(table)
    .where(table.c.account_id == bindparam("of"))
    .values(
        hits=table.c.hits + bindparam("more_hits"),
        misses=table.c.misses + bindparam("more_misses"),
        errors=table.c.errors + bindparam("more_errors"),
        called_at=_NOW,
        proven_at=case((_PROVEN, _NOW), else_=table.c.proven_at),
        error_at=case((_FAILED, _NOW), else_=table.c.error_at),
        error_code=case((_FAILED, _CODE), else_=table.c.error_code),
    )
)


def _read(row: Row[*tuple[Any, ...]]) -> Usage:
    return Usage(**{column.name: getattr(row, column.name) for column in _COLUMNS})
