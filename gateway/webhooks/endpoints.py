"""A project's webhook endpoints: their URL, their events, and how a caller's body changes them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors.platform_bodies import CREATE_WEBHOOK, UPDATE_WEBHOOK
from gateway.contract.body import check_body, refuse
from gateway.webhooks.deliveries import State
from gateway.webhooks.events import EVENTS, EVERYTHING, is_known
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
class DeliveryFilter:
    """A page of an endpoint's deliveries, newest first: `most` after `skip`, in one state or in any."""

    state: State | None = None
    skip: int = 0
    most: int = 25


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
