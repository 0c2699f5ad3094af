"""Decides when the token of an account is verified next. A pure decision, from what the database knows.

A token may be revoked, its scopes may change, or an account may work again, and no call shows it. So the vendor is
asked about each token from time to time, and the result is stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from gateway.accounts.usage import Usage
from gateway.auth.authentication import CONNECTOR_REMOVED
from gateway.background import spread
from gateway.model import Account, Status, StatusReason

NO_CONNECTOR = "connector_removed"
TOKEN_ENDED = "token_ended"  # noqa: S105 - the code of a reason
FIRST_WAIT = 60.0
LONGEST_WAIT = 6 * 3600.0
_NOT_VERIFIED = frozenset({Status.SUSPENDED, Status.ARCHIVED})
_UNUSABLE = frozenset({Status.ERROR, Status.EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Seconds until a vendor is asked about a token again.

    `idle` counts from when the token was last seen to work. `used` counts from the last verification, for a token that
    calls use all the time. `failed` is the longest wait for a token that was refused: the first wait is a minute, and
    each further one is twice as long. All are the longest times; what is due together is spread over half of them.
    """

    idle: float
    used: float
    failed: float


@dataclass(frozen=True, slots=True)
class NothingDue:
    """Nothing is due before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class TokenCheckDue:
    """The vendor has to be asked about the token."""


@dataclass(frozen=True, slots=True)
class StatusDue:
    """The account gets another status, which follows without asking the vendor."""

    status: Status
    reason: StatusReason


Decision: TypeAlias = NothingDue | TokenCheckDue | StatusDue


def decide(account: Account, usage: Usage, now: datetime, intervals: Intervals, *, has_connector: bool) -> Decision:
    """Returns what is due. `has_connector` says whether this gateway knows the account's provider."""
    later = NothingDue(spread(account.id, now + timedelta(seconds=intervals.failed), intervals.failed))
    if account.status in _NOT_VERIFIED:
        return later
    if not has_connector:
        return later if account.status is Status.INACTIVE else StatusDue(Status.INACTIVE, removed(now))
    if account.status is Status.INACTIVE:
        return TokenCheckDue()
    if has_ended(account, now) and account.status is Status.ACTIVE:
        return StatusDue(Status.EXPIRED, ended(now))
    due = _due(account, usage, intervals)
    if due <= now:
        return TokenCheckDue()
    end = account.grant.ends_at if account.status is Status.ACTIVE else None
    return NothingDue(min(due, end) if end else due)


def has_ended(account: Account, now: datetime) -> bool:
    return account.grant.ends_at is not None and account.grant.ends_at <= now


def ended(now: datetime) -> StatusReason:
    return StatusReason(TOKEN_ENDED, "The time for which the provider gave access has ended: link it again.", now)


def removed(now: datetime) -> StatusReason:
    return StatusReason(NO_CONNECTOR, CONNECTOR_REMOVED, now)


def wait_after_failure(failures: int, retry_after: float | None) -> float:
    """Returns the seconds to wait after so many calls in a row without a clear answer of the vendor."""
    grown: float = FIRST_WAIT * 2 ** min(failures - 1, 16)
    return max(min(grown, LONGEST_WAIT), retry_after or 0)


def _due(account: Account, usage: Usage, intervals: Intervals) -> datetime:
    asked = usage.verified_at or account.created_at
    if account.status in _UNUSABLE:
        since = _unusable_since(account)
        tried = max(asked - since, timedelta(0))
        wait, longest = tried + timedelta(seconds=FIRST_WAIT), timedelta(seconds=intervals.failed)
        last = max(asked, since)
        return last + wait if wait < longest else spread(account.id, last + longest, intervals.failed)
    worked = max(asked, usage.proven_at or asked)
    return min(
        spread(account.id, last + timedelta(seconds=seconds), seconds)
        for last, seconds in ((worked, intervals.idle), (asked, intervals.used))
    )


def _unusable_since(account: Account) -> datetime:
    """Returns when the token was found not to work; a later change, such as of the label, does not count."""
    return max((reason.timestamp for reason in account.status_reasons), default=account.updated_at)
