"""Whether a read is worth another try, and after how long. A pure decision; seconds everywhere."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil

TRANSIENT = frozenset({500, 502, 503, 504})
"""Statuses after which a read may go better; a write is never sent twice, and asks nobody here."""
DEFAULT_RETRY_AFTER = 60
"""What the contract says to answer when the vendor names no time."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `retries` further tries; a longer `Retry-After` than `longest_wait` is passed on instead."""

    retries: int
    longest_wait: float
    first_wait: float = 0.2


@dataclass(frozen=True, slots=True)
class Failure:
    """A try that failed: its HTTP status, or None when nothing came back; and what the vendor said of waiting."""

    status: int | None
    retry_after: float | None = None


def wait_before_retry(
    policy: RetryPolicy, tries: int, failure: Failure, remaining: float, jitter: float
) -> float | None:
    """Give how long to wait before the next try, or None to give up. `jitter` is from 0 to 1.

    A wait that does not fit the caller's deadline is no wait: failing at once serves the caller better.
    """
    if tries > policy.retries or (failure.retry_after or 0) > policy.longest_wait:
        return None
    if failure.status == 429:
        wait = failure.retry_after if failure.retry_after is not None else policy.first_wait * 2**tries
        if wait > policy.longest_wait:
            return None
    elif failure.status is None or failure.status in TRANSIENT:
        wait = policy.first_wait * 2 ** (tries - 1) * (0.5 + jitter)
        if failure.retry_after is not None:
            wait = max(wait, failure.retry_after)
    else:
        return None
    return wait if wait < remaining else None


def retry_after(header: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header: seconds or an HTTP date."""
    if not header:
        return None
    if header.strip().isascii() and header.strip().isdigit():
        return float(header.strip()[:9])
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def seconds_to_tell(header: str | None, now: datetime) -> int:
    """Give after how many whole seconds a caller may try again: what the vendor says, or else the contract."""
    hint = retry_after(header, now)
    return DEFAULT_RETRY_AFTER if hint is None else max(1, ceil(hint))
