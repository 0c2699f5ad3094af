"""Searches the accounts of all projects, for the operator.

Owners' names are sealed, so a search for a text opens the names of all accounts that match the rest of the search. That
takes some 20 ms for a thousand accounts, and runs in a thread so that requests do not wait for it.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.accounts.sealed_rows import AccountRows, select_accounts
from gateway.accounts.search import Search
from gateway.db.engine import reading
from gateway.db.schema import accounts
from gateway.model import Account, Status


class AccountSearchStore:
    def __init__(self, engine: AsyncEngine, rows: AccountRows) -> None:
        self._engine = engine
        self._rows = rows

    async def search(self, search: Search) -> Sequence[Account]:
        """Returns a page of the accounts that match, latest first."""
        query = _filtered(select_accounts(), search)
        if search.status is not None:
            query = query.where(accounts.c.status == search.status.value)
        query = query.order_by(accounts.c.created_at.desc(), accounts.c.id)
        if search.text:
            return (await self._with_text(query, search.text))[search.skip : search.skip + search.most]
        async with reading(self._engine) as connection:
            found = await connection.execute(query.offset(search.skip).limit(search.most))
            return [self._rows.read(row) for row in found.all()]

    async def count(self, search: Search) -> Mapping[Status, int]:
        """Counts the accounts that match, of any status, by status."""
        if search.text:
            found = await self._with_text(_filtered(select_accounts(), search), search.text)
            return Counter(account.status for account in found)
        query = _filtered(select(accounts.c.status, func.count()), search).group_by(accounts.c.status)
        async with reading(self._engine) as connection:
            return {Status(status): number for status, number in (await connection.execute(query)).all()}

    async def _with_text(self, query: Select[*tuple[Any, ...]], text: str) -> list[Account]:
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return await asyncio.to_thread(self._matching, rows, text.casefold())

    def _matching(self, rows: Sequence[Row[Any]], text: str) -> list[Account]:
        return [account for account in map(self._rows.read, rows) if text in _searched(account)]


def _searched(account: Account) -> str:
    """Returns the texts that are searched, one a line, so that no match spans two of them."""
    return "\n".join((account.owner.name, account.owner.id, account.label or "", account.id)).casefold()


def _filtered(query: Select[*tuple[Any, ...]], search: Search) -> Select[*tuple[Any, ...]]:
    if search.project_id is not None:
        query = query.where(accounts.c.project_id == search.project_id)
    if search.provider:
        query = query.where(accounts.c.provider == search.provider)
    return query
