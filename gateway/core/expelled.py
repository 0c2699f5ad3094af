"""What happens when a vendor no longer knows an account's token."""

from collections.abc import Sequence
from datetime import datetime

from connectors.connector import Connector
from gateway.core.actor import AT_A_CALL
from gateway.core.checkup import ended, has_ended
from gateway.core.errors import AccountUnavailable, ProviderError
from gateway.core.model import Account, Accounts, Status, StatusReason

INVALID_CREDENTIALS = "AccountInvalidCredentialsError"


async def expelled(
    accounts: Accounts, account: Account, connector: Connector, now: datetime, said: Sequence[ProviderError] = ()
) -> AccountUnavailable:
    """Put the account into error, so that the next call need not find out again, and give what to raise."""
    reason = StatusReason(
        "invalid_credentials",
        f"{connector.name} refused the account's token (401): it was revoked or has expired. Link the account "
        "again with a new token, or verify it once the token works again.",
        now,
    )
    over = has_ended(account, now)
    status, reason = (Status.EXPIRED, ended(now)) if over else (Status.ERROR, reason)
    await accounts.mark(account.id, status, reason, by=AT_A_CALL, revision=account.revision)
    return AccountUnavailable(reason.description, code=INVALID_CREDENTIALS, provider_errors=said)
