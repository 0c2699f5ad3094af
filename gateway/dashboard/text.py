"""Texts for the reader of a page: events of the audit log, actors, and shares."""

from collections.abc import Mapping, Sequence

from gateway.accounts.usage import Usage
from gateway.audit.events import AuditEntry, AuditEvent
from gateway.model import Actor, ActorKind

_EVENTS: Mapping[AuditEvent, str] = {
    AuditEvent.LINKED: "Linked",
    AuditEvent.RELINKED: "Linked again",
    AuditEvent.UPDATED: "Changed",
    AuditEvent.SUSPENDED: "Suspended",
    AuditEvent.RESUMED: "Resumed",
    AuditEvent.ERROR: "Stopped working",
    AuditEvent.EXPIRED: "Token expired",
    AuditEvent.INACTIVE: "Became inactive",
    AuditEvent.ARCHIVED: "Archived",
    AuditEvent.RECOVERED: "Works again",
    AuditEvent.SCOPES_CHANGED: "Scopes changed",
    AuditEvent.CACHE_PURGED: "Cached answers deleted",
    AuditEvent.UNLINKED: "Unlinked",
    AuditEvent.KEY_CREATED: "API key created",
    AuditEvent.KEY_REVOKED: "API key revoked",
    AuditEvent.TEST_READ: "Read with the request tester",
    AuditEvent.SESSION_CREATED: "Link created",
    AuditEvent.WEBHOOK_CREATED: "Webhook added",
    AuditEvent.WEBHOOK_UPDATED: "Webhook changed",
    AuditEvent.WEBHOOK_SECRET_ROTATED: "Webhook secret rotated",
    AuditEvent.WEBHOOK_DELETED: "Webhook removed",
    AuditEvent.SIGNED_IN: "Signed in to the dashboard",
    AuditEvent.SIGN_IN_FAILED: "Wrong password for the dashboard",
    AuditEvent.SIGNED_OUT: "Signed out of the dashboard",
}
_ACTORS: Mapping[ActorKind, str] = {
    ActorKind.KEY: "A backend, with the key",
    ActorKind.SESSION: "In the Hub, by link",
    ActorKind.OPERATOR: "Operator",
    ActorKind.ADMIN: "Operator, in the dashboard",
    ActorKind.GATEWAY: "The gateway",
}
_GATEWAY_ACTORS = {"call": "at a call", "check": "at a check"}


def event_text(what: AuditEvent) -> str:
    return _EVENTS.get(what, what.value)


def actor_text(actor: Actor) -> str:
    """Returns who it was. The id of a dashboard session is left out: it means nothing to a reader."""
    name = "" if actor.kind is ActorKind.ADMIN else _GATEWAY_ACTORS.get(actor.id, actor.id)
    return f"{_ACTORS[actor.kind]} {name}".strip()


def address_text(actor: Actor) -> str:
    return "the command line" if actor.address == "cli" else actor.address


def detail_texts(entry: AuditEntry) -> list[tuple[str, str]]:
    """Returns name and text of the details that are not empty."""
    texts = ((name.replace("_", " "), _join(value)) for name, value in entry.details.items())
    return [(name, text) for name, text in texts if text]


def _join(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def hit_ratio(usage: Usage) -> float | None:
    """Returns the share of answers that came from the cache, from 0 to 1; None if there were no answers."""
    answers = usage.hits + usage.misses
    return usage.hits / answers if answers else None
