"""What follows a change of an account: in the database within its transaction, and at the vendor outside of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.model import Account, LinkedAccount

InTransaction = Callable[[AsyncConnection, Account], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedData:
    """Changes of other tables, which run in the transaction that changes an account, in this order.

    `delete_of_company` runs when an account is linked to another company, `delete_of_account` before an account is
    deleted, and `follow_credential` after a credential was stored.
    """

    delete_of_company: Sequence[InTransaction] = ()
    delete_of_account: Sequence[InTransaction] = ()
    follow_credential: Sequence[InTransaction] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialListener:
    """Keeps something outside of the database in step with the credentials of accounts.

    `before_delete` is called before an account is deleted or linked to another company, with the credential that then
    is no more. `after_store` gets the account with its new credential, and as it was before.
    """

    before_delete: Callable[[LinkedAccount], Awaitable[None]]
    after_store: Callable[[LinkedAccount, LinkedAccount | None], Awaitable[None]]
