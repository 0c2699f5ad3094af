"""What is told of an account beside itself: its history, how it is used, and what of it went to the product.

Doors that may be missing: where there is none, nothing is said, and nothing made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that was done: by whom, and from which address or command."""

    at: datetime
    actor: str
    what: str
    origin: str = ""
    account_id: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class Trail(Protocol):
    """The audit trail."""

    async def read(
        self, project_id: str | None, account_id: str | None, before: datetime | None, most: int
    ) -> Sequence[Event]:
        """Give the latest events first, of one project or account or of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How an account is used. `hits` are calls that were answered from the cache, `misses` those that were not."""

    last_verified_at: datetime | None = None
    last_called_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str = ""
    hits: int = 0
    misses: int = 0

    @property
    def hit_ratio(self) -> float | None:
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else None


class Usages(Protocol):
    async def of(self, account_ids: Sequence[str]) -> Mapping[str, Usage]:
        """Give what is known of each; those never used may be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to the product. `state` is a word such as delivered, waiting or failed."""

    at: datetime
    event: str
    endpoint: str
    state: str
    attempts: int = 0
    error: str = ""


class Deliveries(Protocol):
    async def of_account(self, account_id: str, most: int) -> Sequence[Delivery]:
        """Give the latest deliveries about an account, latest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The doors that there are."""

    trail: Trail | None = None
    usages: Usages | None = None
    deliveries: Deliveries | None = None
