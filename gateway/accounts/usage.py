"""Usage of an account: counts of its calls, and when its token was last known to be good."""

from dataclasses import dataclass
from datetime import datetime

from gateway.model import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is known of an account beside its record.

    `verified_at` is when the vendor was last asked about the token, `proven_at` when it last served a call with it.
    `check_at` is when the token is checked next; of the checks before, `failures` in a row had no clear result.
    `hits` and `misses` are answers from the cache and from the vendor, `errors` the calls that failed at the vendor
    or for the account's status; `error_code` is the code of the last one.
    """

    check_at: datetime
    failures: int = 0
    verified_at: datetime | None = None
    called_at: datetime | None = None
    proven_at: datetime | None = None
    error_at: datetime | None = None
    error_code: str | None = None
    hits: int = 0
    misses: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """An account whose token is due for a check."""

    account: Account
    usage: Usage


@dataclass(slots=True)
class UsageCounts:
    """What one process has counted of one account and not yet added to the database.

    `proven` says whether the vendor served a call with its token; `error_code` is that of the last error.
    """

    hits: int = 0
    misses: int = 0
    errors: int = 0
    proven: bool = False
    error_code: str = ""

    def add(self, later: "UsageCounts") -> None:
        """Adds later counts."""
        self.hits += later.hits
        self.misses += later.misses
        self.errors += later.errors
        self.proven = self.proven or later.proven
        self.error_code = later.error_code or self.error_code
