"""What is told of an account beside itself: its history, how it is used, and what of it went to the product.

Doors that may be missing: where there is none, nothing is said, and nothing made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.core.trail import Trail
from gateway.core.usage import Usage


class Usages(Protocol):
    async def read(self, account_ids: Sequence[str]) -> Mapping[str, Usage]:
        """Give how accounts fare, by id."""


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


def hit_ratio(usage: Usage) -> float | None:
    """Give the share of answers that came from the cache; None where there were none."""
    answers = usage.hits + usage.misses
    return usage.hits / answers if answers else None
