"""What is told of an account beside itself: its history, how it is used, and what of it went to the product."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.accounts.usage import Usage
from gateway.audit.events import AuditReader
from gateway.webhooks.deliveries import Delivery
from gateway.webhooks.endpoints import Endpoint, Pick


class Usages(Protocol):
    async def read(self, account_ids: Sequence[str]) -> Mapping[str, Usage]:
        """Give how accounts fare, by id."""


class Deliveries(Protocol):
    """The log of what was sent to the project's endpoints."""

    async def of_project(self, project_id: str) -> Sequence[Endpoint]: ...

    async def about(self, project_id: str, account_id: str, pick: Pick) -> Sequence[Delivery]:
        """Give what was told of one account, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The doors to it."""

    audit: AuditReader
    usages: Usages
    deliveries: Deliveries


def hit_ratio(usage: Usage) -> float | None:
    """Give the share of answers that came from the cache; None where there were none."""
    answers = usage.hits + usage.misses
    return usage.hits / answers if answers else None
