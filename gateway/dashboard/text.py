"""What the trail says in words of fixed lists, said to a reader."""

from collections.abc import Mapping, Sequence

from gateway.audit.events import AuditEntry, AuditEvent
from gateway.model import Actor, ActorKind

_WHAT: Mapping[AuditEvent, str] = {
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
    AuditEvent.CACHE_ERASED: "Cache erased",
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
_WHO: Mapping[ActorKind, str] = {
    ActorKind.KEY: "A backend, with the key",
    ActorKind.SESSION: "In the Hub, by link",
    ActorKind.OPERATOR: "Operator",
    ActorKind.ADMIN: "Operator, in the dashboard",
    ActorKind.GATEWAY: "The gateway",
}
_PARTS = {"call": "at a call", "check": "at a check"}


def what_words(what: AuditEvent) -> str:
    return _WHAT.get(what, what.value)


def who_words(actor: Actor) -> str:
    """Say who it was. Of the dashboard the id is that of a sign-in, which says nothing to anybody."""
    named = "" if actor.kind is ActorKind.ADMIN else _PARTS.get(actor.id, actor.id)
    return f"{_WHO[actor.kind]} {named}".strip()


def where_words(actor: Actor) -> str:
    return "the command line" if actor.address == "cli" else actor.address


def detail_words(entry: AuditEntry) -> list[tuple[str, str]]:
    """Give the details by name, without those that are empty."""
    found = ((name.replace("_", " "), _text(value)) for name, value in entry.details.items())
    return [(name, text) for name, text in found if text]


def _text(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
