"""A project's webhook endpoints: their URL, their events, and how a caller's body changes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from connectors.platform_bodies import CREATE_WEBHOOK, UPDATE_WEBHOOK
from gateway.audit.events import AuditRecord
from gateway.contract.body import check_body, refuse
from gateway.model import Secret
from gateway.webhooks.deliveries import Delivery, State
from gateway.webhooks.events import EVENTS, EVERYTHING, Event, is_known
from gateway.webhooks.targets import Targets

MOST_ENDPOINTS = 20
"""The endpoints of one project: each of them is a row to write for each event."""
BY_CALLER = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint without its secrets. `older_until` is when the secret before the present one ends."""

    id: str
    project_id: str
    url: str
    events: tuple[str, ...]
    description: str | None = None
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    failing_since: datetime | None = None
    older_until: datetime | None = None

    @property
    def enabled(self) -> bool:
        return self.disabled_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A page of an endpoint's deliveries, newest first: `most` after `skip`, in one state or in any."""

    state: State | None = None
    skip: int = 0
    most: int = 25


class Endpoints(Protocol):
    """The database, as management needs it. What is of another project is not there. Raises `StoreUnavailable`.

    A change is `told` to the trail in its own transaction.
    """

    async def add(self, endpoint: Endpoint, secret: Secret, told: AuditRecord) -> bool:
        """Write a new one; False when the project has as many as it may."""

    async def of_project(self, project_id: str) -> Sequence[Endpoint]:
        """Give the endpoints, oldest first."""

    async def find(self, project_id: str, endpoint_id: str) -> Endpoint | None: ...

    async def change(self, before: Endpoint, after: Endpoint, told: AuditRecord) -> Endpoint | None:
        """Write what differs: what has become of the rest meanwhile stays, as do secrets and deliveries."""

    async def remove(self, project_id: str, endpoint_id: str, told: AuditRecord) -> Endpoint | None:
        """Delete it with its secrets and deliveries."""

    async def rotate(self, endpoint: Endpoint, secret: Secret, told: AuditRecord) -> Endpoint | None:
        """Make this the secret, and let the present one live until `older_until`."""

    async def send(self, endpoint: Endpoint, event: Event, now: datetime) -> Delivery:
        """Put an event in the outbox for this endpoint alone, whatever it wants to hear."""

    async def deliveries(self, endpoint: Endpoint, pick: Pick) -> Sequence[Delivery]: ...

    async def kept_events(self, endpoint: Endpoint) -> Collection[str]:
        """Name the events, each once, that may still be sent there: deliveries under way, and those kept to replay."""

    async def about(self, project_id: str, account_id: str, pick: Pick) -> Sequence[Delivery]:
        """Give what was told of one account, wherever it was sent; of one that is unlinked too."""

    async def delivery(self, project_id: str, delivery_id: str) -> Delivery | None: ...

    async def replay(self, delivery: Delivery, now: datetime) -> Delivery | None:
        """Make a delivery due again; None when it cannot be any more."""

    async def replay_dead(self, endpoint: Endpoint, now: datetime) -> int:
        """Make all dead deliveries of an endpoint due again that can be; tell how many."""


def read_endpoint(body: Mapping[str, Any], base: Endpoint, targets: Targets, now: datetime) -> Endpoint:
    """Returns `base` with the changes of a body. Raises `BadRequest` with all faults. A `base` without URL is new."""
    changes = check_body(body, UPDATE_WEBHOOK if base.url else CREATE_WEBHOOK)
    url, events = changes.get("url", base.url), changes.get("events", base.events)
    faults = [f"url: {fault}"] if "url" in changes and (fault := targets.fault(url)) else []
    strange = [name for name in events or () if not is_known(name)]
    if strange:
        named = ", ".join(name[:64] for name in strange[:5])
        faults.append(f"events: has {named}; known: {', '.join(EVENTS)}, a family such as account.*, and *")
    refuse(faults)
    changed = replace(
        base,
        url=url,
        events=(EVERYTHING,) if events is None else tuple(dict.fromkeys(events)),
        description=changes.get("description", base.description) or None,
        updated_at=now,
    )
    return _enable(changed, now, wanted=changes["enabled"]) if "enabled" in changes else changed


def _enable(endpoint: Endpoint, now: datetime, *, wanted: bool) -> Endpoint:
    if wanted == endpoint.enabled:
        return endpoint
    if wanted:
        return replace(endpoint, disabled_at=None, disabled_reason=None, failing_since=None)
    return replace(endpoint, disabled_at=now, disabled_reason=BY_CALLER)
