"""Finds out what a vendor's 401 to a call means. The token counts as refused only if the vendor's check refuses it too.

A single endpoint, a proxy in front of the vendor or a brief fault may answer 401 to a valid token.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.connector import Connector
from gateway.accounts.verification import ended, has_ended
from gateway.cache.singleflight import SingleFlight
from gateway.errors import AccountUnavailable, GatewayError, ProviderError, RateLimited, VendorFailure
from gateway.model import AT_A_CALL, Account, Accounts, LinkedAccount, Status, StatusReason, Upstream
from gateway.upstream.flow import judge_token

INVALID_CREDENTIALS = "AccountInvalidCredentialsError"
CHECK_SECONDS = 10.0
"""How long the vendor's check may take: a caller is waiting."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Whether the vendor accepts the token; None, with `why`, if that cannot be found out now."""

    accepted: bool | None
    why: str = ""
    retry_after: int | None = None


class TokenRejections:
    """Asks the vendor about a token that it refused in a call. All calls of one account share one check."""

    def __init__(
        self,
        accounts: Accounts,
        upstream: Upstream,
        clock: Callable[[], datetime],
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._accounts = accounts
        self._upstream = upstream
        self._clock = clock
        self._check_seconds = check_seconds
        self._single_flight = SingleFlight()

    async def explain(
        self, linked: LinkedAccount, connector: Connector, said: Sequence[ProviderError] = ()
    ) -> GatewayError:
        """Returns the error to raise for a 401. An account whose token the check refuses too is in error afterwards."""
        account = linked.account
        # Linking again makes another revision: the result for the older token says nothing about the newer one.
        key = (account.id, account.revision)
        verdict, _ = await self._single_flight.share(key, lambda: self._check(linked, connector))
        name = connector.name
        if verdict.accepted is False:
            reason = _refused(account, connector, self._clock())
            return AccountUnavailable(reason.description, code=INVALID_CREDENTIALS, provider_errors=said)
        if verdict.accepted:
            return VendorFailure(
                f"{name} refused this call (401) although it accepts the token: try again.", provider_errors=said
            )
        return VendorFailure(
            f"{name} refused this call (401), and whether it still accepts the token cannot be found out now: "
            f"{verdict.why} Try again later.",
            provider_errors=said,
            retry_after=verdict.retry_after,
        )

    async def _check(self, linked: LinkedAccount, connector: Connector) -> _Verdict:
        verdict = await self._ask_vendor(linked, connector)
        if verdict.accepted is False:
            account, now = linked.account, self._clock()
            status = Status.EXPIRED if has_ended(account, now) else Status.ERROR
            reason = _refused(account, connector, now)
            # So the next call is refused without asking the vendor again.
            await self._accounts.mark(account.id, status, reason, by=AT_A_CALL, revision=account.revision)
        return verdict

    async def _ask_vendor(self, linked: LinkedAccount, connector: Connector) -> _Verdict:
        try:
            async with asyncio.timeout(self._check_seconds):
                accepted = await judge_token(
                    connector.check_token(), connector, linked.credential, self._upstream, self._clock
                )
        except TimeoutError:
            return _Verdict(None, f"it did not answer within {self._check_seconds:g} seconds.")
        except (RateLimited, VendorFailure) as error:
            return _Verdict(None, error.message.rstrip(".") + ".", error.retry_after)
        return _Verdict(accepted, "" if accepted is not None else "it answers no question about it.")


def _refused(account: Account, connector: Connector, now: datetime) -> StatusReason:
    if has_ended(account, now):
        return ended(now)
    return StatusReason(
        "invalid_credentials",
        f"{connector.name} refused the account's token (401): it was revoked or has expired. Link the account "
        "again with a new token, or verify it once the token works again.",
        now,
    )
