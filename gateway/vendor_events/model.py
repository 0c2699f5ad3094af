"""The vendor webhook of an account, and its store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.model import Secret


class VendorWebhookState(StrEnum):
    """The state of an account's vendor webhook."""

    ACTIVE = "active"
    NOT_REGISTERED = "not_registered"
    NOT_ALLOWED = "not_allowed"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorWebhook:
    """An account's endpoint at its vendor, which sends to `url`.

    `failures` counts those in a row, of registering or checking it; at `due_at` it is checked again.
    """

    account_id: str
    project_id: str
    provider: str
    state: VendorWebhookState
    reason: str = ""
    remote_id: str | None = None
    url: str | None = None
    secret: Secret | None = None
    registered_at: datetime | None = None
    last_event_at: datetime | None = None
    failures: int = 0
    due_at: datetime


class HookStore(Protocol):
    """The database of vendor webhooks. Raises `StoreUnavailable`."""

    async def find(self, account_id: str) -> VendorWebhook | None: ...

    async def take(self, account_id: str, now: datetime, until: datetime, *, over: bool = False) -> int | None:
        """Leases the row of an account until a moment, creating it if needed; returns the number of the lease.

        None if it is not due, unless it is taken `over`, or if there is no such account.
        """

    async def keep(self, hook: VendorWebhook, turn: int) -> bool:
        """Stores the result of a lease; False if it was taken over or the account is gone. Keeps `last_event_at`."""

    async def note_event(self, account_id: str, now: datetime) -> None: ...

    async def due(self, providers: Sequence[str], now: datetime, most: int) -> Sequence[tuple[str, str]]:
        """Returns project id and id of active accounts whose webhook is due or missing, longest due first."""

    async def hasten(self, now: datetime, url: str) -> None:
        """Makes all webhooks due that are not active, or that send to another address than below `url`."""
