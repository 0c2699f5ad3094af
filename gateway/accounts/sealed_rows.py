"""Seals the credential of an account and its owner's names with the account's data key, and reads rows back.

The owner's id is the product's own and stays in clear text, because accounts are found by it.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.accounts.rows import read_account, write_account
from gateway.db.schema import accounts, credentials, projects
from gateway.errors import Conflict, StoreUnavailable
from gateway.model import Account, Cipher, LinkedAccount, Owner, OwnerLinked, Secret, Unsealable
from gateway.vault.vault import Vault, WrappedKey

CREDENTIAL = b"credential"
OWNER = b"owner"
"""Contexts that are bound into the sealed bytes, so that one cannot be used in the place of the other."""

_KEY = (credentials.c.master_key_id, credentials.c.wrapped_key, credentials.c.owner_sealed)


def select_accounts() -> Select[*tuple[Any, ...]]:
    """Returns a query of accounts, with the columns that `AccountRows.read` needs."""
    return select(accounts, *_KEY).join(credentials, credentials.c.account_id == accounts.c.id)


def select_linked() -> Select[*tuple[Any, ...]]:
    """Returns a query of accounts, with the columns that `AccountRows.read_linked` needs."""
    return select_accounts().add_columns(credentials.c.sealed)


def of_owner(project_id: str, provider: str, owner_id: str) -> ColumnElement[bool]:
    return (accounts.c.project_id == project_id) & (accounts.c.provider == provider) & (accounts.c.owner_id == owner_id)


class AccountRows:
    """Writes and reads the rows of an account in `accounts` and `credentials`, within the caller's transaction."""

    def __init__(self, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._vault = vault
        self._clock = clock

    def read(self, row: Row[Any]) -> Account:
        """Returns the account of a row of `select_accounts`; its owner has no name if the data key cannot be opened."""
        try:
            return _read(row, self._unwrap(row.id, row))
        except (Unsealable, StoreUnavailable):
            # StoreUnavailable: wrapped by a master key that is not set. One such row must not make a list fail.
            return read_account(row, Owner(id=row.owner_id, name=""))

    def read_linked(self, row: Row[Any]) -> LinkedAccount:
        """Returns the account of a row of `select_linked` with its credential. Raises `StoreUnavailable`."""
        try:
            cipher = self._unwrap(row.id, row)
            credential = Secret(cipher.open(row.sealed, CREDENTIAL).decode())
            return LinkedAccount(_read(row, cipher), credential, cipher)
        except Unsealable as error:
            raise StoreUnavailable(f"the credential of account {row.id} is damaged: link the account again") from error

    async def lock(self, connection: AsyncConnection, which: ColumnElement[bool]) -> Account | None:
        """Returns an account, which no other transaction can change until this one ends."""
        row = (await connection.execute(select_accounts().where(which).with_for_update(of=accounts))).one_or_none()
        return None if row is None else self.read(row)

    async def insert(self, connection: AsyncConnection, account: Account, credential: Secret) -> None:
        await connection.execute(insert(accounts).values(write_account(account)))
        row = self.sealed(account, credential.reveal.encode())
        await connection.execute(insert(credentials).values(row))

    async def replace(self, connection: AsyncConnection, account: Account, credential: Secret | None = None) -> None:
        """Writes an account if it has the revision before, else raises `Conflict`.

        A credential is sealed with a new data key. Without one, credential and data key stay.
        """
        unchanged = (
            (accounts.c.id == account.id)
            & (accounts.c.project_id == account.project_id)
            & (accounts.c.revision == account.revision - 1)
        )
        if (await connection.execute(update(accounts).where(unchanged).values(write_account(account)))).rowcount != 1:
            raise Conflict("the account was changed or unlinked at the same time: look at it and try again")
        if credential is not None:
            await self._write(connection, account, self.sealed(account, credential.reveal.encode()))
            return
        row = await _credential_row(connection, account)
        # With a damaged data key nothing of the account can be used, and the names stay as they are.
        with suppress(Unsealable):
            sealed = _seal_owner(self._unwrap(account.id, row), account.owner)
            await self._write(connection, account, {"owner_sealed": sealed})

    async def change_data_key(self, connection: AsyncConnection, account: Account) -> None:
        """Seals the credential with a new data key, so that what the old key sealed elsewhere cannot be opened."""
        row = await _credential_row(connection, account)
        # What a damaged key has sealed cannot be opened anyway.
        with suppress(Unsealable):
            credential = self._unwrap(account.id, row).open(row.sealed, CREDENTIAL)
            await self._write(connection, account, self.sealed(account, credential))

    async def _write(self, connection: AsyncConnection, account: Account, values: dict[str, Any]) -> None:
        await connection.execute(update(credentials).where(credentials.c.account_id == account.id).values(values))

    def sealed(self, account: Account, credential: bytes) -> dict[str, Any]:
        """Returns a row of `credentials` with a new data key."""
        wrapped, cipher = self._vault.new_key(account.id)
        return {
            "account_id": account.id,
            "owner_sealed": _seal_owner(cipher, account.owner),
            "master_key_id": wrapped.master_key_id,
            "wrapped_key": wrapped.wrapped,
            "sealed": cipher.seal(credential, CREDENTIAL),
            "updated_at": self._clock(),
        }

    def _unwrap(self, account_id: str, row: Row[Any]) -> Cipher:
        return self._vault.unwrap(account_id, WrappedKey(row.master_key_id, row.wrapped_key))


async def must_be_alone(connection: AsyncConnection, account: Account) -> None:
    """Raises `OwnerLinked` if the owner has an account. Links of one project wait for each other's transactions."""
    of_project = projects.c.id == account.project_id
    # `key_share`: others may still write rows with a foreign key to the project. SQLite has one writer anyhow.
    await connection.execute(select(projects.c.id).where(of_project).with_for_update(key_share=True))
    mine = of_owner(account.project_id, account.provider, account.owner.id)
    if (await connection.execute(select(accounts.c.id).where(mine).limit(1))).first() is not None:
        raise OwnerLinked


async def _credential_row(connection: AsyncConnection, account: Account) -> Row[Any]:
    query = select(credentials).where(credentials.c.account_id == account.id).with_for_update()
    return (await connection.execute(query)).one()


def _read(row: Row[Any], cipher: Cipher) -> Account:
    name, username = orjson.loads(cipher.open(row.owner_sealed, OWNER))
    return read_account(row, Owner(id=row.owner_id, name=name, username=username))


def _seal_owner(cipher: Cipher, owner: Owner) -> bytes:
    return cipher.seal(orjson.dumps([owner.name, owner.username]), OWNER)
