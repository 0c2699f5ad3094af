"""How an account fares: what was counted of its calls, and when its token was last known to be good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.core.model import Account


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
class Tally:
    """What one process has counted of one account since it last told the database. Moments are of the last of each."""

    hits: int = 0
    misses: int = 0
    errors: int = 0
    called_at: datetime | None = None
    proven_at: datetime | None = None
    error_at: datetime | None = None
    error_code: str = ""

    def join(self, later: "Tally") -> None:
        """Take in what was counted later."""
        self.hits += later.hits
        self.misses += later.misses
        self.errors += later.errors
        self.called_at = later.called_at or self.called_at
        self.proven_at = later.proven_at or self.proven_at
        if later.error_at:
            self.error_at, self.error_code = later.error_at, later.error_code


class Tallies(Protocol):
    """The database, as counting needs it."""

    async def add(self, tallies: Mapping[str, Tally]) -> None: ...

    async def read(self, account_ids: Sequence[str]) -> Mapping[str, Usage]:
        """Give how accounts fare, by id."""
