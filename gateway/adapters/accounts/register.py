"""The accounts of all projects, as an operator looks for them: searched, counted and paged by the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.adapters.accounts.engine import reading
from gateway.adapters.accounts.rows import read_account
from gateway.adapters.accounts.schema import accounts
from gateway.core.model import Account, Status
from gateway.core.office import Search

_SEARCHED = (accounts.c.owner_name, accounts.c.owner_id, accounts.c.label, accounts.c.id)


class AccountRegister:
    """Implements the door `Register`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def search(self, search: Search) -> Sequence[Account]:
        query = _narrowed(select(accounts), search)
        if search.status is not None:
            query = query.where(accounts.c.status == search.status.value)
        query = query.order_by(accounts.c.created_at.desc(), accounts.c.id).offset(search.skip).limit(search.most)
        async with reading(self._engine) as connection:
            return [read_account(row) for row in (await connection.execute(query)).all()]

    async def count(self, search: Search) -> Mapping[Status, int]:
        query = _narrowed(select(accounts.c.status, func.count()), search).group_by(accounts.c.status)
        async with reading(self._engine) as connection:
            return {Status(status): number for status, number in (await connection.execute(query)).all()}

    async def find(self, account_id: str) -> Account | None:
        async with reading(self._engine) as connection:
            row = (await connection.execute(select(accounts).where(accounts.c.id == account_id))).one_or_none()
        return None if row is None else read_account(row)


def _narrowed(query: Select[*tuple[Any, ...]], search: Search) -> Select[*tuple[Any, ...]]:
    if search.project_id is not None:
        query = query.where(accounts.c.project_id == search.project_id)
    if search.provider:
        query = query.where(accounts.c.provider == search.provider)
    if search.text:
        query = query.where(or_(*(column.icontains(search.text, autoescape=True) for column in _SEARCHED)))
    return query
