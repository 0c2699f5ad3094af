"""The events that webhooks send: a table of their names, and the payload of each.

Names and shapes are StackOne's. A new event is a new row here, and a call of `OutboxStore` where it happens.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from connectors.convert import instant
from gateway.model import Account

RECORDS: Mapping[str, str] = {"employees": "An employee", "employments": "An employment", "time_off": "Time off"}
"""The resources whose records are watched, with a name for one record."""

EVENTS: Mapping[str, str] = {
    "account.created": "An account was linked.",
    "account.updated": "An account has changed: its credential, status, scopes, owner or label.",
    "account.deleted": "An account was unlinked, and all data stored of it was deleted.",
    "account.error": "An account stopped working: it has to be linked again.",
    "account.expired": "An account's token has expired: the account has to be linked again.",
    **{
        f"hris_{resource}.{verb}": f"{record} {what}."
        for resource, record in RECORDS.items()
        for verb, what in {
            "created": "is new, or has become visible to this account's token",
            "updated": "has changed in a field that this account's token may see",
            "deleted": "was deleted, or is no longer visible to this account's token",
        }.items()
    },
}
"""Every event that an endpoint may ask for, with what it means."""

PING = "webhook.ping"
"""Tests an endpoint; sent on request, whatever events the endpoint asks for."""

ACCOUNT_DELETED = "account.deleted"
FAILURES = ("account.error", "account.expired")
EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a project. `payload` is the body that is sent, without `sent_at`."""

    id: str
    project_id: str
    name: str
    account_id: str | None
    payload: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the unified API. `type` is the resource; `id` is the unified id, `remote_id` the vendor's."""

    type: str
    id: str
    remote_id: str | None = None


def events_of(facts: Iterable[str]) -> tuple[str, ...]:
    """Returns the events for a change of an account, which is given as names of audit events."""
    found = set(facts)
    if "account.unlinked" in found:
        return (ACCOUNT_DELETED,)
    if "account.linked" in found:
        return ("account.created",)
    return ("account.updated", *(name for name in FAILURES if name in found))


def account_event(name: str, account: Account, event_id: str, at: datetime) -> Event:
    """Returns an event about an account; one about a failure includes the status and its reasons."""
    payload: dict[str, Any] = {
        "project_id": account.project_id,
        "account_id": account.id,
        "event": name,
        "event_date": instant(at.isoformat()),
        "record_type": "account",
        "record_id": account.id,
        "provider": account.provider,
        "origin_owner_id": account.owner.id,
        "origin_owner_name": account.owner.name,
        "origin_username": account.owner.username,
        "setup_information": {} if name == ACCOUNT_DELETED else dict(account.setup_information),
    }
    if name in FAILURES:
        payload["status"] = account.status
        payload["status_reasons"] = [
            {"code": each.code, "description": each.description, "timestamp": instant(each.timestamp.isoformat())}
            for each in account.status_reasons
        ]
    return Event(id=event_id, project_id=account.project_id, name=name, account_id=account.id, payload=payload)


def record_event(name: str, account: Account, record: Record, event_id: str, at: datetime) -> Event:
    """Returns an event about a record. As StackOne's synthetic events do, it holds ids and no fields."""
    payload: dict[str, Any] = {
        "project_id": account.project_id,
        "account_id": account.id,
        "event": name,
        "event_date": instant(at.isoformat()),
        "record_type": record.type,
        "record_id": record.id,
        **({"record_remote_id": record.remote_id} if record.remote_id else {}),
    }
    return Event(id=event_id, project_id=account.project_id, name=name, account_id=account.id, payload=payload)


def ping_event(project_id: str, endpoint_id: str, event_id: str, at: datetime) -> Event:
    payload = {
        "project_id": project_id,
        "event": PING,
        "event_date": instant(at.isoformat()),
        "record_type": "webhook",
        "record_id": endpoint_id,
    }
    return Event(id=event_id, project_id=project_id, name=PING, account_id=None, payload=payload)


def is_known(pattern: str) -> bool:
    """Returns whether an endpoint may ask for this: an event, a family such as `account.*`, or `*`."""
    return pattern == EVERYTHING or any(wants((pattern,), name) for name in EVENTS)


def wants(patterns: Sequence[str], name: str) -> bool:
    return any(
        pattern in {EVERYTHING, name} or (pattern.endswith(".*") and name.startswith(pattern[:-1]))
        for pattern in patterns
    )


def body_of(payload: bytes, at: datetime) -> bytes:
    """Returns the body of an attempt. It holds the time of the attempt, so that a receiver can refuse old ones."""
    return orjson.dumps({**orjson.loads(payload), "sent_at": instant(at.isoformat())})
