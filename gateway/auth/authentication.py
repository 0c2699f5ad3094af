"""Admission, the first steps of every call: who calls, for which linked account, may they, is the account active."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.contract import Operation
from gateway.errors import AccountUnavailable, BadRequest, Forbidden, GatewayError, NotFound, Unauthenticated
from gateway.model import Account, Accounts, ClientKey, LinkedAccount, Status
from gateway.policy.policy import Denial, Operator, admit
from gateway.policy.provider import Provider

CONNECTOR_REMOVED = "This gateway no longer has a connector for the account's provider."


@dataclass(frozen=True, slots=True)
class Caller:
    """The API key of a call, the linked account that it names, and that account's provider."""

    key: ClientKey
    linked: LinkedAccount
    provider: Provider


class Authenticator:
    """Finds the API key, the linked account and its provider, or raises the error to answer with."""

    def __init__(self, accounts: Accounts, providers: Mapping[str, Provider]) -> None:
        self.accounts = accounts
        self.providers = providers

    async def admit(self, secret: str | None, account_id: str | None, operation: Operation) -> Caller:
        """Returns the caller of an operation on a linked account, once the key may call it and the account is active.

        Raises `Unauthenticated`, `BadRequest`, `NotFound`, `Forbidden` or `AccountUnavailable`, in this order.
        """
        caller = await self.find_caller(secret, account_id)
        account = caller.linked.account
        with about(account):
            denied = caller.provider.policy.admit_key(operation, caller.key.scopes)
            if denied:
                raise forbidden(denied)
            must_be_active(account, caller.provider.connector.name)
        return caller

    async def admit_key(self, secret: str | None, operation: Operation, operator: Operator) -> ClientKey:
        """Returns the key of a call that is about no linked account, once the key may call the operation.

        Raises `Unauthenticated` or `Forbidden`.
        """
        key = await self.authenticate(secret)
        denied = admit(operation, key.scopes, operator)
        if denied:
            raise forbidden(denied)
        return key

    async def find_caller(self, secret: str | None, account_id: str | None) -> Caller:
        """Returns the caller, of whom nothing is known yet but the key and the account.

        Raises `Unauthenticated`, `BadRequest`, `NotFound` or `AccountUnavailable`.
        """
        key = await self.authenticate(secret)
        linked, provider = await self.find_account(key, account_id)
        return Caller(key, linked, provider)

    async def authenticate(self, secret: str | None) -> ClientKey:
        """Returns the key with this secret. Raises `Unauthenticated`."""
        key = await self.accounts.find_key(secret) if secret else None
        if key is None:
            raise Unauthenticated(
                "The API key is missing or not valid. Send it as the user name of HTTP Basic authentication, "
                "with an empty password."
            )
        return key

    def is_current(self, key: ClientKey, linked: LinkedAccount) -> bool:
        """Returns whether the same key and account would be found again, from memory alone."""
        return self.accounts.is_current(key, linked)

    async def find_account(self, key: ClientKey, account_id: str | None) -> tuple[LinkedAccount, Provider]:
        """Returns an account of the key's project. Raises `BadRequest`, `NotFound` or `AccountUnavailable`."""
        if not account_id:
            raise BadRequest("The header x-account-id is missing: it names the linked account to ask.")
        linked = await self.accounts.find_account(key.project_id, account_id)
        if linked is None:
            raise NotFound(
                "There is no such linked account in the project of this API key.", code="AccountNotFoundError"
            )
        provider = self.providers.get(linked.account.provider)
        if provider is None:
            raise AccountUnavailable(f"The linked account is {Status.INACTIVE}. {CONNECTOR_REMOVED}")
        return linked, provider


@contextmanager
def about(account: Account) -> Iterator[None]:
    """Puts the account's id on every error raised within. The account exists, so its id may stand in a log."""
    try:
        yield
    except GatewayError as error:
        error.account_id = account.id
        raise


def must_be_active(account: Account, provider_name: str) -> None:
    """Raises `AccountUnavailable` for an account that is not active, with the account's own reasons."""
    if account.status is Status.ACTIVE:
        return
    why = " ".join(reason.description for reason in account.status_reasons)
    advice = {
        Status.ERROR: f"Link it again with a working {provider_name} token, or verify it.",
        Status.SUSPENDED: "Resume it to go on.",
    }.get(account.status, "It must be linked again.")
    raise AccountUnavailable(f"The linked account is {account.status}. {why or advice}")


def forbidden(denied: Denial) -> Forbidden:
    """Returns the error for a denial, with its reason."""
    return Forbidden(denied.message, errors=[f"missing scope: {denied.missing}"] if denied.missing else ())
