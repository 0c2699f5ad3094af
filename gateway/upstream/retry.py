"""Decides whether a failed read is tried again, and after how long. Pure functions; all times in seconds."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil

TRANSIENT = frozenset({500, 502, 503, 504})
"""Statuses after which a read may succeed. Writes are never sent twice."""
DEFAULT_RETRY_AFTER = 60
"""The contract's value where the vendor names no time."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `retries` further tries. A `Retry-After` beyond `longest_wait` is passed on to the caller instead."""

    retries: int
    longest_wait: float
    first_wait: float = 0.2


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed try: its HTTP status, or None where no answer came; and the vendor's `Retry-After`."""

    status: int | None
    retry_after: float | None = None


def wait_before_retry(
    policy: RetryPolicy, tries: int, failure: Failure, remaining: float, jitter: float
) -> float | None:
    """Returns the wait before the next try, or None to give up. `jitter` is from 0 to 1.

    Gives up where the wait would exceed the caller's deadline: to fail at once serves the caller better.
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
    """Returns the seconds of a `Retry-After` header, which has seconds or an HTTP date."""
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


def retry_after_seconds(header: str | None, now: datetime) -> int:
    """Returns the whole seconds after which a caller may try again: the vendor's value, or else the contract's."""
    hint = retry_after(header, now)
    return DEFAULT_RETRY_AFTER if hint is None else max(1, ceil(hint))
