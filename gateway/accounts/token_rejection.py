"""What a vendor's 401 to a call means: it is believed only when the vendor's own check of the token says so too.

A single endpoint, a proxy before the vendor or a moment's fault may answer 401 to a token that is good.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.connector import Connector
from gateway.accounts.verification import ended, has_ended
from gateway.cache.singleflight import SingleFlight
from gateway.errors import AccountUnavailable, GatewayError, ProviderError, RateLimited, VendorFailure
from gateway.model import AT_A_CALL, Account, Accounts, Linked, Status, StatusReason, Upstream
from gateway.upstream.flow import judge_token

INVALID_CREDENTIALS = "AccountInvalidCredentialsError"
PATIENCE = 10.0
"""Seconds that the vendor has for the check: somebody waits for it."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Whether the vendor takes the token; None with `why` where that cannot be found out now."""

    taken: bool | None
    why: str = ""
    retry_after: int | None = None


class TokenRejections:
    """Asks the vendor about a token that it has refused at a call. Many calls of one account share one check."""

    def __init__(
        self, accounts: Accounts, upstream: Upstream, clock: Callable[[], datetime], patience: float = PATIENCE
    ) -> None:
        self._accounts = accounts
        self._upstream = upstream
        self._clock = clock
        self._patience = patience
        self._flights = SingleFlight()

    async def explain(self, linked: Linked, connector: Connector, said: Sequence[ProviderError] = ()) -> GatewayError:
        """Give what to raise for a 401. An account whose token is refused twice is in error afterwards."""
        account = linked.account
        # A re-link makes another revision: what is found out of the older token says nothing of the newer one.
        flight = (account.id, account.revision)
        verdict, _ = await self._flights.share(flight, lambda: self._judge(linked, connector))
        name = connector.name
        if verdict.taken is False:
            reason = _refused(account, connector, self._clock())
            return AccountUnavailable(reason.description, code=INVALID_CREDENTIALS, provider_errors=said)
        if verdict.taken:
            return VendorFailure(
                f"{name} refused this call (401) although it accepts the token: try again.", provider_errors=said
            )
        return VendorFailure(
            f"{name} refused this call (401), and whether it still accepts the token cannot be found out now: "
            f"{verdict.why} Try again later.",
            provider_errors=said,
            retry_after=verdict.retry_after,
        )

    async def _judge(self, linked: Linked, connector: Connector) -> _Verdict:
        verdict = await self._ask(linked, connector)
        if verdict.taken is False:
            account, now = linked.account, self._clock()
            status = Status.EXPIRED if has_ended(account, now) else Status.ERROR
            reason = _refused(account, connector, now)
            # The next call need not find out again.
            await self._accounts.mark(account.id, status, reason, by=AT_A_CALL, revision=account.revision)
        return verdict

    async def _ask(self, linked: Linked, connector: Connector) -> _Verdict:
        try:
            async with asyncio.timeout(self._patience):
                taken = await judge_token(
                    connector.check_token(), connector, linked.credential, self._upstream, self._clock
                )
        except TimeoutError:
            return _Verdict(None, f"it did not answer within {self._patience:g} seconds.")
        except (RateLimited, VendorFailure) as error:
            return _Verdict(None, error.message.rstrip(".") + ".", error.retry_after)
        return _Verdict(taken, "" if taken is not None else "it answers no question about it.")


def _refused(account: Account, connector: Connector, now: datetime) -> StatusReason:
    if has_ended(account, now):
        return ended(now)
    return StatusReason(
        "invalid_credentials",
        f"{connector.name} refused the account's token (401): it was revoked or has expired. Link the account "
        "again with a new token, or verify it once the token works again.",
        now,
    )
