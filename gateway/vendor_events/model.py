"""The vendor webhook of an account, and its store."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
