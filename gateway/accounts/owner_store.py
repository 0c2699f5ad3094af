"""Who owns an account, as its name goes: personal, so it is sealed by the account's data key, beside the credential.

The owner's id is the product's own and stays readable: accounts are found by it.
"""

from typing import Any

import orjson
from sqlalchemy import Row, Select, select

from gateway.accounts.rows import read_account
from gateway.db.schema import accounts, credentials
from gateway.errors import StoreUnavailable
from gateway.model import Account, Cipher, Owner, Unsealable
from gateway.vault.vault import Vault, WrappedKey

CONTEXT = b"owner"
KEY = (credentials.c.master_key_id, credentials.c.wrapped_key, credentials.c.owner_sealed)


def select_accounts() -> Select[*tuple[Any, ...]]:
    """Returns a query of accounts, with what opens their owners' names."""
    return select(accounts, *KEY).join(credentials, credentials.c.account_id == accounts.c.id)


def seal_owner(cipher: Cipher, owner: Owner) -> bytes:
    return cipher.seal(orjson.dumps([owner.name, owner.username]), CONTEXT)


class AccountReader:
    """Reads rows of `select_accounts`."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def read(self, row: Row[Any], cipher: Cipher | None = None) -> Account:
        """Returns the account. Where its data key cannot be opened any more, the owner has no name.

        `cipher` is that of the account, from those who have unwrapped its data key already.
        """
        return read_account(row, self._owner(row, cipher))

    def _owner(self, row: Row[Any], cipher: Cipher | None) -> Owner:
        try:
            cipher = cipher or self._vault.unwrap(row.id, WrappedKey(row.master_key_id, row.wrapped_key))
            name, username = orjson.loads(cipher.open(row.owner_sealed, CONTEXT))
        except (Unsealable, StoreUnavailable):
            # StoreUnavailable: a master key that we do not have wraps it. One such row must not close a list.
            return Owner(id=row.owner_id, name="")
        return Owner(id=row.owner_id, name=name, username=username)
