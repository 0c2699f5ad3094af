"""What is due for an account that nobody is asking about: a pure decision, from what is known of it.

A token may be revoked, its scopes changed, or an account may work again, and no call shows it. So each account is
looked at from time to time, the vendor is asked where that tells something new, and what it says is kept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias
from zlib import crc32

from gateway.accounts.usage import Usage
from gateway.auth.authentication import CONNECTOR_REMOVED
from gateway.model import Account, Status, StatusReason

NO_CONNECTOR = "connector_removed"
TOKEN_ENDED = "token_ended"  # noqa: S105 - the code of a reason
FIRST_WAIT = 60.0
LONGEST_WAIT = 6 * 3600.0
_LEFT_ALONE = frozenset({Status.SUSPENDED, Status.ARCHIVED})
_UNUSABLE = frozenset({Status.ERROR, Status.EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """After how many seconds a vendor is asked about a token again.

    `idle` after it was last seen to work, `used` after the last time it was asked about one that is in use, and
    `failed` at most about one that was found not to work: after a minute at first, then twice as late each time.
    """

    idle: float
    used: float
    failed: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done before a moment."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Verify:
    """The vendor is to be asked."""


@dataclass(frozen=True, slots=True)
class Enter:
    """The account is to be given another state, for which nobody need be asked."""

    status: Status
    reason: StatusReason


Decision: TypeAlias = Wait | Verify | Enter


def decide(account: Account, usage: Usage, now: datetime, intervals: Intervals, *, has_connector: bool) -> Decision:
    """Decide what is due. `has_connector` says whether this gateway knows the account's provider."""
    later = Wait(now + _share(account, intervals.failed))
    if account.status in _LEFT_ALONE:
        return later
    if not has_connector:
        return later if account.status is Status.INACTIVE else Enter(Status.INACTIVE, removed(now))
    if account.status is Status.INACTIVE:
        return Verify()
    if has_ended(account, now) and account.status is Status.ACTIVE:
        return Enter(Status.EXPIRED, ended(now))
    due = _due(account, usage, intervals)
    if due <= now:
        return Verify()
    end = account.grant.ends_at if account.status is Status.ACTIVE else None
    return Wait(min(due, end) if end else due)


def has_ended(account: Account, now: datetime) -> bool:
    return account.grant.ends_at is not None and account.grant.ends_at <= now


def ended(now: datetime) -> StatusReason:
    return StatusReason(TOKEN_ENDED, "The time for which the provider gave access has ended: link it again.", now)


def removed(now: datetime) -> StatusReason:
    return StatusReason(NO_CONNECTOR, CONNECTOR_REMOVED, now)


def wait_after_failure(failures: int, retry_after: float | None) -> float:
    """Give how long to wait, in seconds, after the vendor told nothing for so many times in a row."""
    grown: float = FIRST_WAIT * 2 ** min(failures - 1, 16)
    return max(min(grown, LONGEST_WAIT), retry_after or 0)


def _due(account: Account, usage: Usage, intervals: Intervals) -> datetime:
    asked = usage.verified_at or account.created_at
    if account.status in _UNUSABLE:
        since = _unusable_since(account)
        tried = max(asked - since, timedelta(0))
        return max(asked, since) + min(tried + timedelta(seconds=FIRST_WAIT), _share(account, intervals.failed))
    worked = max(asked, usage.proven_at or asked)
    return min(worked + _share(account, intervals.idle), asked + _share(account, intervals.used))


def _unusable_since(account: Account) -> datetime:
    """Give when it was found not to work; a later change of something else, such as its label, is not that."""
    return max((reason.timestamp for reason in account.status_reasons), default=account.updated_at)


def _share(account: Account, seconds: float) -> timedelta:
    """Spread accounts that were linked together over the last tenth of an interval, each always in the same place."""
    return timedelta(seconds=seconds * (0.9 + 0.1 * (crc32(account.id.encode()) % 1000) / 1000))
