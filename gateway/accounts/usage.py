"""How an account fares: what was counted of its calls, and when its token was last known to be good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.model import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """`verified_at` is when the vendor was last asked about the token, `proven_at` when it last served a call with it.

    `check_at` is when to look at it next, `failures` how often in a row the vendor has told nothing then.
    `hits` and `misses` are answers from the cache and from the vendor, `errors` the calls that failed at the vendor
    or for the account's state; `error_code` is the code of the last one.
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
    """An account that it is time to look at."""

    account: Account
    usage: Usage


@dataclass(slots=True)
class UsageCounts:
    """What one process has counted of one account since it last told the database.

    `proven` says that the vendor has served a call with its token, `error_code` is of the last error.
    """

    hits: int = 0
    misses: int = 0
    errors: int = 0
    proven: bool = False
    error_code: str = ""

    def join(self, later: "UsageCounts") -> None:
        """Take in what was counted later."""
        self.hits += later.hits
        self.misses += later.misses
        self.errors += later.errors
        self.proven = self.proven or later.proven
        self.error_code = later.error_code or self.error_code


class Tallies(Protocol):
    """The database, as counting needs it."""

    async def add(self, tallies: Mapping[str, UsageCounts], at: datetime) -> None:
        """Add what was counted until a moment, of accounts by id."""

    async def read(self, account_ids: Sequence[str]) -> Mapping[str, Usage]:
        """Give how accounts fare, by id."""
