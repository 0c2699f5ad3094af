"""Who asks, and for which linked account: the first steps of every call, whatever it is about."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from gateway.errors import AccountUnavailable, BadRequest, Forbidden, GatewayError, NotFound, Unauthenticated
from gateway.model import Account, Accounts, ClientKey, Linked, Status
from gateway.policy.policy import Denied
from gateway.policy.provider import Provider

CONNECTOR_REMOVED = "This gateway no longer has a connector for the account's provider."


class Authenticator:
    """Finds the key, the account and its provider, or raises what to answer instead."""

    def __init__(self, accounts: Accounts, providers: Mapping[str, Provider]) -> None:
        self.accounts = accounts
        self.providers = providers

    async def authenticate(self, secret: str | None) -> ClientKey:
        key = await self.accounts.find_key(secret) if secret else None
        if key is None:
            raise Unauthenticated(
                "The API key is missing or not valid. Send it as the user name of HTTP Basic authentication, "
                "with an empty password."
            )
        return key

    def is_current(self, key: ClientKey, linked: Linked) -> bool:
        """Tell whether the same would be found again, without asking anybody."""
        return self.accounts.is_current(key, linked)

    async def find_account(self, key: ClientKey, account_id: str | None) -> tuple[Linked, Provider]:
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
    """Name the account in every error that is raised within: it is there, so its id may stand in a log."""
    try:
        yield
    except GatewayError as error:
        error.account_id = account.id
        raise


def must_be_active(account: Account, provider_name: str) -> None:
    """Raise for an account that is not active, with its own reasons."""
    if account.status is Status.ACTIVE:
        return
    why = " ".join(reason.description for reason in account.status_reasons)
    advice = {
        Status.ERROR: f"Link it again with a working {provider_name} token, or verify it.",
        Status.SUSPENDED: "Resume it to go on.",
    }.get(account.status, "It must be linked again.")
    raise AccountUnavailable(f"The linked account is {account.status}. {why or advice}")


def forbidden(denied: Denied) -> Forbidden:
    """Make the error for a denial, with its reason."""
    return Forbidden(denied.message, errors=[f"missing scope: {denied.missing}"] if denied.missing else ())
