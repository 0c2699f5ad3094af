"""What is known of an account's webhook at its vendor, and the door to where it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.model import Secret


class VendorWebhookState(StrEnum):
    """How an account's webhook stands."""

    ACTIVE = "active"
    NOT_REGISTERED = "not_registered"
    NOT_ALLOWED = "not_allowed"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorWebhook:
    """What is known of an account's endpoint at its vendor, which sends to `url`.

    `failures` are those in a row, of registering it or looking after it; at `due_at` somebody looks again.
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
    """The database, as webhooks of vendors need it. Raises `StoreUnavailable` when it cannot be reached."""

    async def find(self, account_id: str) -> VendorWebhook | None: ...

    async def take(self, account_id: str, now: datetime, until: datetime, *, over: bool = False) -> int | None:
        """Take a turn with an account's hook, made now if there is none; give its number.

        None where it is not due, unless it is taken `over`, or where there is no such account.
        """

    async def keep(self, hook: VendorWebhook, turn: int) -> bool:
        """Write what a turn has found, unless it was taken over or the account is gone. Keeps `last_event_at`."""

    async def note_event(self, account_id: str, now: datetime) -> None: ...

    async def due(self, providers: Sequence[str], now: datetime, most: int) -> Sequence[tuple[str, str]]:
        """Give project and id of active accounts whose hook is due, or that have none, longest due first."""

    async def hasten(self, now: datetime, url: str) -> None:
        """Make due all hooks that are not active, and those that are sent elsewhere than below `url`.

        What was in their way may be gone, and the gateway may have moved.
        """
