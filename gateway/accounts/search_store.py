"""The accounts of all projects, as an operator looks for them: counted and paged by the database.

The owner's name is sealed, so a search for a text opens the names of all accounts that it may be about: some 20 ms for
a thousand of them, in a thread beside the requests.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.accounts.owner_store import AccountReader, select_accounts
from gateway.accounts.search import Search
from gateway.db.engine import reading
from gateway.db.schema import accounts
from gateway.model import Account, Status


class AccountSearchStore:
    """Implements the door `Register`."""

    def __init__(self, engine: AsyncEngine, reader: AccountReader) -> None:
        self._engine = engine
        self._reader = reader

    async def search(self, search: Search) -> Sequence[Account]:
        query = _narrowed(select_accounts(), search)
        if search.status is not None:
            query = query.where(accounts.c.status == search.status.value)
        query = query.order_by(accounts.c.created_at.desc(), accounts.c.id)
        if search.text:
            return (await self._with_text(query, search.text))[search.skip : search.skip + search.most]
        async with reading(self._engine) as connection:
            found = await connection.execute(query.offset(search.skip).limit(search.most))
            return [self._reader.read(row) for row in found.all()]

    async def count(self, search: Search) -> Mapping[Status, int]:
        if search.text:
            found = await self._with_text(_narrowed(select_accounts(), search), search.text)
            return Counter(account.status for account in found)
        query = _narrowed(select(accounts.c.status, func.count()), search).group_by(accounts.c.status)
        async with reading(self._engine) as connection:
            return {Status(status): number for status, number in (await connection.execute(query)).all()}

    async def find(self, account_id: str) -> Account | None:
        async with reading(self._engine) as connection:
            row = (await connection.execute(select_accounts().where(accounts.c.id == account_id))).one_or_none()
        return None if row is None else self._reader.read(row)

    async def _with_text(self, query: Select[*tuple[Any, ...]], text: str) -> list[Account]:
        async with reading(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return await asyncio.to_thread(self._matching, rows, text.casefold())

    def _matching(self, rows: Sequence[Row[Any]], text: str) -> list[Account]:
        return [account for account in map(self._reader.read, rows) if text in _words(account)]


def _words(account: Account) -> str:
    """Returns all that a text is looked for in; no text goes over a line's end."""
    return "\n".join((account.owner.name, account.owner.id, account.label or "", account.id)).casefold()


def _narrowed(query: Select[*tuple[Any, ...]], search: Search) -> Select[*tuple[Any, ...]]:
    if search.project_id is not None:
        query = query.where(accounts.c.project_id == search.project_id)
    if search.provider:
        query = query.where(accounts.c.provider == search.provider)
    return query
