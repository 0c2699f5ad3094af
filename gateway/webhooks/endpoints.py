"""Where a project listens: an endpoint, what it wants to hear, and how a caller writes that."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from gateway.audit.events import AuditRecord
from gateway.errors import BadRequest
from gateway.model import Secret
from gateway.webhooks.deliveries import Delivery, State
from gateway.webhooks.events import EVENTS, EVERYTHING, Event, is_known
from gateway.webhooks.targets import Targets

MOST_ENDPOINTS = 20
"""Endpoints of one project: each of them is a row to write with each event."""
MOST_EVENTS = 50
BY_CALLER = "disabled"
LONGEST_DESCRIPTION = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint without its secrets. `older_until` is how long the secret before the present one lives."""

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
    """Some deliveries of an endpoint, newest first: those in one state, or all; `most` after `skip`."""

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
    """Give an endpoint as a caller wants it, a merge patch upon `base`. Raises `BadRequest` with all faults."""
    faults: list[str] = []
    found = replace(base, updated_at=now)
    for name, value in body.items():
        match name:
            case "url":
                fault = targets.fault(value) if isinstance(value, str) else "must be text"
                faults += [f"url {fault}"] if fault else []
                found = replace(found, url=value)
            case "events":
                found = replace(found, events=_events(value, faults))
            case "description":
                found = replace(found, description=_description(value, faults))
            case "enabled" if isinstance(value, bool):
                found = _enable(found, now, wanted=value)
            case "enabled":
                faults.append("enabled must be true or false")
            case _:
                faults.append(f"unknown field {name[:64]!r}; known: url, events, description, enabled")
    if not found.url and "url" not in body:
        faults.append("url is missing: where the events are to be sent")
    if faults:
        raise BadRequest("The endpoint is not valid: " + "; ".join(faults), errors=faults)
    return found


def _events(value: Any, faults: list[str]) -> tuple[str, ...]:
    if value is None:
        return (EVERYTHING,)
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_EVENTS:
        faults.append(f"events must be a list of 1 to {MOST_EVENTS} names, or null for all events")
        return ()
    strange = [each for each in value if not isinstance(each, str) or not is_known(each)]
    if strange:
        named = ", ".join(each[:64] if isinstance(each, str) else "what is no text" for each in strange[:5])
        faults.append(f"events has {named}; known: {', '.join(EVENTS)}, a family such as account.*, and *")
        return ()
    return tuple(dict.fromkeys(value))


def _description(value: Any, faults: list[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST_DESCRIPTION:
        faults.append(f"description must have at most {LONGEST_DESCRIPTION} printable characters")
        return None
    return value.strip() or None


def _enable(endpoint: Endpoint, now: datetime, *, wanted: bool) -> Endpoint:
    if wanted == endpoint.enabled:
        return endpoint
    if wanted:
        return replace(endpoint, disabled_at=None, disabled_reason=None, failing_since=None)
    return replace(endpoint, disabled_at=now, disabled_reason=BY_CALLER)
